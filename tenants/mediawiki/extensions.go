package mediawiki

import (
	"fmt"
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

// CompareVersions compares the numbers of two versions, such as "1.43.9".
func CompareVersions(a, b string) int { return slices.Compare(Numbers(a), Numbers(b)) }

// Minor returns the 43 of "1.43.9", or 0 of what is no version.
func Minor(version string) (minor int) {
	fmt.Sscanf(version, "1.%d", &minor)
	return minor
}

// InstallsEncrypted reports whether install.php of a version can reach the database by TLS:
// its --dbssl came with MediaWiki 1.39.
func InstallsEncrypted(version string) bool { return CompareVersions(version, "1.39") >= 0 }

// NewerSchema reports whether the schema of MediaWiki version a, such as "1.43", comes after
// that of b, such as "1.39.17": releases of one version have one schema (Version lifecycle).
func NewerSchema(a, b string) bool {
	var majorA, x, majorB, y int
	fmt.Sscanf(a, "%d.%d", &majorA, &x)
	fmt.Sscanf(b, "%d.%d", &majorB, &y)
	return majorA > majorB || majorA == majorB && x > y
}

// SameSchema reports whether two versions of MediaWiki have one schema.
func SameSchema(a, b string) bool { return !NewerSchema(a, b) && !NewerSchema(b, a) }
