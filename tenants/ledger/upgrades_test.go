package ledger

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"wikictl/migrations"
	"wikictl/tenants/mariadb"
)

// begin writes an upgrade of a tenant that the ledger knows.
func begin(t *testing.T, l *Ledger, tenant, run string) Upgrade {
	t.Helper()
	must(t, l.Claim(t.Context(), Tenant{Name: tenant, Server: "main", Database: "wiki_" + tenant, State: Ready, Run: "r0"}))
	t.Cleanup(func() { l.Forget(context.Background(), tenant) })
	r, err := l.BeginUpgrade(t.Context(), Upgrade{Run: run, Tenant: tenant, OldVersion: "1.39.17", NewVersion: "1.43.9"})
	must(t, err)
	return r
}

// historyOf returns the upgrades of a tenant in the order in which they began.
func historyOf(t *testing.T, l *Ledger, tenant string) []Upgrade {
	t.Helper()
	all, err := l.History(t.Context())
	must(t, err)
	return slices.DeleteFunc(all, func(r Upgrade) bool { return r.Tenant != tenant })
}

// One upgrade of a tenant is open at most, and one that has ended is not opened
// again beside it.
func TestOneOpenUpgrade(t *testing.T) {
	l := open(t)
	first := begin(t, l, "one", "r1")
	if _, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r2", Tenant: "one"}); !errors.Is(err, ErrOpen) {
		t.Errorf("a second open upgrade: %v", err)
	}
	if _, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r1", Tenant: "one"}); !errors.Is(err, ErrOpen) {
		t.Errorf("the same run again: %v", err)
	}
	if rows, _ := l.Upgrades(t.Context(), "r1"); len(rows) != 1 || rows[0].OldVersion != "1.39.17" {
		t.Errorf("the open row was replaced: %+v", rows)
	}
	ended, err := l.EndUpgrade(t.Context(), first, Upgraded)
	must(t, err)
	second, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r2", Tenant: "one"})
	must(t, err)
	if _, err := l.SetPhase(t.Context(), ended, Undoing); !errors.Is(err, ErrOpen) {
		t.Errorf("an older one was opened beside it: %v", err)
	}
	_, err = l.EndUpgrade(t.Context(), second, PutBack)
	must(t, err)
	all := historyOf(t, l, "one")
	upgraded, err := l.LastUpgraded(t.Context())
	must(t, err)
	if last := all[len(all)-1]; last.Run != "r2" || last.Phase != PutBack || upgraded["one"].Run != "r1" {
		t.Errorf("newest %+v, newest that stands %+v", last, upgraded["one"])
	}

	// The order is that of the beginnings, also after a clock was set back.
	_, err = l.db.ExecContext(t.Context(), `UPDATE upgrade SET started = started + INTERVAL 1 DAY, ended = '2020-01-01' WHERE tenant = 'one'`)
	must(t, err)
	third, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r0", Tenant: "one"})
	must(t, err)
	_, err = l.EndUpgrade(t.Context(), third, Upgraded)
	must(t, err)
	_, err = l.db.ExecContext(t.Context(), `UPDATE upgrade SET ended = '2020-01-01' WHERE run = 'r0'`)
	must(t, err)
	_, err = l.Expire(t.Context(), time.Now())
	must(t, err)
	if upgraded, err = l.LastUpgraded(t.Context()); err != nil || upgraded["one"].Run != "r0" {
		t.Errorf("%v: after a clock was set back the newest is %+v", err, upgraded["one"])
	}
	if own := historyOf(t, l, "one"); len(own) != 1 || own[0].Run != "r0" {
		t.Errorf("of the history stay %+v", own)
	}
}

// A phase is written only over the phase that the run left.
func TestPhasesAreClaimed(t *testing.T) {
	l := open(t)
	mine := begin(t, l, "two", "r1")
	mine.Backup = "/dump"
	moved, err := l.SetPhase(t.Context(), mine, Changing)
	must(t, err)
	if moved, err = l.SetPhase(t.Context(), moved, Changing); err != nil { // nothing changes, and it is no error
		t.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"SetPhase":      func() error { _, err := l.SetPhase(t.Context(), mine, Kept); return err },
		"CommitUpgrade": func() error { _, err := l.CommitUpgrade(t.Context(), mine, nil); return err },
		"RevertUpgrade": func() error { _, err := l.RevertUpgrade(t.Context(), mine); return err },
		"EndUpgrade":    func() error { _, err := l.EndUpgrade(t.Context(), mine, PutBack); return err },
	} {
		if err := write(); !errors.Is(err, ErrStale) {
			t.Errorf("%s over another run's phase: %v", name, err)
		}
	}
	stranger := moved
	stranger.Run = "r9"
	if _, err := l.SetPhase(t.Context(), stranger, Kept); !errors.Is(err, ErrStale) {
		t.Errorf("a row that is not there: %v", err)
	}
	got, open, err := l.OpenUpgrade(t.Context(), "two")
	if err != nil || !open || got.Phase != Changing || got.Backup != "/dump" {
		t.Errorf("%v %v %+v", err, open, got)
	}
	must(t, l.Forget(t.Context(), "two"))
	if _, err := l.CommitUpgrade(t.Context(), moved, nil); !errors.Is(err, ErrStale) {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

// Of two open upgrades that an earlier wikictl left the older one is ended, and the
// migration can be repeated.
func TestOlderOpenUpgradesEnd(t *testing.T) {
	database(t, "older_ledger")
	conn, err := shared.Dedicated(t.Context(), "older_ledger", false)
	must(t, err)
	defer conn.Close()
	text := func(name string) []string {
		data, err := fs.ReadFile(migrations.Control(), name)
		must(t, err)
		statements, err := migrations.Split(string(data))
		must(t, err)
		return statements
	}
	apply := func(name string) {
		for _, s := range text(name) {
			_, err := conn.ExecContext(t.Context(), s)
			must(t, err)
		}
	}
	apply("0002_upgrade.sql")
	_, err = conn.ExecContext(t.Context(), `INSERT INTO upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, started, ended)
		VALUES ('a', 'w', 'changing', '', '', '', 0, '', '', '', '2026-01-01', NULL), ('b', 'w', 'restoring', '', '', '', 0, '', '', '', '2026-01-02', NULL),
		('c', 'w', 'upgraded', '', '', '', 0, '', '', '', '2026-01-03', '2026-01-03'), ('a', 'x', 'changing', '', '', '', 0, '', '', '', '2026-01-01', NULL)`)
	must(t, err)
	apply("0004_upgrade_open.sql")
	apply("0004_upgrade_open.sql")
	rows, err := conn.QueryContext(t.Context(), `SELECT CONCAT(tenant, run, phase) FROM upgrade WHERE ended IS NULL ORDER BY 1`)
	must(t, err)
	if open, err := mariadb.Column[string](rows); err != nil || len(open) != 2 || open[0] != "wbrestoring" || open[1] != "xachanging" {
		t.Errorf("%v %v", err, open)
	}
}
