package ledger

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants/mariadb"
)

func farmOf(digit, dir string, has ...string) Farm {
	return Farm{ID: strings.Repeat(digit, 16), Dir: dir, Machine: "here",
		Owns: func(tenant string) bool { return slices.Contains(has, tenant) }}
}

func openFarm(t *testing.T, f Farm) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), shared, f)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// noLedgers drops every ledger, before and after a test of their beginnings.
func noLedgers(t *testing.T) {
	t.Helper()
	drop := func() {
		for _, name := range column(t, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wikictl%'") {
			must(t, shared.DropDatabase(context.Background(), name))
		}
	}
	drop()
	t.Cleanup(drop)
}

// before makes the ledger of version 0.1.0: no farm, and two upgrades.
func before(t *testing.T, tenants ...string) {
	t.Helper()
	l := openFarm(t, farmOf("e", "/e"))
	for _, name := range tenants {
		must(t, l.Claim(t.Context(), Tenant{Name: name, Server: "main", Database: "wiki_" + name, State: Ready, Run: "r-" + name}))
		must(t, l.StartRun(t.Context(), Run{ID: "r-" + name, Command: "upgrade"}))
		_, err := l.BeginUpgrade(t.Context(), Upgrade{Run: "r-" + name, Tenant: name})
		must(t, err)
		must(t, exec1(t, shared, "INSERT INTO wikictl.farm_sql VALUES ('"+name+"', '1.sql', '', '')"))
	}
	must(t, exec1(t, shared, "ALTER TABLE wikictl.upgrade DROP KEY one_open, DROP COLUMN open_tenant, DROP COLUMN number"))
	must(t, exec1(t, shared, "INSERT INTO wikictl.upgrade SELECT * FROM (SELECT 'r-0' AS run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, new_release, backup, backup_bytes, '2001-01-01' AS started, opened, ended, error, undone_by, undo_backup FROM wikictl.upgrade) AS u"))
	must(t, exec1(t, shared, "ALTER TABLE wikictl.upgrade DROP COLUMN undone_by, DROP COLUMN undo_backup"))
	must(t, exec1(t, shared, "DROP TABLE wikictl.farm"))
	must(t, exec1(t, shared, "ALTER DATABASE wikictl COMMENT ''"))
	must(t, exec1(t, shared, "DELETE FROM wikictl.wikictl_migration WHERE name > '0003'"))
}

func namesIn(t *testing.T, l *Ledger) string {
	t.Helper()
	rows, err := l.Tenants(t.Context())
	must(t, err)
	var names []string
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestTwoFarmsHaveALedgerEach(t *testing.T) {
	noLedgers(t)
	a, b := openFarm(t, farmOf("a", "/a")), openFarm(t, farmOf("b", "/b"))
	for _, l := range []*Ledger{a, b} {
		must(t, l.Claim(t.Context(), Tenant{Name: "same", Server: "main", Database: l.Database, State: Ready}))
		must(t, l.StartRun(t.Context(), Run{ID: "same", Command: "create"}))
	}
	must(t, a.Forget(t.Context(), "same"))
	must(t, a.FinishRun(t.Context(), Run{ID: "same"}))
	if row, found, err := b.Tenant(t.Context(), "same"); err != nil || !found || row.Database != b.Database {
		t.Errorf("b has %v %v %v", row, found, err)
	}
	if open, err := b.OpenRuns(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("b's open runs are %v %v", open, err)
	}
	again := openFarm(t, farmOf("b", "/moved"))
	if namesIn(t, again) != "same" || namesIn(t, openFarm(t, farmOf("a", "/a"))) != "" {
		t.Error("a farm did not find its own ledger again")
	}
	farms, err := shared.Farms(t.Context())
	must(t, err)
	if len(farms) != 2 || !slices.ContainsFunc(farms, func(f mariadb.FarmRow) bool { return f.Dir == "/moved" && f.Database == b.Database }) {
		t.Errorf("farms are %v", farms)
	}
}

func TestLedgerOf010BelongsToFarmWithSecrets(t *testing.T) {
	t.Run("all of it", func(t *testing.T) {
		noLedgers(t)
		before(t, "x", "y")
		if l := openFarm(t, farmOf("a", "/a", "x", "y")); l.Database != mariadb.LedgerDatabase || namesIn(t, l) != "x y" {
			t.Errorf("%s has %s", l.Database, namesIn(t, l))
		}
	})
	t.Run("a part each", func(t *testing.T) {
		noLedgers(t)
		before(t, "x", "y", "z")
		a := openFarm(t, farmOf("a", "/a", "x"))
		if a.Database == mariadb.LedgerDatabase || namesIn(t, a) != "x" {
			t.Errorf("%s has %s", a.Database, namesIn(t, a))
		}
		open, err := a.OpenUpgrades(t.Context())
		must(t, err)
		seen, err := a.FarmSQL(t.Context())
		must(t, err)
		runs, err := a.Runs(t.Context(), 9)
		must(t, err)
		if len(open) != 1 || open["x"].Run != "r-x" || len(seen) != 1 || len(runs) != 1 {
			t.Errorf("a has %v, %v, %v", open, seen, runs)
		}
		if c := openFarm(t, farmOf("c", "/c")); namesIn(t, c) != "" {
			t.Errorf("a farm without secrets has %s", namesIn(t, c))
		}
		if b := openFarm(t, farmOf("b", "/b", "y", "z")); namesIn(t, b) != "y z" {
			t.Errorf("%s has %s", b.Database, namesIn(t, b))
		}
		if again := openFarm(t, farmOf("a", "/a", "x")); namesIn(t, again) != "x" {
			t.Errorf("a has %s", namesIn(t, again))
		}
	})
}

func TestALostIdentityIsNotMadeAgain(t *testing.T) {
	noLedgers(t)
	openFarm(t, farmOf("a", "/a"))
	f, kept := farmOf("b", "/a"), false
	f.Keep = func() error { kept = true; return nil }
	if _, err := Open(t.Context(), shared, f); !errors.Is(err, ErrLostIdentity) || kept || !strings.Contains(err.Error(), strings.Repeat("a", 16)) {
		t.Errorf("%v, kept: %v", err, kept)
	}
	f = farmOf("", "/a")
	f.ID = ""
	if _, err := Read(t.Context(), shared, f); !errors.Is(err, ErrLostIdentity) {
		t.Error(err)
	}
	f = farmOf("b", "/b")
	f.Keep = func() error { kept = true; return nil }
	l, err := Open(t.Context(), shared, f)
	must(t, err)
	l.Close()
	if !kept {
		t.Error("the identity of another farm was not kept")
	}
}

// A farm whose ledger is on another server gets none here, nor is it taken for a new farm.
func TestALedgerElsewhereIsNotMadeAgain(t *testing.T) {
	noLedgers(t)
	elsewhere := errors.New("it is on another server")
	f := farmOf("a", "/a")
	f.Missing = func(context.Context) error { return elsewhere }
	if _, err := Open(t.Context(), shared, f); !errors.Is(err, elsewhere) {
		t.Errorf("opened: %v", err)
	}
	if _, err := Read(t.Context(), shared, f); !errors.Is(err, elsewhere) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: %v", err)
	}
	f.Missing = nil
	openFarm(t, f)
	f.Missing = func(context.Context) error { return elsewhere }
	openFarm(t, f)
}

func TestLedgersOfOtherVersions(t *testing.T) {
	read := func(f Farm) error {
		l, err := Read(t.Context(), shared, f)
		if err == nil {
			l.Close()
		}
		return err
	}
	noLedgers(t)
	a := farmOf("a", "/a", "x")
	if err := read(a); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	before(t, "x")
	if err := read(farmOf("b", "/b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a stranger: %v", err)
	}
	if err := read(a); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "wikictl create") {
		t.Errorf("of 0.1.0: %v", err)
	}
	openFarm(t, a)
	must(t, read(a))
	must(t, exec1(t, shared, "UPDATE wikictl.wikictl_migration SET ended = NULL WHERE name = '0003_farm.sql'"))
	if err := read(a); !errors.Is(err, ErrVersion) {
		t.Errorf("half migrated: %v", err)
	}
	openFarm(t, a)
	must(t, read(a))
	must(t, exec1(t, shared, "INSERT INTO wikictl.wikictl_migration VALUES ('9999_later.sql', '', UTC_TIMESTAMP(3))"))
	must(t, exec1(t, shared, "DELETE FROM wikictl.wikictl_migration WHERE name = '0002_upgrade.sql'"))
	if err := read(a); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "9999_later.sql") {
		t.Errorf("a newer one, read: %v", err)
	}
	if _, err := Open(t.Context(), shared, a); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer one, opened: %v", err)
	}
	if slices.Contains(column(t, "SELECT name FROM wikictl.wikictl_migration"), "0002_upgrade.sql") {
		t.Error("an older program wrote into a newer ledger")
	}
}

func TestADatabaseWikictlOfSomebodyElse(t *testing.T) {
	noLedgers(t)
	must(t, exec1(t, shared, "CREATE DATABASE wikictl"))
	must(t, exec1(t, shared, "CREATE TABLE wikictl.notes (a INT)"))
	if l := openFarm(t, farmOf("a", "/a")); l.Database == mariadb.LedgerDatabase {
		t.Error("the ledger is in it")
	}
	tables, err := shared.Tables(t.Context(), mariadb.LedgerDatabase)
	must(t, err)
	if len(tables) != 1 {
		t.Errorf("it has %v", tables)
	}
}

// Another program may have a database that is called as a farm's ledger.
func TestALedgerIsKnownByItsColumns(t *testing.T) {
	noLedgers(t)
	must(t, exec1(t, shared, "CREATE DATABASE wikictl_0123456789abcdef"))
	must(t, exec1(t, shared, "CREATE TABLE wikictl_0123456789abcdef.farm (cows INT)"))
	must(t, exec1(t, shared, "CREATE DATABASE wikictl"))
	must(t, exec1(t, shared, "CREATE TABLE wikictl.farm (id INT, dir INT, machine INT)"))
	l := openFarm(t, farmOf("a", "/a"))
	if l.Database != mariadb.LedgerDatabase+"_"+strings.Repeat("a", 16) {
		t.Errorf("the ledger is in %s", l.Database)
	}
	farms, err := shared.Farms(t.Context())
	if err != nil || len(farms) != 1 {
		t.Error(farms, err)
	}
}

// A ledger that two farms find at the same moment stays the first one's.
func TestALedgerIsClaimedOnce(t *testing.T) {
	noLedgers(t)
	l := openFarm(t, farmOf("a", "/a"))
	conn, err := l.db.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	if err := claim(t.Context(), conn, farmOf("b", "/b")); err == nil || !strings.Contains(err.Error(), "/a") {
		t.Errorf("b claims a's ledger: %v", err)
	}
	if owner := column(t, "SELECT dir FROM "+mariadb.Quote(l.Database)+".farm"); len(owner) != 1 || owner[0] != "/a" {
		t.Errorf("the ledger belongs to %v", owner)
	}
}
