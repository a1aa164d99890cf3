package mediawiki

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikictl/tenants"
)

// Version holds the known facts about one version of MediaWiki, such as 1.43.
type Version struct {
	Name string // "1.43"
	Ends string // the last day of its security releases, as YYYY-MM-DD
	LTS  bool   // a long-term release
	From string // the oldest version that its updater upgrades from; empty: not known
	PHP  string // the oldest PHP that it runs on, for trees without a composer.json
	// The oldest servers that it runs on; empty: not known.
	MariaDB, MySQL string
}

// versions are in order (pages Version lifecycle, Compatibility and Manual:Upgrading of
// mediawiki.org; composer.json, MysqlInstaller.php and the release notes of each version).
// 1.47 is as its alpha and the usual rhythm of long-term releases have it.
var versions = []Version{
	{"1.35", "2023-12-31", true, "", "7.3.19", "", ""},
	{"1.36", "2022-05-31", false, "", "7.3.19", "", ""},
	{"1.37", "2022-11-30", false, "", "7.3.19", "", ""},
	{"1.38", "2023-06-30", false, "1.31", "7.3.19", "10.3", "5.7"},
	{"1.39", "2025-12-31", true, "1.31", "7.4.3", "10.3", "5.7"},
	{"1.40", "2024-06-30", false, "1.31", "7.4.3", "10.3", "5.7"},
	{"1.41", "2024-12-31", false, "1.31", "7.4.3", "10.3", "5.7"},
	{"1.42", "2025-06-30", false, "1.31", "7.4.3", "10.3", "5.7"},
	{"1.43", "2027-12-31", true, "1.35", "8.1.0", "10.3", "5.7"},
	{"1.44", "2026-07-31", false, "1.35", "8.1.0", "10.3", "5.7"},
	{"1.45", "2026-12-31", false, "1.35", "8.2.0", "10.3", "5.7"},
	{"1.46", "2027-07-31", false, "1.35", "8.2.0", "10.3", "5.7"},
	{"1.47", "2029-12-31", true, "1.39", "8.3.0", "10.11", "5.7"},
}

// versionOf finds what is known of the version that a release, such as "1.43.9", is of.
// For one that is newer than all known, it is the newest, and known is false; for one that
// is older than all, it is empty.
func versionOf(release string) (v Version, known bool) {
	i := slices.IndexFunc(versions, func(v Version) bool { return sameVersion(v.Name, release) })
	switch {
	case i >= 0:
		return versions[i], true
	case NewerThanKnown(release):
		return versions[len(versions)-1], false
	}
	return Version{}, false
}

// NewerThanKnown reports whether a release is of a version that came after the newest
// that wikictl knows. It is run like that one.
func NewerThanKnown(release string) bool {
	newest := versions[len(versions)-1].Name
	return compareVersion(release, newest) > 0
}

// Newest is the newest version that wikictl knows.
func Newest() string { return versions[len(versions)-1].Name }

// Maintained lists the versions that get security releases on a day, long-term ones
// marked, such as "1.43 LTS".
func Maintained(day time.Time) (names []string) {
	for _, v := range versions {
		if v.Ends < day.Format(time.DateOnly) {
			continue
		}
		if v.LTS {
			v.Name += " LTS"
		}
		names = append(names, v.Name)
	}
	return names
}

// leastServers is where a tree says which servers it needs: up to 1.43, and later.
var leastServers = []string{"includes/installer/MysqlInstaller.php", "includes/Installer/MysqlInstaller.php"}

// leastServer is a member of MIN_VERSIONS there.
var leastServer = regexp.MustCompile(`'(MySQL|MariaDB)' => '([0-9.]+)'`)

// InstallsEncrypted reports whether install.php of a version can reach the database by TLS:
// its --dbssl came with MediaWiki 1.39.
func InstallsEncrypted(version string) bool { return CompareVersions(version, "1.39") >= 0 }

// LeastServer is the oldest version of a server, "MariaDB" or "MySQL", that a codebase
// takes, as its own installer says, or else as is known of its version; empty: any.
func LeastServer(c *tenants.Codebase, maker string) string {
	for _, name := range leastServers {
		text, err := os.ReadFile(filepath.Join(c.Path, name))
		if err != nil {
			continue
		}
		for _, m := range leastServer.FindAllStringSubmatch(string(text), -1) {
			if m[1] == maker {
				return strings.TrimSuffix(m[2], ".0")
			}
		}
	}
	v, _ := versionOf(c.Version)
	return map[string]string{"MariaDB": v.MariaDB, "MySQL": v.MySQL}[maker]
}

// refusal matches an updater's message that a database is too old (maintenance/update.php).
var refusal = regexp.MustCompile(`[Cc]an ?not upgrade from versions older than (1\.[0-9]+)`)

// UpgradesFrom returns the oldest version of MediaWiki that a codebase's updater upgrades
// from, as the updater itself says, or as the table says of its version; empty: not known.
func UpgradesFrom(c *tenants.Codebase) string {
	if text, err := os.ReadFile(filepath.Join(c.Path, "maintenance", "update.php")); err == nil && c.Path != "" {
		if m := refusal.FindSubmatch(text); m != nil {
			return string(m[1])
		}
	}
	v, _ := versionOf(c.Version)
	return v.From
}

// TooOld reports whether a codebase's updater does not upgrade a schema of a level.
func TooOld(level Level, c *tenants.Codebase) bool {
	from := UpgradesFrom(c)
	switch {
	case level == NoTables, level.Foreign(), level == AfterAll:
		return false
	case level == BeforeAll:
		return true
	}
	return from != "" && compareVersion(string(level), from) < 0
}

// Hops lists the codebases of a farm on which a wiki of a level can be upgraded first,
// so that another one can upgrade it then, by name.
func Hops(level Level, to *tenants.Codebase, codebases map[string]*tenants.Codebase) (names []string) {
	for name, c := range codebases {
		between := compareVersion(c.Version, to.Version) < 0 && len(c.Faults) == 0
		if between && !TooOld(level, c) && !TooOld(LevelFor(c.Version), to) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
