package upgrade

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
)

// Every phase that an upgrade can be left in leads somewhere, whatever code is wanted
// and whether there is a dump.
func TestDecide(t *testing.T) {
	row := ledger.Upgrade{Run: "r1", Tenant: "w", OldVersion: "1.39.17", OldSet: "old", NewCodebase: "new", NewVersion: "1.43.9", NewSet: "new", Backup: "/dump"}
	wanted := map[string]string{"new": "1.43.9", "old": "1.39.17", "newer": "1.44.0"}
	cases := []struct {
		phase ledger.Phase
		set   string
		dump  bool
		want  way    // empty: a person has to do something
		says  string // what that is
	}{
		{ledger.Begun, "new", false, leave, ""},
		{ledger.Begun, "old", false, leave, ""},
		{ledger.Changing, "new", true, back, ""},
		{ledger.Changing, "new", false, rerun, ""},
		{ledger.Changing, "newer", false, rerun, ""},
		{ledger.Changing, "old", true, back, ""},
		{ledger.Changing, "old", false, "", "set its codebase to new again"},
		{ledger.Switching, "new", true, goOn, ""},
		{ledger.Switching, "new", false, goOn, ""},
		{ledger.Switching, "old", true, back, ""},
		{ledger.Switching, "old", false, "", "set its codebase to new again"},
		{ledger.Switching, "newer", false, rerun, ""},
		{ledger.Kept, "new", true, back, ""},
		{ledger.Kept, "new", false, rerun, ""},
		{ledger.Kept, "old", false, "", "set its codebase to new again"},
		{ledger.Opening, "new", false, open, ""},
		{ledger.Opening, "old", false, open, ""},
		{ledger.Undoing, "new", true, open, ""},
		{ledger.Undoing, "old", true, open, ""},
		{ledger.Restoring, "new", true, back, ""},
		{ledger.Restoring, "old", true, back, ""},
		{ledger.Restoring, "new", false, "", "bring /dump"},
		{ledger.Reopening, "new", false, reopen, ""},
		{ledger.Reopening, "old", false, reopen, ""},
	}
	for _, tc := range cases {
		row.Phase = tc.phase
		got, err := decide(row, tc.set, wanted[tc.set], func() error {
			if tc.dump {
				return nil
			}
			return errNoDump
		})
		if got != tc.want || (err == nil) != (tc.want != "") || err != nil && (!strings.Contains(err.Error(), tc.says) || !errors.Is(err, errNoDump)) {
			t.Errorf("%s, %s wanted, dump %v: %q, %v; want %q", tc.phase, tc.set, tc.dump, got, err, tc.want)
		}
	}
}

// A rollback of a rollback that was killed while it loaded a dump loads it again if it can't
// restore the earlier state: the updater would take half of a database for a whole one.
func TestDecideReloads(t *testing.T) {
	row := ledger.Upgrade{Run: "r1", Tenant: "w", NewCodebase: "new", NewVersion: "1.43.9", NewSet: "new", UndoBackup: "/dropped"}
	for _, phase := range []ledger.Phase{ledger.Changing, ledger.Kept} {
		for set, version := range map[string]string{"new": "1.43.9", "old": "1.39.17"} {
			row.Phase = phase
			if got, err := decide(row, set, version, func() error { return errNoDump }); got != load || err != nil {
				t.Errorf("%s, %s wanted: %q, %v", phase, set, got, err)
			}
		}
	}
	row.Phase, row.UndoneBy = ledger.Restoring, "r2"
	if got, err := decide(row, "new", "1.43.9", func() error { return errNoDump }); got != load || err != nil {
		t.Errorf("a rollback whose dump is lost: %q, %v", got, err)
	}
	row.Phase = ledger.Changing
	if got, _ := decide(row, "new", "1.43.9", func() error { return errNoDump }); got != rerun {
		t.Errorf("an upgrade that run r2 undid: %q", got)
	}
}

func TestSchemaProblem(t *testing.T) {
	cases := []struct {
		level             mediawiki.Level
		recorded, version string
		says              string // empty: it can be upgraded
	}{
		{"1.39", "1.39.17", "1.43.9", ""},
		{"1.43", "1.43.9", "1.43.9", ""},
		{"1.43", "1.43.9", "1.44.0", ""},
		{"1.43", "1.39.17", "1.39.17", "schema of MediaWiki 1.43, which 1.39.17"},
		{mediawiki.AfterAll, "1.44.0", "1.44.1", ""},
		{mediawiki.AfterAll, "1.44.0", "1.47.0", ""},
		{mediawiki.AfterAll, "1.46.1", "1.44.1", "schema of MediaWiki 1.46.1, which 1.44.1"},
		{mediawiki.AfterAll, "1.44.0", "1.43.9", "newer than 1.43, which 1.43.9"},
		{mediawiki.BeforeAll, "1.30.0", "1.43.9", "is older than 1.31, and MediaWiki 1.43.9 upgrades from 1.35 or later: upgrade it to 1.35 first, without wikictl"},
		{mediawiki.BeforeAll, "1.30.0", "1.39.17", "older than 1.31, and MediaWiki 1.39.17 upgrades from 1.31"},
		{"1.31", "1.34.0", "1.39.17", ""},
		{"1.31", "1.34.0", "1.43.9", "schema of MediaWiki 1.31, and 1.43.9 upgrades from 1.35 or later: upgrade it to 1.35 first, by codebase = \"lts\" or \"older\""},
		{"1.35", "1.35.13", "1.43.9", ""},
		{"1.38", "1.38.7", "1.47.0", "schema of MediaWiki 1.38, and 1.47.0 upgrades from 1.39 or later: upgrade it to 1.39 first, by codebase = \"lts\" or \"newer\" or \"older\""},
		{"1.39", "1.39.17", "1.47.0", ""},
		{"1.38", "1.38.7", "1.48.0", "upgrades from 1.39 or later"},
		{mediawiki.NoTables, "1.39.17", "1.43.9", "restore it"},
		{mediawiki.Foreign, "1.39.17", "1.43.9", "restore it"},
		{"MediaWiki with the table prefix mw_", "1.39.17", "1.43.9", "have the prefix mw_, which wikictl does not use: rename them"},
	}
	for _, tc := range cases {
		got := schemaProblem(tc.level, tc.recorded, &tenants.Codebase{Version: tc.version}, "wiki_w", map[string]*tenants.Codebase{
			"lts": {Version: "1.39.17"}, "newer": {Version: "1.43.9"}, "older": {Version: "1.40.1"}, "broken": {Version: "1.41.0", Faults: tenants.Problems{{}}},
		})
		if (got == "") != (tc.says == "") || !strings.Contains(got, tc.says) {
			t.Errorf("%s, recorded %s, to %s: %q, want %q", tc.level, tc.recorded, tc.version, got, tc.says)
		}
	}
}

// A repeated rollback never goes back further by itself.
func TestPick(t *testing.T) {
	past := sql.NullTime{Time: time.Unix(1, 0), Valid: true}
	at := func(run string, phase ledger.Phase, from, to string) ledger.Upgrade {
		return ledger.Upgrade{Run: run, Phase: phase, OldSet: from, NewSet: to, OldVersion: from, Backup: "/d", Ended: past}
	}
	opened := func(r ledger.Upgrade) ledger.Upgrade { r.Ended = sql.NullTime{}; return r }
	undone := func(r ledger.Upgrade, by string) ledger.Upgrade { r.UndoneBy = by; return r }
	dropped := func(r ledger.Upgrade) ledger.Upgrade { r.UndoBackup = "/u"; return r }
	first := at("r1", ledger.Upgraded, "39", "43")
	cases := []struct {
		name string
		rows []ledger.Upgrade // newest first
		w    Which
		set  string
		run  string // that is picked
		says string // else
	}{
		{"never upgraded", nil, Which{}, "39", "", "no upgrade to undo"},
		{"the newest", []ledger.Upgrade{first}, Which{}, "43", "r1", ""},
		{"changed since", []ledger.Upgrade{first}, Which{}, "44", "", "changed since"},
		{"repeated", []ledger.Upgrade{undone(at("r2", ledger.PutBack, "43", "44"), "r3"), first}, Which{}, "43", "", "put back by run r3; to go back further, to MediaWiki 39: --to r1"},
		{"failed and put back", []ledger.Upgrade{at("r2", ledger.PutBack, "43", "44"), first}, Which{}, "43", "", "put back by run r2; to go back further"},
		{"repeated, nothing before", []ledger.Upgrade{undone(at("r1", ledger.PutBack, "39", "43"), "r2")}, Which{}, "39", "", "no older upgrade to undo"},
		{"further, deliberately", []ledger.Upgrade{undone(at("r2", ledger.PutBack, "43", "44"), "r3"), first}, Which{To: "r1"}, "43", "r1", ""},
		{"further, over one that stands", []ledger.Upgrade{at("r2", ledger.Upgraded, "43", "44"), first}, Which{To: "r1"}, "44", "", "run r2 has upgraded it since"},
		{"further, to one that was put back", []ledger.Upgrade{undone(at("r2", ledger.PutBack, "43", "44"), "r3"), first}, Which{To: "r2"}, "43", "", "was undone by run r3"},
		{"a rollback that is undone", []ledger.Upgrade{dropped(undone(at("r2", ledger.PutBack, "43", "44"), "r3")), first}, Which{To: "r3"}, "43", "r2", ""},
		{"a rollback that dumped nothing", []ledger.Upgrade{undone(at("r2", ledger.PutBack, "43", "44"), "r3"), first}, Which{To: "r3"}, "43", "", "without a dump"},
		{"a rollback before another", []ledger.Upgrade{at("r4", ledger.Upgraded, "43", "44"), dropped(undone(at("r2", ledger.PutBack, "43", "44"), "r3"))}, Which{To: "r3"}, "44", "", "run r4 has upgraded it since"},
		{"a run that is the newest", []ledger.Upgrade{at("r2", ledger.Upgraded, "43", "44"), first}, Which{Run: "r2"}, "44", "r2", ""},
		{"a run that is not", []ledger.Upgrade{at("r2", ledger.Upgraded, "43", "44"), first}, Which{Run: "r1"}, "44", "", "run r2 has upgraded it since"},
		{"a run, and a later one was put back", []ledger.Upgrade{at("r2", ledger.PutBack, "43", "44"), first}, Which{Run: "r1"}, "43", "", "--to r1"},
		{"interrupted", []ledger.Upgrade{opened(at("r2", ledger.Restoring, "43", "44")), first}, Which{}, "44", "r2", ""},
		{"another is interrupted", []ledger.Upgrade{opened(at("r2", ledger.Begun, "43", "44")), first}, Which{To: "r1"}, "43", "", "run r2 did not finish"},
		{"unknown", []ledger.Upgrade{at("r2", ledger.Superseded, "43", "44"), first}, Which{}, "43", "", "not known"},
	}
	for _, tc := range cases {
		row, err := pick(tc.rows, tc.w, tc.set)
		if tc.run != "" && (err != nil || row.Run != tc.run) || tc.run == "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%s: %s, %v; want %q, %q", tc.name, row.Run, err, tc.run, tc.says)
		}
	}
}
