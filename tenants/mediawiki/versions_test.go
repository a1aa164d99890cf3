package mediawiki

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/cmd/wikictl/manual"
	"wikictl/tenants"
)

// The table is in order, has every version from 1.35 to 1.47, and agrees with the trees.
func TestVersions(t *testing.T) {
	if len(versions) != 13 || versions[0].Name != "1.35" || Newest() != "1.47" {
		t.Fatalf("%+v", versions)
	}
	for i, v := range versions {
		if i > 0 && (compareVersion(versions[i-1].Name, v.Name) >= 0 || CompareVersions(versions[i-1].PHP, v.PHP) > 0 || compareVersion(v.From, versions[i-1].From) < 0) {
			t.Errorf("%s does not follow %s", v.Name, versions[i-1].Name)
		}
		if _, err := time.Parse(time.DateOnly, v.Ends); err != nil || v.LTS != slices.Contains([]string{"1.35", "1.39", "1.43", "1.47"}, v.Name) {
			t.Errorf("%+v: %v", v, err)
		}
	}
	for _, name := range []string{"1.39", "1.43"} {
		c, err := Open(name, filepath.Join(needs.Codebases(t), name))
		if err != nil {
			t.Fatal(err)
		}
		v, known := versionOf(c.Version)
		if !known || v.Name != name || PHPVersion(c) != ">="+v.PHP || UpgradesFrom(c) != v.From {
			t.Errorf("%s: %+v, its composer.json has %s", name, v, PHPVersion(c))
		}
		tabulated := &tenants.Codebase{Path: t.TempDir(), Version: c.Version}
		for _, maker := range []string{"MariaDB", "MySQL"} {
			if least := LeastServer(c, maker); least == "" || least != LeastServer(tabulated, maker) {
				t.Errorf("%s takes %s %q, by the table %q", name, maker, least, LeastServer(tabulated, maker))
			}
		}
	}
	if v, known := versionOf("1.34.4"); known || v.Name != "" {
		t.Errorf("1.34: %+v", v)
	}
	if v, known := versionOf("1.48.0-alpha"); known || v.Name != "1.47" || !NewerThanKnown("2.0") || NewerThanKnown("1.47.3") {
		t.Errorf("1.48: %+v", v)
	}
}

// The manual's table is this one.
func TestManualHasVersions(t *testing.T) {
	page, _ := manual.Find("upgrading")
	known := func(text string) string { return cmp.Or(text, "?") }
	for _, v := range versions {
		name := v.Name
		if v.LTS {
			name += " LTS"
		}
		if row := fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name, known(v.From), v.PHP, known(v.MariaDB), v.Ends); !strings.Contains(page.Text, row) {
			t.Errorf("the manual lacks %s", row)
		}
	}
}

func TestEnded(t *testing.T) {
	day := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ software, version, want string }{
		{"MediaWiki", "1.44.6", "2026-07-31"}, {"MediaWiki", "1.43.9", ""}, {"MediaWiki", "1.46.0", ""}, {"MediaWiki", "1.48.0", ""},
		{"MediaWiki", "1.31.0", "2023-12-31"}, {"PHP", "8.1.2", "2025-12-31"}, {"PHP", "8.5.1", ""}, {"PHP", "5.6", "2022-11-28"},
		{"MariaDB", "10.11.14", ""}, {"MariaDB", "11.2.1", "2024-11-21"}, {"MariaDB", "12.3.1", ""}, {"MySQL", "8.0.40", "2026-04-30"}, {"Oracle", "19.1", ""}, {"PHP", "x", ""},
	} {
		if got := Ended(c.software, c.version, day); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.software, c.version, got, c.want)
		}
	}
	if got := strings.Join(Maintained(day), " "); got != "1.43 LTS 1.45 1.46 1.47 LTS" {
		t.Error(got)
	}
}

// The server versions that a tree itself requires override those that wikictl knows.
func TestLeastServer(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"includes/Installer/MysqlInstaller.php": "const MIN_VERSIONS = [\n\t'MySQL' => '8.0.0',\n\t'MariaDB' => '11.4',\n];"})
	c := &tenants.Codebase{Path: dir, Version: "1.48.0"}
	if LeastServer(c, "MariaDB") != "11.4" || LeastServer(c, "MySQL") != "8.0" {
		t.Error(LeastServer(c, "MariaDB"), LeastServer(c, "MySQL"))
	}
	c.Path = t.TempDir()
	if LeastServer(c, "MariaDB") != "10.11" {
		t.Error(LeastServer(c, "MariaDB"))
	}
}

// The updater of a tree has the last word on what it upgrades from, also of a version that
// the table does not have.
func TestUpgradesFrom(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"maintenance/update.php": "$this->fatalError(\n\t\"Can not upgrade from versions older than 1.43, please upgrade to that version or later first.\"\n);"})
	newer := &tenants.Codebase{Path: dir, Version: "1.51.0"}
	lts := &tenants.Codebase{Version: "1.43.9"}
	if UpgradesFrom(newer) != "1.43" || !TooOld("1.39", newer) || TooOld("1.43", newer) || TooOld("1.39", lts) {
		t.Error(UpgradesFrom(newer))
	}
	if hops := Hops("1.39", newer, map[string]*tenants.Codebase{"lts": lts, "same": newer, "old": {Version: "1.39.17"}}); !slices.Equal(hops, []string{"lts"}) {
		t.Error(hops)
	}
	if TooOld(Level(withPrefix+"mw_"), newer) {
		t.Error("a database with a table prefix is too old")
	}
}

func TestRemovedSetting(t *testing.T) {
	for _, c := range []struct {
		name, release, since string
		gone                 bool
	}{
		{"wgRCEngines", "1.46.1", ", since 1.46", true}, {"wgRCEngines", "1.45.3", "", false}, {"wgUseSquid", "1.39.1", "", true},
		{"wgPHPSessionHandling", "1.48.0", ", since 1.47", true}, {"wgMaxUploadSize", "1.47.0", "", false},
	} {
		if since, _, gone := RemovedSetting(c.name, c.release); since != c.since || gone != c.gone {
			t.Errorf("%s of %s: %q, %v", c.name, c.release, since, gone)
		}
	}
}
