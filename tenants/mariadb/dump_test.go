package mariadb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// A restored database is what was dumped, with nothing made since, and no other
// database is touched.
func TestRestoreIsExact(t *testing.T) {
	database(t, "dump_a")
	database(t, "dump_b")
	for _, query := range []string{
		"CREATE TABLE dump_a.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARBINARY(300), x DOUBLE) DEFAULT CHARSET=binary",
		"INSERT INTO dump_a.t (v, x) VALUES ('\\0\\'\"\\\\\\n\xf0\x9f\x98\x80\xff', 0.1), (NULL, NULL), (REPEAT('x', 300), 1e300)",
		"CREATE TABLE dump_a.empty (id INT)",
		"CREATE TRIGGER dump_a.grow BEFORE INSERT ON dump_a.empty FOR EACH ROW SET NEW.id = 5",
		"CREATE PROCEDURE dump_a.nothing() SELECT 1",
		"CREATE TABLE dump_b.t (id INT)",
		"INSERT INTO dump_b.t VALUES (7)",
	} {
		must(t, exec1(t, shared, query))
	}
	other, err := shared.Contents(t.Context(), "dump_b")
	must(t, err)
	b, err := shared.Dump(t.Context(), "dump_a", filepath.Join(t.TempDir(), "d", "one"), tenants.Backup{})
	must(t, err)
	if b.Tables["t"].Rows != 3 || len(b.Tables) != 2 {
		t.Errorf("%+v", b)
	}
	for _, query := range []string{"INSERT INTO dump_a.t (v) VALUES ('four'), ('five')", "DELETE FROM dump_a.t WHERE id = 2", "ALTER TABLE dump_a.t ADD y INT", "DROP TABLE dump_a.empty", "CREATE TABLE dump_a.since (id INT)"} {
		must(t, exec1(t, shared, query))
	}
	read, err := backup.Open(b.File)
	must(t, err)
	must(t, shared.Restore(t.Context(), read, sure))
	found, err := shared.Contents(t.Context(), "dump_a")
	must(t, err)
	if d := cmp.Diff(b.Tables, found); d != "" {
		t.Errorf("restored (-dumped +found):\n%s", d)
	}
	must(t, exec1(t, shared, "INSERT INTO dump_a.t (v) VALUES ('next')"))
	var next int
	if err := shared.db.QueryRowContext(t.Context(), "SELECT MAX(id) FROM dump_a.t").Scan(&next); err != nil || next != 6 {
		t.Errorf("the number %d is given again, %v", next, err)
	}
	must(t, exec1(t, shared, "CALL dump_a.nothing()"))
	must(t, exec1(t, shared, "INSERT INTO dump_a.empty VALUES (1)"))
	var grown int
	if err := shared.db.QueryRowContext(t.Context(), "SELECT id FROM dump_a.empty").Scan(&grown); err != nil || grown != 5 {
		t.Errorf("the trigger was not restored: %d, %v", grown, err)
	}
	after, err := shared.Contents(t.Context(), "dump_b")
	must(t, err)
	if d := cmp.Diff(other, after); d != "" {
		t.Errorf("the other database changed:\n%s", d)
	}
}

// sure is for a test whose locks can't be lost.
func sure() error { return nil }

// Nothing is dropped when the caller's lock is lost.
func TestRestoreAsksBeforeItDrops(t *testing.T) {
	database(t, "dump_l")
	must(t, exec1(t, shared, "CREATE TABLE dump_l.t (id INT)"))
	b, err := shared.Dump(t.Context(), "dump_l", filepath.Join(t.TempDir(), "l"), tenants.Backup{})
	must(t, err)
	must(t, exec1(t, shared, "INSERT INTO dump_l.t VALUES (1)"))
	for _, at := range []int{1, 2} {
		asked := 0
		err := shared.Restore(t.Context(), b, func() error {
			if asked++; asked == at {
				return errors.New("lost")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "nothing was dropped: lost") {
			t.Errorf("question %d: %v", at, err)
		}
	}
	if found, err := shared.Contents(t.Context(), "dump_l"); err != nil || found["t"].Rows != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// The farm's own commands make a dump and bring it back, and what they bring back
// is compared with what was there.
func TestOperatorsDump(t *testing.T) {
	database(t, "dump_o")
	for _, query := range []string{"CREATE TABLE dump_o.t (id INT)", "INSERT INTO dump_o.t VALUES (1), (2)"} {
		must(t, exec1(t, shared, query))
	}
	by := tenants.Backup{
		Dump:    []string{"sh", "-c", "mariadb-dump --defaults-file={options} {database} > {file}"},
		Restore: []string{"sh", "-c", "mariadb --defaults-file={options} {database} < {file}"},
	}
	base := filepath.Join(t.TempDir(), "o")
	b, err := shared.Dump(t.Context(), "dump_o", base, by)
	must(t, err)
	if info, err := os.Stat(base + ".dump"); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	must(t, exec1(t, shared, "DELETE FROM dump_o.t WHERE id = 1"))
	read, err := backup.Open(b.File)
	must(t, err)
	must(t, shared.Restore(t.Context(), read, sure))
	if found, err := shared.Contents(t.Context(), "dump_o"); err != nil || found["t"].Rows != 2 {
		t.Errorf("%v, %v", found, err)
	}
	read.Restore = []string{"sh", "-c", "head -n 5 {file} | mariadb --defaults-file={options} {database}"}
	if err := shared.Restore(t.Context(), read, sure); err == nil {
		t.Error("a restore that leaves something out counts as one")
	}
	for _, dump := range []string{"exit 3", "true", ": > {file}"} {
		by.Dump = []string{"sh", "-c", dump}
		base := filepath.Join(t.TempDir(), "bad")
		if _, err := shared.Dump(t.Context(), "dump_o", base, by); err == nil {
			t.Errorf("%q counts as a dump", dump)
		}
		if left, _ := filepath.Glob(base + "*"); len(left) > 0 {
			t.Errorf("%q leaves %v", dump, left)
		}
	}
	must(t, os.WriteFile(b.File, []byte("damaged"), 0o600))
	if err := shared.Restore(t.Context(), b, sure); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
	must(t, backup.Remove(base))
	if left, _ := filepath.Glob(base + "*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A dump that is damaged is refused before anything is dropped.
func TestDamagedDumpIsRefused(t *testing.T) {
	database(t, "dump_c")
	must(t, exec1(t, shared, "CREATE TABLE dump_c.t (id INT)"))
	for name, damage := range map[string]func(data []byte) []byte{
		"cut short":   func(data []byte) []byte { return data[:len(data)-9] },
		"one bit":     func(data []byte) []byte { data[len(data)/2] ^= 1; return data },
		"more at end": func(data []byte) []byte { return append(data, "more"...) },
		"emptied":     func([]byte) []byte { return nil },
	} {
		b, err := shared.Dump(t.Context(), "dump_c", filepath.Join(t.TempDir(), "c"), tenants.Backup{})
		must(t, err)
		data, err := os.ReadFile(b.File)
		must(t, err)
		must(t, os.WriteFile(b.File, damage(data), 0o600))
		if err := shared.Restore(t.Context(), b, sure); err == nil || !strings.HasPrefix(err.Error(), "backup ") {
			t.Errorf("%s: %v", name, err)
		}
		if tables, err := shared.Tables(t.Context(), "dump_c"); err != nil || len(tables) != 1 {
			t.Errorf("%s: %v, %v", name, tables, err)
		}
	}
}

// A frozen wiki can be read and not written, by connections old and new, until
// it is thawed; a connection that does not end by itself is ended. Nothing of that needs room on
// the server's disk for a temporary table.
func TestFreeze(t *testing.T) {
	database(t, "frozen_x")
	must(t, exec1(t, shared, "CREATE TABLE frozen_x.t (id INT)"))
	a := Accounts{Database: "frozen_x", Host: "localhost", Web: Account{"frozen_x", "web-password"}, Schema: Account{"frozen_x_schema", "schema-password"}}
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	old := as(t, a.Web)
	must(t, exec1(t, old, "INSERT INTO frozen_x.t VALUES (1)"))
	conn, err := old.db.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN")
	must(t, err)
	_, err = conn.ExecContext(t.Context(), "INSERT INTO frozen_x.t VALUES (2)")
	must(t, err)
	written := temporaryTables(t)
	must(t, shared.Freeze(t.Context(), a, Wait{Patience: 100 * time.Millisecond}))
	if _, err := conn.ExecContext(t.Context(), "COMMIT"); err == nil {
		t.Error("a transaction that was under way was committed")
	}
	must(t, errors.Join(shared.Quiet(t.Context(), a, Wait{}), shared.evict(t.Context(), "frozen_x", true)))
	if _, err := shared.Waiting(t.Context(), a.Schema.Name); err != nil || shared.users(t.Context(), "frozen_x") != "" {
		t.Errorf("it is used: %v", err)
	}
	if now := temporaryTables(t); now != written {
		t.Errorf("the server's temporary tables on disk went from %d to %d", written, now)
	}
	fresh := as(t, a.Web)
	if err := exec1(t, fresh, "INSERT INTO frozen_x.t VALUES (3)"); err == nil {
		t.Error("a frozen wiki was written")
	}
	must(t, exec1(t, fresh, "SELECT * FROM frozen_x.t"))
	must(t, shared.Freeze(t.Context(), a, Wait{})) // again, as after a kill
	must(t, shared.Thaw(t.Context(), a))
	must(t, exec1(t, as(t, a.Web), "INSERT INTO frozen_x.t VALUES (4)"))
	found, err := shared.Contents(t.Context(), "frozen_x")
	if err != nil || found["t"].Rows != 2 {
		t.Errorf("%v, %v", found, err)
	}
}

// temporaryTables returns the number of temporary tables that the server has written to its disk.
func temporaryTables(t *testing.T) (n int) {
	t.Helper()
	var name string
	must(t, shared.db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Created_tmp_disk_tables'").Scan(&name, &n))
	return n
}

// A full disk is reported, and the incomplete dump is removed.
func TestDumpOntoAFullDisk(t *testing.T) {
	database(t, "dump_full")
	must(t, exec1(t, shared, "CREATE TABLE dump_full.t (id INT)"))
	base := filepath.Join(t.TempDir(), "f")
	must(t, os.Symlink("/dev/full", base+backup.OwnDump+".half"))
	_, err := shared.Dump(t.Context(), "dump_full", base, tenants.Backup{})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(base + "*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A restore that was killed after it dropped the database is finished by the next,
// which gives no number twice.
func TestRestoreContinuesAfterAKill(t *testing.T) {
	database(t, "dump_kill")
	must(t, exec1(t, shared, "CREATE TABLE dump_kill.t (id INT AUTO_INCREMENT PRIMARY KEY)"))
	must(t, exec1(t, shared, "INSERT INTO dump_kill.t VALUES (1)"))
	b, err := shared.Dump(t.Context(), "dump_kill", filepath.Join(t.TempDir(), "k"), tenants.Backup{})
	must(t, err)
	must(t, exec1(t, shared, "INSERT INTO dump_kill.t VALUES (41)"))
	must(t, shared.keepNumbers(t.Context(), b))
	must(t, shared.DropDatabase(t.Context(), "dump_kill"))
	read, err := backup.Open(b.File)
	must(t, err)
	must(t, shared.Restore(t.Context(), read, sure))
	must(t, exec1(t, shared, "INSERT INTO dump_kill.t VALUES (NULL)"))
	var next int
	if err := shared.db.QueryRowContext(t.Context(), "SELECT MAX(id) FROM dump_kill.t").Scan(&next); err != nil || next != 42 {
		t.Errorf("the next number is %d, %v", next, err)
	}
}
