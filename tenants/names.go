package tenants

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// maxAccount is the maximum length of an account name on both MySQL (32) and MariaDB
// (128).
const maxAccount = 32

// AccountName derives an account's name from a database's, shortened to the limit of all
// servers and kept unique by a hash.
func AccountName(database, suffix string) string {
	name := database + suffix
	if len(name) <= maxAccount {
		return name
	}
	sum := sha256.Sum256([]byte(database))
	tail := "_" + hex.EncodeToString(sum[:5]) + suffix
	return database[:maxAccount-len(tail)] + tail
}

// ComponentSet identifies the code that a tenant would run on a codebase: 16 hexadecimal
// digits from its fingerprint and those of the tenant's extensions and skins. Tenants
// with the same set share a golden and a localisation cache; a tenant whose set changed
// needs update.php.
func (t *Tenant) ComponentSet(c *Codebase) string {
	parts := []string{c.Version, c.Fingerprint()}
	for _, name := range t.Extensions {
		parts = append(parts, "e:"+name+":"+fingerprintOf(c.Extensions[name]))
	}
	for _, name := range t.Skins {
		parts = append(parts, "s:"+name+":"+fingerprintOf(c.Skins[name]))
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8])
}

func fingerprintOf(c *Component) string {
	if c == nil {
		return "absent"
	}
	return c.Fingerprint()
}

// LanguageCode matches MediaWiki's codes of languages.
var LanguageCode = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)*$`)

const lowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// ValidName reports whether a tenant or server may have that name: it becomes a file's name,
// and a part of a database's and a lock's.
func ValidName(name string) bool {
	return 0 < len(name) && len(name) <= 48 && strings.Trim(name, lowerAndDigits+"_-") == "" && !strings.Contains("_-", name[:1])
}

// ValidDatabase reports whether a database may have that name. It has no hyphen, at which
// MediaWiki's --wiki splits (Manual:Wiki_family); 64 is MariaDB's limit (Identifier Names).
func ValidDatabase(name string) bool {
	return 0 < len(name) && len(name) <= 64 && strings.Trim(name, lowerAndDigits+strings.ToUpper(lowerAndDigits)+"_") == ""
}

// MessageSet names what tenants have in common that share a localisation cache. It is PHP
// code that is run: a user of a tenant's own has one of its own.
func (t *Tenant) MessageSet(c *Codebase) string {
	if t.Pool.User == "" {
		return t.ComponentSet(c)
	}
	return t.ComponentSet(c) + "-" + t.Pool.User
}
