package tenants

import (
	"maps"
	"slices"
	"strings"
)

// PHPExtensions lists the extensions of PHP that a codebase needs for some tenants, as
// composer.json names them without "ext-", sorted: those of MediaWiki, of what the
// tenants load, and mysqli, by which MediaWiki reaches MariaDB and MySQL.
func (c *Codebase) PHPExtensions(list []*Tenant) []string {
	needed := map[string]bool{"mysqli": true}
	add := func(requires map[string]any) {
		for key := range requires {
			if name, ok := strings.CutPrefix(key, "ext-"); ok {
				needed[name] = true
			}
		}
	}
	add(c.requires)
	for _, t := range list {
		for _, name := range t.Extensions {
			if e := c.Extensions[name]; e != nil {
				add(e.requires.Platform)
			}
		}
		for _, name := range t.Skins {
			if s := c.Skins[name]; s != nil {
				add(s.requires.Platform)
			}
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// PHPVersion is Composer's constraint on the version of PHP that MediaWiki itself has;
// empty: none.
func (c *Codebase) PHPVersion() string {
	wanted, _ := c.requires["php"].(string)
	return wanted
}

// FitsPHP reports whether MediaWiki itself takes a version of PHP.
func (c *Codebase) FitsPHP(version string) bool { return satisfies(version, c.PHPVersion()) }

// PHPNames lists the command line programs of PHP that are looked for when a codebase
// names none, in that order.
func PHPNames() []string { return slices.Clone(phpNames) }

// CompareVersions compares the numbers of two versions, such as "1.43.9".
func CompareVersions(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }
