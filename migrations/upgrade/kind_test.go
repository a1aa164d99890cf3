package upgrade

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// planned is a tenant that goes from one code to another.
func planned(name string, update float64) *Planned {
	c := &tenants.Codebase{Name: "1.43", Version: "1.43.9", Fingerprint: func() string { return "new" }}
	return &Planned{
		Name: name, Forecast: forecast.Phases{Update: update}, code: true,
		tenant: &tenants.Tenant{Name: name, Codebase: c}, row: ledger.Tenant{ComponentSet: "old"},
	}
}

// A rehearsal has to save more time than it takes.
func TestRehearsalPays(t *testing.T) {
	many := func(n int, update float64) (list []*Planned) {
		for i := range n {
			list = append(list, planned(fmt.Sprint("w", i), update))
		}
		return list
	}
	same := many(60, 1)
	for _, j := range same {
		j.row.ComponentSet = j.tenant.ComponentSet(j.tenant.Codebase)
	}
	cases := []struct {
		name string
		list []*Planned
		want bool
	}{
		{"one small wiki", many(1, 1), false}, {"a few", many(10, 1), false}, {"enough", many(20, 1), true}, {"many", many(60, 1), true},
		{"one with large tables", many(1, 3600), true}, {"many whose updater only asks", same, false}, {"none", nil, false},
	}
	for _, tc := range cases {
		if got := pays(tc.list); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Only what code threw by itself makes it broken: not what a server, a limit or a row did.
func TestBrokenCode(t *testing.T) {
	job := func(why, tail string) error {
		return fmt.Errorf("w: %w", &php.JobError{Script: "update.php", Why: why, Tail: tail})
	}
	cases := []struct {
		name string
		err  error
		want string
	}{
		{"no error", nil, ""},
		{"another error", errors.New("Error: no"), ""},
		{"thrown", job("exit 1", `[0123456789abcdef] [no req]   Error: Class "Missing" not found | Backtrace: | from /x.php(1)`), `Error: Class "Missing" not found `},
		{"autoload", job("exit 255", `PHP Fatal error:  Uncaught Error: Failed opening required 'x.php' in /x/autoload.php:1`), `Fatal error:  Uncaught Error: Failed opening required 'x.php' in /x/autoload.php:1`},
		{"parse error", job("exit 255", `PHP Parse error:  syntax error, unexpected '}' in /x.php on line 3`), `Parse error:  syntax error, unexpected '}' in /x.php on line 3`},
		{"a statement", job("exit 1", `Wikimedia\Rdbms\DBQueryError: Error 1091: Can't DROP INDEX`), ""},
		{"memory", job("exit 255", `PHP Fatal error:  Allowed memory size of 1 bytes exhausted`), ""},
		{"a limit", job("did not end within 5m0s", `Error: late`), ""},
		{"killed", job("killed by signal 9", `Error: late`), ""},
		{"nothing said", job("exit 1", "done"), ""},
	}
	for _, tc := range cases {
		if got := brokenCode(tc.err); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// Broken code is said by the same words for all wikis, whatever their kinds; what one
// wiki alone has may be its own fault.
func TestBrokenCodeIsReportedOnce(t *testing.T) {
	fail := func(request, what string) error {
		return &php.JobError{Script: "update.php", Why: "exit 1", Tail: "[" + request + "] Error: " + what}
	}
	kinds := []*kind{
		{fingerprint: "1", tenants: []*Planned{planned("a", 1), planned("b", 1)}}, {fingerprint: "2", tenants: []*Planned{planned("c", 1)}},
		{fingerprint: "3", tenants: []*Planned{planned("d", 1)}}, {fingerprint: "4", tenants: []*Planned{planned("e", 1)}},
	}
	blockBroken(kinds, map[string]error{
		"a": fail("12", "all"), "b": fail("12", "all"), "c": fail("34", "all"), "d": fail("56", "its own"),
		"e": errors.New("the server is full"),
	})
	p := &Plan{}
	for _, k := range kinds {
		p.Tenants = append(p.Tenants, k.tenants...)
	}
	text := (&BlockedError{p.stopping()}).Error()
	if !strings.Contains(text, "\na, b, c: codebase 1.43 can't upgrade") || strings.Count(text, "\n") != 1 {
		t.Errorf("%s", text)
	}
	if d := p.Tenants[3]; len(d.Problems) != 1 || d.own != 1 || len(p.Tenants[4].Problems) > 0 {
		t.Errorf("%+v, %+v", d, p.Tenants[4])
	}
}

// A fault of code that several wikis run is reported once, and a fault of one wiki for that wiki.
func TestSameReasonBlocksOnce(t *testing.T) {
	list := []*Planned{planned("a", 1), planned("b", 1), planned("c", 1), planned("d", 1)}
	warm := map[string]error{"a": errors.New("no autoload"), "b": errors.New("no autoload"), "c": errors.New("its own")}
	blockAlike(list, warm)
	text := (&BlockedError{(&Plan{Tenants: list}).stopping()}).Error()
	if !strings.HasSuffix(text, "\na, b: no autoload") || len(list[2].Problems)+len(list[3].Problems) > 0 {
		t.Error(text)
	}
	if !same(map[string]error{"a": warm["a"], "b": warm["b"]}) || same(warm) {
		t.Error("errors are not told apart by their texts")
	}
}

// A rehearsal by settings that name another database would change that one.
func TestLeadsElsewhere(t *testing.T) {
	settings := func(name string, value any) map[string]tenants.Value {
		return map[string]tenants.Value{"wgLogo": {Data: "/x.png"}, name: {Data: value}}
	}
	cases := []struct {
		name  string
		value any
		want  bool
	}{
		{"wgCargoDBname", "cargo", true}, {"wgCargoDBuser", "root", true}, {"wgEchoCluster", "extension1", true}, {"wgSharedTables", []tenants.Value{}, true},
		{"wgEchoCluster", false, false}, {"wgDBssl", true, false}, {"wgMainCacheType", "x", false}, {"wgCargoDBname", "", false},
	}
	for _, tc := range cases {
		if got := leadsElsewhere(settings(tc.name, tc.value)); (got == tc.name) != tc.want {
			t.Errorf("%s = %v: %q", tc.name, tc.value, got)
		}
	}
}

// Of many tenants that look alike a few from all over the list are compared, and each stays
// in the group once; of few all are.
func TestSampleOfAlikeTenants(t *testing.T) {
	for _, n := range []int{1, comparedAll, comparedAll + 1, 50} {
		var group []*Planned
		for i := range n {
			group = append(group, planned(fmt.Sprintf("w%02d", i), 1))
		}
		var firsts, all []string
		for _, j := range sample(group) {
			firsts = append(firsts, j.Name)
		}
		for _, j := range group {
			all = append(all, j.Name)
		}
		if want := min(n, sampled); n > comparedAll && len(firsts) != want || n <= comparedAll && len(firsts) != n {
			t.Errorf("of %d: %v", n, firsts)
		}
		if !slices.Equal(firsts, all[:len(firsts)]) || n == 50 && !slices.Equal(firsts, []string{"w00", "w12", "w25", "w37"}) {
			t.Errorf("of %d: %v, not the first of %v", n, firsts, all)
		}
		// The first of the sample can't be read, if there is another.
		k := &kind{tenants: slices.Clone(group[min(1, n-1):len(firsts)])}
		join(group, map[*Planned]*kind{k.tenants[0]: k})
		if want := n - min(1, n-1); len(k.tenants) != want {
			t.Errorf("of %d: the kind has %d tenants, want %d", n, len(k.tenants), want)
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != n {
			t.Errorf("of %d: the group is %v", n, all)
		}
	}
}

// Caches come and go; any other row that does is a change.
func TestSameRows(t *testing.T) {
	before := map[string]int64{"page": 3, "updatelog": 7, "objectcache": 9}
	cases := []struct {
		name  string
		after map[string]int64
		want  bool
	}{
		{"the same", map[string]int64{"page": 3, "updatelog": 7, "objectcache": 9}, true},
		{"an emptied cache", map[string]int64{"page": 3, "updatelog": 7, "objectcache": 0}, true},
		{"an update that was made", map[string]int64{"page": 3, "updatelog": 8, "objectcache": 9}, false},
		{"a page less", map[string]int64{"page": 2, "updatelog": 7, "objectcache": 9}, false},
		{"a new table", map[string]int64{"page": 3, "updatelog": 7, "objectcache": 9, "block": 0}, false},
		{"another table", map[string]int64{"block": 3, "updatelog": 7, "objectcache": 9}, false},
	}
	for _, tc := range cases {
		if got := sameRows(before, tc.after); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
