package ledger

import (
	"errors"
	"testing"
)

// A tenant's rows go under its new name, its dumps' files too, and no other's.
func TestLedgerRenamesAndForgets(t *testing.T) {
	l := open(t)
	for _, name := range []string{"old", "older"} {
		must(t, l.Claim(t.Context(), Tenant{Name: name, Server: "main", Database: "wiki_" + name, State: Ready, Run: "r1"}))
		u, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r1", Tenant: name})
		must(t, err)
		u.Backup = "/state/backups/" + name + "/r1.sql.zst"
		u.UndoBackup = "/state/backups/" + name + "/r0.sql.zst"
		u, err = l.CommitUpgrade(t.Context(), u, map[string]string{"1.sql": "sum"})
		must(t, err)
		_, err = l.EndUpgrade(t.Context(), u, Upgraded)
		must(t, err)
	}
	must(t, l.Rename(t.Context(), "old", "new", "r2", "/state/backups/old", "/state/backups/new"))
	if err := l.Rename(t.Context(), "old", "new", "r3", "/state/backups/old", "/state/backups/new"); !errors.Is(err, ErrStale) {
		t.Errorf("what is not there was renamed: %v", err)
	}
	rows, err := l.Tenants(t.Context())
	must(t, err)
	if _, still := rows["old"]; still || rows["new"].Database != "wiki_old" || rows["new"].Run != "r2" || rows["older"].Run != "r1" {
		t.Errorf("%+v", rows)
	}
	upgrades, err := l.Upgrades(t.Context(), "r1")
	must(t, err)
	seen, err := l.FarmSQL(t.Context())
	must(t, err)
	if len(upgrades) != 2 || upgrades[0].Backup != "/state/backups/new/r1.sql.zst" || upgrades[0].UndoBackup != "/state/backups/new/r0.sql.zst" || upgrades[1].Backup != "/state/backups/older/r1.sql.zst" || seen["new"]["1.sql"] != "sum" {
		t.Errorf("%+v %v", upgrades, seen)
	}
	for range 2 {
		must(t, l.Forget(t.Context(), "new"))
	}
	upgrades, err = l.Upgrades(t.Context(), "r1")
	must(t, err)
	seen, err = l.FarmSQL(t.Context())
	must(t, err)
	if _, still, err := l.Tenant(t.Context(), "new"); still || err != nil || len(upgrades) != 1 || len(seen) != 1 {
		t.Errorf("%v %+v %v", err, upgrades, seen)
	}
	must(t, l.Forget(t.Context(), "older"))
}
