package mediawiki

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// PHPExtensions lists the PHP extensions that a codebase requires for some tenants, by
// their names in composer.json without "ext-", sorted: those of MediaWiki and the
// tenants' components, and mysqli, with which MediaWiki connects to MariaDB and MySQL.
func PHPExtensions(c *tenants.Codebase, list []*tenants.Tenant) []string {
	needed := map[string]bool{"mysqli": true}
	add := func(requires map[string]any) {
		for key := range requires {
			if name, ok := strings.CutPrefix(key, "ext-"); ok {
				needed[name] = true
			}
		}
	}
	add(c.Requires)
	for _, t := range list {
		for _, name := range t.Extensions {
			if e := c.Extensions[name]; e != nil {
				add(e.Declared().Requires.Platform)
			}
		}
		for _, name := range t.Skins {
			if s := c.Skins[name]; s != nil {
				add(s.Declared().Requires.Platform)
			}
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// PHPVersion returns MediaWiki's own Composer constraint on the version of PHP, or "".
func PHPVersion(c *tenants.Codebase) string {
	wanted, _ := c.Requires["php"].(string)
	return wanted
}

// FitsPHP reports whether MediaWiki itself supports a version of PHP.
func FitsPHP(c *tenants.Codebase, version string) bool { return Satisfies(version, PHPVersion(c)) }
