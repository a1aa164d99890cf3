package ledger

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A dump by which an upgrade can be put back stays, whatever its age.
func TestNeededBackups(t *testing.T) {
	ended := sql.NullTime{Time: time.Unix(1, 0), Valid: true}
	got := NeededBackups([]Upgrade{
		{Tenant: "a", Phase: Upgraded, Ended: ended, Backup: "a1"},
		{Tenant: "b", Phase: Changing, Backup: "b1"}, // open, although a later one is there
		{Tenant: "a", Phase: Upgraded, Ended: ended, Backup: "a2"},
		{Tenant: "a", Phase: PutBack, Ended: ended, Backup: "a3", UndoBackup: "a3u"},
		{Tenant: "b", Phase: Upgraded, Ended: ended, Backup: "b2"},
		{Tenant: "c", Phase: Upgraded, Ended: ended},
	})
	if d := cmp.Diff(map[string]bool{"a2": true, "a3": true, "a3u": true, "b1": true, "b2": true}, got); d != "" {
		t.Error(d)
	}
}

// Old rows go, but for what a rollback needs and what an open upgrade or a tenant names.
func TestLedgerExpires(t *testing.T) {
	l := open(t)
	exec := func(text string, args ...any) {
		t.Helper()
		_, err := l.db.ExecContext(t.Context(), text, args...)
		must(t, err)
	}
	must(t, l.Claim(t.Context(), Tenant{Name: "kept", Server: "main", Database: "wiki_kept", State: Ready, Run: "k1"}))
	for _, run := range []string{"k1", "k2", "k3", "k4"} {
		exec(`INSERT INTO run (id, command, holder, started, finished) VALUES (?, 'x', 'x', '2020-01-01', '2020-01-01')`, run)
		for range 3 {
			exec(`INSERT INTO step (run, tenant, step, seconds, ended) VALUES (?, 'kept', 's', 1, '2020-01-01')`, run)
		}
	}
	exec(`INSERT INTO run (id, command, holder, started) VALUES ('k9', 'x', 'x', UTC_TIMESTAMP(3))`)
	exec(`INSERT INTO step (run, tenant, step, seconds, ended) VALUES ('k9', 'kept', 's', 1, UTC_TIMESTAMP(3))`)
	exec(`INSERT INTO session (server, connection, holder, since) VALUES ('kept', 1, 'x', '2020-01-01'), ('kept', 2, 'x', UTC_TIMESTAMP(3))`)
	for run, phase := range map[string]Phase{"k2": Upgraded, "k3": Upgraded, "k4": PutBack} {
		exec(`INSERT INTO upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, started, ended)
			VALUES (?, 'kept', ?, '', '', '', 1, '', '', '', CONCAT('2020-01-0', SUBSTRING(?, 2)), '2020-01-09')`, run, phase, run)
	}
	// k5 is a service that has not ended.
	exec(`INSERT INTO run (id, command, holder, started) VALUES ('k5', 'jobs', 'x', '2020-01-01')`)
	exec(`INSERT INTO step (run, tenant, step, seconds, ended) VALUES ('k5', 'kept', 'old', 1, '2020-01-01'), ('k5', 'kept', 's', 1, '2021-01-02')`)
	exec(`INSERT INTO session (server, connection, holder, since) VALUES ('kept', 3, 'x pid 1, run k5', '2020-01-01'), ('kept', 4, 'x pid 2, run k4', '2020-01-01')`)
	n, err := l.Expire(t.Context(), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))
	must(t, err)
	left := func(query string) int {
		var n int
		must(t, l.db.QueryRowContext(t.Context(), query).Scan(&n))
		return n
	}
	runs, steps := left(`SELECT COUNT(*) FROM run WHERE id LIKE 'k_'`), left(`SELECT COUNT(*) FROM step WHERE tenant = 'kept'`)
	upgrades, sessions := left(`SELECT COUNT(*) FROM upgrade WHERE tenant = 'kept'`), left(`SELECT COUNT(*) FROM session WHERE server = 'kept'`)
	// k2's upgrade is neither the latest nor what a rollback undoes; so its run goes, too.
	if runs != 5 || steps != 2 || upgrades != 2 || sessions != 2 || n < 17 {
		t.Errorf("%d runs, %d steps, %d upgrades, %d sessions are left; %d went", runs, steps, upgrades, sessions, n)
	}
	must(t, l.Forget(t.Context(), "kept"))
	exec(`DELETE FROM run WHERE id LIKE 'k_'`)
	exec(`DELETE FROM step WHERE tenant = 'kept'`)
	exec(`DELETE FROM session WHERE server = 'kept'`)
}
