package mariadb

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// sample is a type of column and values of it, as SQL.
type sample struct {
	column string
	values []string
}

// dumpSeed is of the random tables.
var dumpSeed = flag.Uint64("dump-seed", 12902746276486880693, "seed of the tables that are dumped and loaded")

// hard are values of each type that are easily lost.
var hard = []sample{
	{"TINYINT", []string{"-128", "127", "0"}},
	{"SMALLINT(5) UNSIGNED ZEROFILL", []string{"0", "65535", "7"}},
	{"INT", []string{"-2147483648", "2147483647"}},
	{"BIGINT", []string{"-9223372036854775808", "9223372036854775807"}},
	{"BIGINT UNSIGNED", []string{"18446744073709551615", "9223372036854775808"}},
	{"DECIMAL(65,30)", []string{"-0.000000000000000000000000000001", "99999999999999999999999999999999999.999999999999999999999999999999"}},
	{"DECIMAL(10,2) UNSIGNED ZEROFILL", []string{"1.5", "0"}},
	{"FLOAT", []string{"1.23456789", "-0e0", "3.402823466e38", "1.1754944e-38", "1e-45", "16777217", "0.1"}},
	{"FLOAT(9,3)", []string{"0.333", "123456.789", "-0e0"}},
	{"DOUBLE", []string{"0.1", "-0e0", "1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "0.1 + 0.2", "1e22", "123456789012345678"}},
	{"DOUBLE(20,7)", []string{"0.1", "1234567890123.1234567", "-0e0"}},
	{"BIT(1)", []string{"b'0'", "b'1'"}},
	{"BIT(13)", []string{"b'1000000000001'", "b'0'"}},
	{"BIT(64)", []string{"b'1000000000000000000000000000000000000000000000000000000000000001'"}},
	{"YEAR", []string{"1901", "2155", "0", "2000"}},
	{"DATE", []string{"'0000-00-00'", "'2020-02-30'", "'2020-00-00'", "'9999-12-31'"}},
	{"TIME(6)", []string{"'-838:59:59.999999'", "'00:00:00.000001'"}},
	{"TIME", []string{"'838:59:59'", "'-00:00:01'"}},
	{"DATETIME", []string{"'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'", "'2021-04-31 01:02:03'"}},
	{"DATETIME(3)", []string{"'2020-01-01 00:00:00.001'"}},
	{"TIMESTAMP NULL", []string{"'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2021-10-31 01:30:00'", "'2021-10-31 00:30:00'"}},
	{"TIMESTAMP(6) NULL", []string{"'2038-01-19 03:14:07.999999'"}},
	{"ENUM('', 'a', 'b;', 'ä') CHARACTER SET utf8mb4", []string{"''", "'a'", "'b;'", "'ä'", "0", "'no such'"}},
	{"ENUM('x''y', 'back\\\\slash') CHARACTER SET latin1", []string{"1", "2"}},
	{"SET('a', 'b', 'ü') CHARACTER SET utf8mb3", []string{"''", "'a,ü'", "7"}},
	{set64(), []string{"18446744073709551615", "9223372036854775809", "0"}},
	{"CHAR(10) CHARACTER SET utf8mb4", []string{"''", "'a  '", "'😀'"}},
	{"CHAR(3) CHARACTER SET binary", []string{"x'00'", "x'610000'", "''"}},
	{"BINARY(4)", []string{"x'00ff27'", "'abcd'"}},
	{"VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", append([]string{"'😀 and  '", "'tab\there'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET utf8mb3", append([]string{"'äöü€'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET latin1", append([]string{"_latin1 x'81e4a0ff'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET ucs2", append([]string{"_ucs2 x'41424344'", "'ä€'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET utf16le", append([]string{"_utf16le x'41424344'", "'😀'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET utf32", append([]string{"'😀'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET sjis", append([]string{"_sjis x'955c835c'", "'表'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET gbk", append([]string{"_gbk x'bf5c'"}, awkward...)},
	{"VARCHAR(200) CHARACTER SET swe7", []string{"_swe7 '[\\\\]{|}'", "'Ä'"}},
	{"VARCHAR(200) CHARACTER SET koi8r", append([]string{"'пример'"}, awkward...)},
	{"VARBINARY(300)", append([]string{"x'00010203275c0a0d1aff8081'", "x'c3'", "x'e29c'"}, awkward...)},
	{"TINYBLOB", awkward}, {"BLOB", awkward}, {"MEDIUMBLOB", append([]string{"REPEAT('long; \\n', 300000)"}, awkward...)}, {"LONGBLOB", awkward},
	{"TINYTEXT CHARACTER SET latin1", awkward}, {"TEXT CHARACTER SET utf8mb4", awkward}, {"MEDIUMTEXT CHARACTER SET utf8mb3", awkward},
	{"LONGTEXT CHARACTER SET utf8mb4", append([]string{"REPEAT('ä', 700000)"}, awkward...)},
	{"JSON", []string{"'{\"a\": [1, \"ü\\\\n\"]}'", "'null'"}},
	{"TEXT COMPRESSED", awkward},
	{"GEOMETRY", []string{"POINT(1, 2)", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1e-9 -0))', 4326)"}},
	{"POLYGON", []string{"ST_GeomFromText('POLYGON((0 0, 0 1, 1 1, 0 0))')"}},
	{"INT DEFAULT 5", []string{"5", "6"}},
	{"INT INVISIBLE DEFAULT 5", []string{"9"}},
	{"VARCHAR(40) DEFAULT '; it''s \\\\ ''\\n' COMMENT 'a;\\nb''c'", []string{"DEFAULT"}},
	{"VARCHAR(40) DEFAULT (CONCAT('a;', 'b\\n'))", []string{"DEFAULT"}},
	{"DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", []string{"'2001-01-01'"}},
	{"INT CHECK (1 = 0)", []string{"4"}},
}

// awkward are texts that mean something to somebody.
var awkward = []string{"''", "'a'", "'it''s'", "'\\\\'", "'a\\\\'", "';\\n'", "'\\n-- Dump completed\\n'", "'\\r\\n\\0\\Z'", "'DELIMITER x\\n\\\\! true'", "'/*!999999 x */'", "'NULL'", "'%_'"}

// set64 is a set of as many members as there may be.
func set64() string {
	members := make([]string, 64)
	for i := range members {
		members[i] = fmt.Sprintf("'m%d'", i)
	}
	return "SET(" + strings.Join(members, ",") + ")"
}

// randomTable are statements that make a table of some of the types, and rows.
func randomTable(r *rand.Rand, name string) []string {
	engine := []string{"InnoDB", "InnoDB", "MyISAM", "Aria"}[r.IntN(4)]
	// There has to be a column that is neither hidden nor generated.
	columns, names, chosen := []string{"n INT"}, []string{"n"}, []sample{{"INT", []string{"1", "2"}}}
	for i, at := range r.Perm(len(hard))[:1+r.IntN(12)] {
		s := hard[at]
		column := fmt.Sprintf("`%s c%d`", []string{"a", "``", "ä", ";\n"}[r.IntN(4)], i)
		columns, names, chosen = append(columns, column+" "+s.column), append(names, column), append(chosen, s)
	}
	if r.IntN(2) == 0 {
		columns = append(columns, "`doubled` INT AS (n + 1) "+[]string{"VIRTUAL", "STORED"}[r.IntN(2)])
	}
	if r.IntN(2) == 0 {
		columns = append(columns, "id INT AUTO_INCREMENT PRIMARY KEY")
	}
	r.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	end := ""
	geometry := strings.Contains(strings.Join(columns, " "), "GEOMETRY") || strings.Contains(strings.Join(columns, " "), "POLYGON")
	if r.IntN(4) == 0 && engine != "Aria" && !geometry {
		columns = append(columns, "p INT NOT NULL DEFAULT 1")
		columns = without(columns, "id INT AUTO_INCREMENT PRIMARY KEY")
		end = " PARTITION BY HASH (p) PARTITIONS 3"
	}
	all := []string{"CREATE TABLE " + Quote(name) + " (" + strings.Join(columns, ", ") + ") ENGINE=" + engine + end}
	for range r.IntN(20) {
		values := make([]string, len(chosen))
		for i, s := range chosen {
			values[i] = "NULL"
			if r.IntN(5) > 0 {
				values[i] = s.values[r.IntN(len(s.values))]
			}
		}
		all = append(all, "INSERT INTO "+Quote(name)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	}
	return all
}

func without(all []string, one string) (kept []string) {
	for _, text := range all {
		if text != one {
			kept = append(kept, text)
		}
	}
	return kept
}

// lenient has the server take values that it would not by default.
const lenient = "SET sql_mode = 'ALLOW_INVALID_DATES', check_constraint_checks = 0, autocommit = 0"

// exactly is all of a database that a dump has to bring back: definitions and checksums
// that see each bit of a FLOAT.
func exactly(t *testing.T, database string) map[string]string {
	t.Helper()
	all := picture(t, database)
	tables, err := shared.Tables(t.Context(), database)
	must(t, err)
	for _, table := range tables {
		var name string
		var sum int64
		if strings.Contains(all["BASE TABLE "+table], "GENERATED ALWAYS") {
			continue // it may differ between tables of the same rows
		}
		must(t, shared.db.QueryRowContext(t.Context(), "CHECKSUM TABLE "+Quote(database)+"."+Quote(table)).Scan(&name, &sum))
		all["checksum of "+table] = fmt.Sprint(sum)
	}
	return all
}

// textOf is a dump's text.
func textOf(t *testing.T, b *backup.Dump) []byte {
	t.Helper()
	data, err := os.ReadFile(b.File)
	must(t, err)
	z, err := zstd.NewReader(nil)
	must(t, err)
	defer z.Close()
	text, err := z.DecodeAll(data, nil)
	must(t, err)
	return text
}

// whose says who made a dump.
func whose(text []byte) string {
	if bytes.HasPrefix(text, []byte("-- Dump by wikictl")) {
		return "wikictl"
	}
	return "mariadb-dump"
}

// What random tables hold comes back to the last bit, by wikictl and by a person with
// the client and no options.
func TestDirectDumpIsExact(t *testing.T) {
	seed := *dumpSeed
	r := rand.New(rand.NewPCG(seed, 0))
	statements := []string{lenient}
	for i, s := range hard { // each value at least once
		name := Quote(fmt.Sprint("each ", i/7))
		if i%7 == 0 {
			statements = append(statements, "CREATE TABLE "+name+" (n INT)")
		}
		c := fmt.Sprint("c", i)
		statements = append(statements, "ALTER TABLE "+name+" ADD "+c+" "+s.column)
		for _, v := range append(s.values, "NULL") {
			statements = append(statements, "INSERT INTO "+name+" ("+c+") VALUES ("+v+")")
		}
	}
	for i := range 15 {
		statements = append(statements, randomTable(r, fmt.Sprint("random ", i))...)
	}
	statements = append(statements, "COMMIT")
	filled(t, "direct_a", statements)
	before := exactly(t, "direct_a")
	b, err := shared.Dump(t.Context(), "direct_a", filepath.Join(t.TempDir(), "a"), tenants.Backup{})
	must(t, err)
	text := textOf(t, b)
	if got := whose(text); got != "wikictl" {
		t.Fatalf("it was dumped by %s", got)
	}
	read, err := shared.Definitions(t.Context(), "direct_a")
	must(t, err)
	if found := read.Differences(b.Definitions); len(found) > 0 || len(read) == 0 {
		t.Errorf("the dump has other definitions than the database: %v", found)
	}
	must(t, shared.Restore(t.Context(), b, sure))
	if d := cmp.Diff(before, exactly(t, "direct_a")); d != "" {
		t.Errorf("seed %d, restored (-before +after):\n%s", seed, d)
	}
	database(t, "direct_b")
	must(t, byHand(t, "direct_b", text))
	after := exactly(t, "direct_b")
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("seed %d, loaded by hand (-before +after):\n%s", seed, d)
	}
}

// byHand loads a dump as a person does.
func byHand(t *testing.T, database string, text []byte) error {
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+shared.config.Addr, "--user=root", database)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// What wikictl's own dumps do not have is left to mariadb-dump.
func TestWhoDumps(t *testing.T) {
	for what, c := range map[string]struct{ statement, by string }{
		"table":       {"CREATE TABLE t (id INT)", "wikictl"},
		"nothing":     {"SELECT 1", "wikictl"},
		"foreign key": {"CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE a (id INT, FOREIGN KEY (id) REFERENCES p (id)); INSERT INTO p VALUES (1); INSERT INTO a VALUES (1)", "wikictl"},
		"fulltext":    {"CREATE TABLE t (a TEXT, FULLTEXT (a)) ENGINE=MyISAM; INSERT INTO t VALUES ('words')", "wikictl"},
		"period":      {"CREATE TABLE t (a DATE, b DATE, PERIOD FOR p (a, b)); INSERT INTO t VALUES ('2020-01-01', '2021-01-01')", "wikictl"},
		"view":        {"CREATE VIEW v AS SELECT 1", "mariadb-dump"},
		"sequence":    {"CREATE SEQUENCE s", "mariadb-dump"},
		"history":     {"CREATE TABLE t (id INT) WITH SYSTEM VERSIONING", "mariadb-dump"},
		"trigger":     {"CREATE TABLE t (id INT); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.id = 1", "mariadb-dump"},
		"routine":     {"CREATE FUNCTION f() RETURNS INT RETURN 1", "mariadb-dump"},
		"event":       {"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "mariadb-dump"},
		"engine":      {"CREATE TABLE t (id INT) ENGINE=MEMORY", "mariadb-dump"},
		"inet6":       {"CREATE TABLE t (a INET6); INSERT INTO t VALUES ('::1')", "mariadb-dump"},
		"uuid":        {"CREATE TABLE t (a UUID)", "mariadb-dump"},
	} {
		t.Run(what, func(t *testing.T) {
			filled(t, "direct_who", append([]string{"DROP DATABASE direct_who", "CREATE DATABASE direct_who", "USE direct_who"}, strings.Split(c.statement, "; ")...))
			before := picture(t, "direct_who")
			b, err := shared.Dump(t.Context(), "direct_who", filepath.Join(t.TempDir(), "w"), tenants.Backup{})
			must(t, err)
			if got := whose(textOf(t, b)); got != c.by {
				t.Errorf("it was dumped by %s, want %s", got, c.by)
			}
			must(t, shared.Restore(t.Context(), b, sure))
			if d := cmp.Diff(before, picture(t, "direct_who")); d != "" {
				t.Errorf("(-before +after):\n%s", d)
			}
		})
	}
}

// during has something happen when a dump that wikictl makes has written the rows of
// the first table, and returns the dump's error and what is left of it.
func during(t *testing.T, name string, happens func(connection int64)) (*backup.Dump, error) {
	t.Helper()
	filled(t, name, []string{
		"CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a SELECT seq FROM seq_1_to_1000",
		"CREATE TABLE z (id INT PRIMARY KEY)", "INSERT INTO z SELECT seq FROM seq_1_to_1000",
	})
	b := &backup.Dump{Database: name, File: filepath.Join(t.TempDir(), "d"+backup.OwnDump)}
	err := shared.direct(t.Context(), b, 4096, func(all []*direct) error {
		d := all[0]
		var id int64
		must(t, d.conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
		happens(id)
		return d.write(t.Context(), "x", io.Discard)
	})
	return b, err
}

// A dump is of one moment, whatever happens meanwhile, or it is none.
func TestDirectDumpIsOfOneMoment(t *testing.T) {
	b, err := during(t, "direct_write", func(int64) {
		must(t, exec1(t, shared, "DELETE FROM direct_write.z WHERE id > 10"))
		must(t, exec1(t, shared, "INSERT INTO direct_write.a VALUES (5000)"))
	})
	must(t, err)
	if b.Tables["a"].Rows != 1000 || b.Tables["z"].Rows != 1000 {
		t.Errorf("%v", b.Tables)
	}
	_, err = during(t, "direct_alter", func(int64) {
		for _, change := range []string{"ALTER TABLE z ADD y INT", "TRUNCATE z", "DROP TABLE z", "RENAME TABLE z TO y"} {
			err := as2(t, "direct_alter").work(t.Context(), "direct_alter", true, func(c *sql.Conn) error {
				_, err := c.ExecContext(t.Context(), "SET lock_wait_timeout = 1; "+change)
				return err
			})
			if !isError(err, errLockWait) {
				t.Errorf("%s was not kept waiting: %v", change, err)
			}
		}
	})
	must(t, err)
	_, err = during(t, "direct_kill", func(id int64) { must(t, exec1(t, shared, fmt.Sprint("KILL ", id))) })
	if err == nil || !strings.Contains(err.Error(), "connection") {
		t.Errorf("its connection was ended: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := shared.Dump(ctx, "direct_write", filepath.Join(t.TempDir(), "c"), tenants.Backup{}); err == nil {
		t.Error("a dump that was cancelled counts as one")
	}
}

// The columns of tables that are defined like dumped ones are not asked for again: the server
// would write a temporary table to its disk for them.
func TestDumpRemembersColumns(t *testing.T) {
	var needs []int
	for _, name := range []string{"columns_a", "columns_b"} {
		database(t, name)
		must(t, exec1(t, shared, "CREATE TABLE "+name+".like_none_before (a INT, b TEXT)"))
		before := temporaryTables(t)
		_, err := shared.Dump(t.Context(), name, filepath.Join(t.TempDir(), "d"), tenants.Backup{})
		must(t, err)
		needs = append(needs, temporaryTables(t)-before)
	}
	if needs[1] >= needs[0] {
		t.Errorf("the first dump made the server write %d temporary tables, and the second %d", needs[0], needs[1])
	}
}
