package audit

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/backup"
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
func of(t *testing.T, id string, f *tenants.Farm, d diskState, farm farmState) []Finding {
	t.Helper()
	tenant := &tenants.Tenant{Name: "alpha", Hosts: []string{"alpha.example"}, Codebase: &tenants.Codebase{}, Position: tenants.Position{File: "tenants/alpha.toml"}}
	w := &wanted{scope: scope{farm: f, list: []*tenants.Tenant{tenant}}, today: today(), there: &Observed{disk: map[string]*diskState{"alpha": &d}, farm: farm}}
	r := newReporter(nil)
	r.rule, r.tenant = findRule(id), "alpha"
	if r.rule.there != nil {
		r.rule.there(&subject{w, tenant, nil}, r)
	}
	if r.rule.allThere != nil {
		r.rule.allThere(w, r)
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
		disk diskState
		want Severity // zero: nothing is found
	}{
		{"young", set, diskState{latest: dump(7)}, 0},
		{"old by the farm's own measure", set, diskState{latest: dump(8)}, Warning},
		{"the farm has no measure", unset, diskState{latest: dump(8)}, 0},
		{"old for any farm", unset, diskState{latest: dump(31)}, Note},
		{"never, but new", unset, diskState{row: ledger.Tenant{Changed: before(29)}}, 0},
		{"never", unset, diskState{row: ledger.Tenant{Changed: before(31)}}, Note},
		{"made by something else", &tenants.Farm{}, diskState{row: ledger.Tenant{Changed: before(999)}}, 0},
		{"damaged, which is found", set, diskState{damaged: errors.New("x"), latest: dump(99)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got Severity
			if found := of(t, "backup-old", c.farm, c.disk, farmState{}); len(found) > 0 {
				got = found[0].Severity
			}
			if got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
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
		"no APCu":    {func(p *php.Platform) { p.APCu = false }, "APCu is not loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			served := fine
			c.spoil(&served)
			found := of(t, "php-slow", &tenants.Farm{}, diskState{}, farmState{fpm: &served})
			if (len(found) > 0) != (c.want != "") || len(found) > 0 && !strings.Contains(found[0].Message, c.want) {
				t.Errorf("found %+v, want %q", found, c.want)
			}
		})
	}
}

// A rollback needs its release, unless something else has changed the wiki since.
func TestReleaseOfARollback(t *testing.T) {
	last := ledger.Upgrade{Backup: "/dump", OldRelease: 3, NewSet: "new"}
	if n := neededBy(last, ledger.Tenant{ComponentSet: "new"}); n != 3 {
		t.Errorf("needed is %d", n)
	}
	if n := neededBy(last, ledger.Tenant{ComponentSet: "newer"}); n != 0 {
		t.Errorf("after another change needed is %d", n)
	}
	last.Backup = ""
	if n := neededBy(last, ledger.Tenant{ComponentSet: "new"}); n != 0 {
		t.Errorf("without a dump needed is %d", n)
	}
}

// A codebase that a wiki still runs on is used, whatever is wanted.
func TestCodebaseUntilTheUpgrade(t *testing.T) {
	f := &tenants.Farm{Codebases: map[string]*tenants.Codebase{"old": {Name: "old"}}}
	for _, c := range []struct {
		there *Observed
		want  int
	}{
		{nil, 1},
		{&Observed{}, 1},
		{&Observed{ledger: map[string]ledger.Tenant{"alpha": {Codebase: "old"}}}, 0},
	} {
		r := newReporter(nil)
		r.rule = findRule("codebase-unused")
		unusedCodebases(&wanted{scope: scope{farm: f}, there: c.there}, r)
		if len(r.found) != c.want {
			t.Errorf("found %d with %+v", len(r.found), c.there)
		}
	}
}

// Only rules that are there have mends, and a report without findings has none.
func TestMends(t *testing.T) {
	for id := range mends {
		if findRule(id) == nil && id != "grant-missing" {
			t.Errorf("there is no rule %s", id)
		}
	}
	if list := Mends(&tenants.Farm{}, &Observed{}, Report{}); len(list) != 0 {
		t.Error(list)
	}
	d := diskState{halfDumps: []string{"/backups/a.half"}}
	found := of(t, "file-half", &tenants.Farm{}, d, farmState{})
	if len(found) != 1 || !slices.Equal(found[0].Tenants, []string{"alpha"}) {
		t.Fatalf("%+v", found)
	}
}
