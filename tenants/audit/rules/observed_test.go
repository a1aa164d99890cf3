package rules

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/ledger"
)

func TestDifferencesOfPHP(t *testing.T) {
	line := php.Platform{Version: "8.2.36", Extensions: []string{"intl", "pcntl", "readline", "Zend OPcache"}, Settings: map[string]string{"timezone": "UTC", "memory_limit": "-1"}}
	served := func(version, extensions, timezone string) php.Platform {
		return php.Platform{Version: version, Extensions: strings.Fields(extensions), Settings: map[string]string{"timezone": timezone, "memory_limit": "128M"}}
	}
	for _, c := range []struct {
		name   string
		served php.Platform
		want   string
	}{
		{"what each must have of its own", served("8.2.36", "intl cgi-fcgi", "UTC"), ""},
		{"not restarted after an update", served("8.2.29", "intl", "UTC"), "version 8.2.36 and 8.2.29"},
		{"an extension is missing", served("8.2.36", "", "UTC"), "only the command line has intl"},
		{"extensions more", served("8.2.36", "intl yaml gd", "UTC"), "only php-fpm has gd, yaml"},
		{"another time zone", served("8.2.36", "intl", "Asia/Tokyo"), `timezone "UTC" and "Asia/Tokyo"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(differences(line, c.served), "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// of runs a rule over one tenant with what is there of it, and returns what it says.
func of(t *testing.T, id string, f *tenants.Farm, d observe.Wiki, farm observe.Farm) []audit.Finding {
	t.Helper()
	tenant := &tenants.Tenant{Name: "alpha", Hosts: []string{"alpha.example"}, Codebase: &tenants.Codebase{}, Position: tenants.Position{File: "tenants/alpha.toml"}}
	w := &wanted{Scope: observe.Scope{Farm: f, List: []*tenants.Tenant{tenant}}, today: today(), observed: &observe.Observed{Wikis: map[string]*observe.Wiki{"alpha": &d}, Farm: farm}}
	r := newReporter(nil)
	r.rule, r.tenant = findRule(id), "alpha"
	if r.rule.observed != nil {
		r.rule.observed(&subject{w, tenant, nil}, r)
	}
	if r.rule.observedFarm != nil {
		r.rule.observedFarm(w, r)
	}
	return r.report(w).Findings
}

func TestBackupAge(t *testing.T) {
	set := &tenants.Farm{Origins: tenants.Origins{"backup.max_age_days": {File: "wikictl.toml", Line: 9}}, Backup: tenants.Backup{MaxAgeDays: 7}}
	unset := &tenants.Farm{Backup: tenants.Backup{MaxAgeDays: 30}}
	before := func(days int) time.Time { return today().AddDate(0, 0, -days) }
	dump := func(days int) *backup.Dump { return &backup.Dump{Taken: before(days), File: "/dump"} }
	for _, c := range []struct {
		name string
		farm *tenants.Farm
		disk observe.Wiki
		want audit.Severity // zero: nothing is found
	}{
		{"young", set, observe.Wiki{Latest: dump(7)}, 0},
		{"old by the farm's own measure", set, observe.Wiki{Latest: dump(8)}, audit.Warning},
		{"the farm has no measure", unset, observe.Wiki{Latest: dump(8)}, 0},
		{"old for any farm", unset, observe.Wiki{Latest: dump(31)}, audit.Note},
		{"never, but new", unset, observe.Wiki{Row: ledger.Tenant{Changed: before(29)}}, 0},
		{"never", unset, observe.Wiki{Row: ledger.Tenant{Changed: before(31)}}, audit.Note},
		{"made by something else", &tenants.Farm{}, observe.Wiki{Row: ledger.Tenant{Changed: before(999)}}, 0},
		{"damaged, which is found", set, observe.Wiki{Damaged: errors.New("x"), Latest: dump(99)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got audit.Severity
			if found := of(t, "backup-old", c.farm, c.disk, observe.Farm{}); len(found) > 0 {
				got = found[0].Severity
			}
			if got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// A backup or a dump that a wrong clock dated in the future is found; one that another machine made
// a moment ahead is not.
func TestBackupOfTheFuture(t *testing.T) {
	dump := func(by time.Duration) *backup.Dump { return &backup.Dump{Taken: today().Add(by), File: "/dump"} }
	kept := func(by time.Duration) *archive.Archive {
		return &archive.Archive{Manifest: archive.Manifest{Taken: today().Add(by)}, File: "/archive"}
	}
	for _, c := range []struct {
		disk observe.Wiki
		says string // empty: nothing is found
	}{
		{observe.Wiki{}, ""},
		{observe.Wiki{Latest: dump(time.Minute), Archive: kept(-time.Minute)}, ""},
		{observe.Wiki{Latest: dump(2 * time.Hour)}, "the dump /dump has the date"},
		{observe.Wiki{Archive: kept(2 * time.Hour)}, "the backup /archive has the date"},
	} {
		found := of(t, "backup-future", &tenants.Farm{}, c.disk, observe.Farm{})
		if len(found) > 0 != (c.says != "") || c.says != "" && !strings.Contains(found[0].Message, c.says) {
			t.Errorf("want %q, got %+v", c.says, found)
		}
	}
}

func TestSlowPHP(t *testing.T) {
	fine := php.Platform{OpCache: true, APCu: true}
	for name, c := range map[string]struct {
		spoil func(*php.Platform)
		want  string
	}{
		"nothing":    {func(*php.Platform) {}, ""},
		"no opcache": {func(p *php.Platform) { p.OpCache = false }, "opcache is off"},
		"no memory":  {func(p *php.Platform) { p.OpCacheFull = true }, "out of memory"},
		"no keys":    {func(p *php.Platform) { p.OpCacheKeysFull = true }, "out of keys"},
		"no APCu":    {func(p *php.Platform) { p.APCu = false }, "php-fpm at unix:/pool.sock: APCu is not loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			served := fine
			c.spoil(&served)
			found := of(t, "php-slow", &tenants.Farm{}, observe.Wiki{}, observe.Farm{FPM: &served, FPMAt: "unix:/pool.sock"})
			if (len(found) > 0) != (c.want != "") || len(found) > 0 && !strings.Contains(found[0].Message, c.want) {
				t.Errorf("found %+v, want %q", found, c.want)
			}
		})
	}
}

// A codebase that a wiki still runs on is used, whatever is wanted.
func TestCodebaseUntilTheUpgrade(t *testing.T) {
	f := &tenants.Farm{Codebases: map[string]*tenants.Codebase{"old": {Name: "old"}}}
	for _, c := range []struct {
		observed *observe.Observed
		want     int
	}{
		{nil, 1},
		{&observe.Observed{}, 1},
		{&observe.Observed{Ledger: map[string]ledger.Tenant{"alpha": {Codebase: "old"}}}, 0},
	} {
		r := newReporter(nil)
		r.rule = findRule("codebase-unused")
		unusedCodebases(&wanted{Scope: observe.Scope{Farm: f}, observed: c.observed}, r)
		if len(r.found) != c.want {
			t.Errorf("found %d with %+v", len(r.found), c.observed)
		}
	}
}

// Leftovers of killed processes are findings of their tenant.
func TestLeftoversAreFound(t *testing.T) {
	d := observe.Wiki{HalfDumps: []string{"/backups/a.half"}}
	found := of(t, "file-half", &tenants.Farm{}, d, observe.Farm{})
	if len(found) != 1 || !slices.Equal(found[0].Tenants, []string{"alpha"}) {
		t.Fatalf("%+v", found)
	}
}

// Deleted files alone are worth a warning, and a message says how many files were compared.
func TestMissingUploads(t *testing.T) {
	for _, c := range []struct {
		stored observe.StoredUploads
		want   audit.Severity // zero: nothing is found
		says   string
	}{
		{observe.StoredUploads{Compared: 9}, 0, ""},
		{observe.StoredUploads{Compared: 9, Wrong: 1, Faults: []string{"a is missing"}}, audit.Error, "wikis/alpha/images lacks, or has with another size, 1 of the 9 files that its database names: a is missing"},
		{observe.StoredUploads{Compared: 9, Part: true, Wrong: 1, Deleted: 1, Faults: []string{"a is missing"}}, audit.Error, "wikis/alpha/images lacks, or has with another size, 2 of the first 9 files that its database names, 1 of them among deleted files: a is missing and more"},
		{observe.StoredUploads{Compared: 9, Deleted: 2, Faults: []string{"a is missing", "b has 1 bytes, not 2"}}, audit.Warning, "2 of them among deleted files"},
	} {
		found := of(t, "uploads-missing", &tenants.Farm{}, observe.Wiki{Stored: c.stored}, observe.Farm{})
		switch {
		case len(found) == 0 && c.want == 0:
		case len(found) != 1 || found[0].Severity != c.want || !strings.Contains(found[0].Message, c.says):
			t.Errorf("%+v: %+v", c.stored, found)
		}
	}
}
