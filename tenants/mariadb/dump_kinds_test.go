package mariadb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// kinds are statements that make one of each kind of thing that a wiki's database
// may hold, in a database that is the connection's own.
var kinds = []string{
	"SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', character_set_client = utf8mb4",
	"CREATE TABLE types (id INT AUTO_INCREMENT PRIMARY KEY, a VARBINARY(300), f FLOAT, d DOUBLE, n DECIMAL(20, 5), z DATETIME DEFAULT '0000-00-00 00:00:00', ts TIMESTAMP NULL, b BIT(5), e ENUM('a', 'b'), s SET('x', 'y'), g GEOMETRY, j JSON, y YEAR) CHARSET=binary",
	"INSERT INTO types VALUES (0, x'00010203275c0a0d1aff8081', 1.23456789, 0.1, 1.5, '0000-00-00 00:00:00', '2020-01-01', b'101', 'a', 'x,y', POINT(1, 2), '{\"a\":1}', 2020)",
	"CREATE TABLE `we``ird.na me-x` (id INT PRIMARY KEY, `c.``ol` FLOAT)",
	"INSERT INTO `we``ird.na me-x` VALUES (1, 0.3333333333)",
	"CREATE TABLE generated (id INT PRIMARY KEY, a INT, v INT AS (a + 1) VIRTUAL, s INT AS (a * 2) STORED, INDEX (v))",
	"INSERT INTO generated (id, a) VALUES (1, 2), (2, 3)",
	"CREATE TABLE invisible (id INT PRIMARY KEY, h INT INVISIBLE DEFAULT 5)",
	"INSERT INTO invisible (id, h) VALUES (1, 9)",
	"CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
	"INSERT INTO versioned VALUES (1, 1)", "UPDATE versioned SET v = 2", "DELETE FROM versioned", "INSERT INTO versioned VALUES (2, 2)",
	"CREATE TABLE history (id INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION h HISTORY, PARTITION c CURRENT)",
	"INSERT INTO history VALUES (1)", "DELETE FROM history",
	"CREATE TABLE partitioned (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3",
	"INSERT INTO partitioned VALUES (1), (2), (3)",
	"CREATE TABLE myisam (id INT PRIMARY KEY, t TEXT, FULLTEXT (t)) ENGINE=MyISAM",
	"INSERT INTO myisam VALUES (1, 'hello')",
	"CREATE TABLE aria (id INT PRIMARY KEY) ENGINE=Aria",
	"INSERT INTO aria VALUES (1)",
	"CREATE TABLE csv (id INT NOT NULL) ENGINE=CSV",
	"INSERT INTO csv VALUES (1)",
	"CREATE TABLE merged (id INT PRIMARY KEY, t TEXT) ENGINE=MERGE UNION=(myisam)",
	"CREATE TABLE latin (t VARCHAR(20)) CHARSET=latin1",
	"INSERT INTO latin VALUES (x'81e4')",
	"CREATE TABLE three (t VARCHAR(20)) CHARSET=utf8mb3",
	"INSERT INTO three VALUES (x'c3a4')",
	"CREATE TABLE four (t VARCHAR(20)) CHARSET=utf8mb4",
	"INSERT INTO four VALUES (x'f09f9880')",
	"CREATE TABLE parent (id INT PRIMARY KEY)",
	"CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))",
	"INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1, 1)",
	"SET innodb_strict_mode = 0, check_constraint_checks = 0, sql_mode = 'ALLOW_INVALID_DATES'",
	"CREATE TABLE fixed (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=FIXED",
	"CREATE TABLE wide (" + wide(40) + "id INT) CHARSET=utf8mb4",
	"CREATE TABLE checked (n INT CHECK (n > 5))", "INSERT INTO checked VALUES (1)",
	"CREATE TABLE dated (d DATE, t DATETIME)", "INSERT INTO dated VALUES ('2021-02-30', '2021-04-31 01:02:03')",
	"SET innodb_strict_mode = 1, check_constraint_checks = 1, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
	"CREATE SEQUENCE counting START WITH 5", "DO NEXT VALUE FOR counting",
	"CREATE TABLE counted (id INT DEFAULT (NEXT VALUE FOR counting), a INT)", "INSERT INTO counted (a) VALUES (1), (2)",
	"CREATE VIEW plain AS SELECT id FROM types",
	"CREATE VIEW onward AS SELECT * FROM plain",
	"CREATE DEFINER='nobody'@'nowhere' VIEW orphan AS SELECT id FROM types",
	"CREATE TABLE gone (id INT)", "CREATE VIEW broken AS SELECT id FROM gone", "DROP TABLE gone",
	"CREATE TRIGGER growing BEFORE INSERT ON parent FOR EACH ROW BEGIN /* it's */ SET NEW.id = NEW.id; -- and\n # so on\r\n END",
	"CREATE PROCEDURE speaking() BEGIN /* a comment */ -- another\n SELECT ';\nx'; # third\r\n END",
	"CREATE FUNCTION one() RETURNS INT RETURN 1",
	"CREATE VIEW calling AS SELECT one() AS n",
	"CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1",
}

// wide defines columns that a strict InnoDB has no room for in a row.
func wide(n int) (columns string) {
	for i := range n {
		columns += fmt.Sprintf("c%d VARCHAR(63) NOT NULL, ", i)
	}
	return columns
}

// filled makes a database of those statements.
func filled(t *testing.T, name string, statements []string) {
	t.Helper()
	database(t, name)
	must(t, shared.work(t.Context(), name, false, func(c *sql.Conn) error {
		for _, statement := range statements {
			if _, err := c.ExecContext(t.Context(), statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}))
}

// picture is all that the server says of a database, without times.
func picture(t *testing.T, database string) map[string]string {
	t.Helper()
	all := map[string]string{}
	relations, err := shared.relations(t.Context(), database)
	must(t, err)
	for _, r := range relations {
		rows, err := shared.db.QueryContext(t.Context(), "SHOW CREATE TABLE "+Quote(database)+"."+Quote(r.name))
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		fields, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range fields {
			into[i] = &fields[i]
		}
		for rows.Next() {
			must(t, rows.Scan(into...))
			all[r.kind+" "+r.name] = string(fields[1])
		}
		must(t, rows.Err())
		rows.Close()
	}
	objects, err := shared.objects(t.Context(), database)
	must(t, err)
	contents, err := shared.Contents(t.Context(), database)
	must(t, err)
	for name, digest := range objects {
		all[name] = digest
	}
	for name, c := range contents {
		all["contents of "+name] = fmt.Sprint(c)
	}
	return all
}

// Whatever a database holds comes back as it was; a view that was broken before is
// kept as its definition, and said.
func TestDumpOfEveryKind(t *testing.T) {
	filled(t, "dump_kinds", kinds)
	before := picture(t, "dump_kinds")
	problems, remarks, err := shared.Dumpable(t.Context(), "dump_kinds")
	must(t, err)
	if len(problems) > 0 || len(remarks) != 1 || !strings.Contains(remarks[0], "view broken") {
		t.Errorf("%q, %q", problems, remarks)
	}
	b, err := shared.Dump(t.Context(), "dump_kinds", filepath.Join(t.TempDir(), "k"), tenants.Backup{})
	must(t, err)
	for _, change := range []string{"UPDATE dump_kinds.types SET f = 2", "DROP VIEW dump_kinds.plain", "DROP TABLE dump_kinds.csv", "INSERT INTO dump_kinds.fixed VALUES (7)", "DELETE FROM dump_kinds.versioned"} {
		must(t, exec1(t, shared, change))
	}
	read, err := backup.Open(b.File)
	must(t, err)
	if !strings.Contains(read.Broken["broken"], "gone") {
		t.Errorf("the broken view's definition is %q", read.Broken)
	}
	must(t, shared.Restore(t.Context(), read, sure))
	delete(before, "view broken")
	delete(before, "VIEW broken")
	after := picture(t, "dump_kinds")
	if !strings.Contains(after["BASE TABLE fixed"], " AUTO_INCREMENT=8 ") {
		t.Errorf("a number may be used again: %s", after["BASE TABLE fixed"])
	}
	before["BASE TABLE fixed"] = after["BASE TABLE fixed"]
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("(-before +after):\n%s", d)
	}
	var n int
	if err := shared.db.QueryRowContext(t.Context(), "SELECT n FROM dump_kinds.calling").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if tables, err := shared.Tables(t.Context(), "dump_kinds"); err != nil || strings.Contains(strings.Join(tables, " "), "plain") || strings.Contains(strings.Join(tables, " "), "counting") {
		t.Errorf("tables are %q, %v", tables, err)
	}
}

// The check after a restore notices a missing object of each kind, and a changed value.
func TestRestoreComparesEveryKind(t *testing.T) {
	filled(t, "dump_lost", kinds)
	b, err := shared.Dump(t.Context(), "dump_lost", filepath.Join(t.TempDir(), "k"), tenants.Backup{})
	must(t, err)
	must(t, shared.compare(t.Context(), b))
	for _, change := range []string{
		"DROP EVENT daily", "DROP FUNCTION one", "DROP PROCEDURE speaking", "DROP TRIGGER growing", "DROP VIEW onward", "DO NEXT VALUE FOR counting",
		"DROP TABLE history", "UPDATE types SET f = 1.3",
	} {
		must(t, shared.Restore(t.Context(), b, sure))
		must(t, exec1(t, as2(t, "dump_lost"), change))
		if err := shared.compare(t.Context(), b); err == nil {
			t.Errorf("%q was not noticed", change)
		}
	}
}

// as2 is the administrator in a database.
func as2(t *testing.T, database string) *Server {
	t.Helper()
	config := shared.config.Clone()
	config.DBName = database
	return connectWith(t, config)
}

// Databases without remarks are not checked one by one.
func TestUnusual(t *testing.T) {
	const search = "CREATE TABLE searchindex (a INT) ENGINE=MyISAM"
	var all []string
	for name, statements := range map[string][]string{
		"usual_1":   {"CREATE TABLE t (a INT, b VARCHAR(10), c TIMESTAMP(6), d BIGINT UNSIGNED NOT NULL)", search},
		"usual_2":   {},
		"odd_view":  {"CREATE VIEW v AS SELECT 1"},
		"odd_hist":  {"CREATE TABLE t (a INT) WITH SYSTEM VERSIONING", search},
		"odd_part":  {"CREATE TABLE t (a INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION h HISTORY, PARTITION c CURRENT)"},
		"odd_event": {"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1"},
		"odd_aria":  {"CREATE TABLE t (a INT) ENGINE=Aria"},
		"odd_crash": {search},
	} {
		filled(t, name, statements)
		all = append(all, name)
	}
	must(t, exec1(t, shared, "FLUSH TABLES"))
	must(t, os.Truncate(filepath.Join(dataOf(t), "odd_crash", "searchindex.MYI"), 10))
	slices.Sort(all)
	found, err := shared.Unusual(t.Context(), all)
	must(t, err)
	if d := cmp.Diff([]string{"odd_aria", "odd_crash", "odd_event", "odd_hist", "odd_part", "odd_view"}, found); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Objects that a restore could not create are reported before anything is dumped.
func TestDumpableNamesObstacles(t *testing.T) {
	filled(t, "dump_not", []string{
		"CREATE TABLE precise (id INT, a BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, b BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING ENGINE=InnoDB",
		"CREATE EVENT busy ON SCHEDULE EVERY 1 DAY DO SELECT 1",
		"CREATE TABLE crashed (id INT PRIMARY KEY) ENGINE=MyISAM",
	})
	must(t, exec1(t, shared, "FLUSH TABLES"))
	index, err := filepath.Glob(filepath.Join(dataOf(t), "dump_not", "crashed.MYI"))
	must(t, err)
	must(t, os.Truncate(index[0], 10))
	must(t, exec1(t, shared, "SET GLOBAL event_scheduler = ON"))
	defer exec1(t, shared, "SET GLOBAL event_scheduler = OFF")
	problems, _, err := shared.Dumpable(t.Context(), "dump_not")
	must(t, err)
	text := strings.Join(problems, "\n")
	for _, want := range []string{"table precise keeps its history by transactions", "ALTER EVENT `dump_not`.`busy` DISABLE", "table crashed can't be read: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

func dataOf(t *testing.T) string {
	t.Helper()
	var dir string
	must(t, shared.db.QueryRowContext(t.Context(), "SELECT @@datadir").Scan(&dir))
	return dir
}

// A row that makes a statement longer than max_allowed_packet comes back where the
// account may raise the setting, which is as before afterwards; where it may not,
// this is said by Dumpable and by Dump.
func TestRowsLongerThanThePacket(t *testing.T) {
	data := make([]byte, 1<<20)
	rand.Read(data)
	filled(t, "dump_long", []string{"CREATE TABLE t (id INT PRIMARY KEY, b MEDIUMBLOB, c MEDIUMTEXT) CHARSET=utf8mb4"})
	_, err := shared.db.ExecContext(t.Context(), "INSERT INTO dump_long.t VALUES (1, ?, 'x'), (2, 'short', 'y')", data)
	must(t, err)
	var usual int64
	must(t, shared.db.QueryRowContext(t.Context(), "SELECT @@GLOBAL.max_allowed_packet").Scan(&usual))
	defer exec1(t, shared, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", usual))
	must(t, exec1(t, shared, "SET GLOBAL max_allowed_packet = 1572864")) // 1.5 MB: the row fits, its statement does not
	base := filepath.Join(t.TempDir(), "l")
	b, err := shared.Dump(t.Context(), "dump_long", base, tenants.Backup{})
	must(t, err)
	must(t, shared.Restore(t.Context(), b, sure))
	if now, err := shared.packet(t.Context()); err != nil || now != 1572864 {
		t.Errorf("max_allowed_packet is %d after a restore, %v", now, err)
	}

	a := Accounts{Database: "dump_long", Host: "localhost", Web: Account{"dump_long", "pw"}, Schema: Account{"dump_long_schema", "pw"}}
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	weak := as(t, a.Schema)
	weak.Name, weak.Version = "main", shared.Version
	must(t, exec1(t, shared, "ANALYZE TABLE dump_long.t")) // by itself InnoDB counts a moment later
	problems, _, err := weak.Dumpable(t.Context(), "dump_long")
	must(t, err)
	if len(problems) != 1 || !strings.Contains(problems[0], "set max_allowed_packet = ") || !strings.Contains(problems[0], "dump_long_schema") {
		t.Errorf("%q", problems)
	}
	_, err = weak.Dump(t.Context(), "dump_long", base+"2", tenants.Backup{})
	if err == nil || !strings.Contains(err.Error(), "set max_allowed_packet = ") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(base + "2*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	must(t, exec1(t, shared, "DELETE FROM dump_long.t WHERE id = 1"))
	_, err = weak.Dump(t.Context(), "dump_long", base+"3", tenants.Backup{})
	must(t, err)
}

func TestLongest(t *testing.T) {
	text := "SET a;\nINSERT INTO t VALUES\n(1),\n(22);\n-- end\n"
	for cut := 1; cut <= len(text); cut++ {
		l := &backup.Statements{}
		for rest := text; rest != ""; {
			n := min(cut, len(rest))
			if got, err := l.Write([]byte(rest[:n])); got != n || err != nil {
				t.Fatal(got, err)
			}
			rest = rest[n:]
		}
		if want := int64(len("INSERT INTO t VALUES\n(1),\n(22)")); l.Longest < want || l.Longest > want+2 {
			t.Errorf("in pieces of %d it is %d, want about %d", cut, l.Longest, want)
		}
	}
	for _, statement := range []int64{0, 1, 1023, 1024, 1 << 20} {
		if n := packetFor(statement); n%1024 != 0 || n <= statement {
			t.Errorf("packetFor(%d) is %d", statement, n)
		}
	}
}
