package mariadb

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants/mariadb/schema"
)

// questions is how many statements the server has been asked.
func questions(t *testing.T) (n int) {
	t.Helper()
	var name string
	must(t, shared.db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n))
	return n
}

// A server is inspected by the same number of queries however much it holds.
func TestInspectAsksTheSame(t *testing.T) {
	count := func() int {
		before := questions(t)
		_, err := shared.Inspect(t.Context())
		must(t, err)
		return questions(t) - before
	}
	count() // connects
	few := count()
	for i := range 20 {
		name := fmt.Sprint("many_", i)
		database(t, name)
		must(t, exec1(t, shared, "CREATE TABLE "+name+".t (a INT)"))
		a := Accounts{Database: name, Host: "localhost", Web: Account{name, "x"}, Schema: Account{name + "_schema", "x"}}
		must(t, shared.EnsureAccounts(t.Context(), a))
		t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	}
	if many := count(); many != few || few > 25 {
		t.Errorf("%d queries with few databases, %d with twenty more", few, many)
	}
}

// Shapes say what MariaDB says of tables, and equal tables have equal shapes.
func TestSchemas(t *testing.T) {
	database(t, "shape_a")
	database(t, "shape_b")
	const a = `CREATE TABLE shape_a.t (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARBINARY(255) NOT NULL DEFAULT '', name VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
		stamp BINARY(14), body MEDIUMBLOB, note TEXT CHARACTER SET latin1, big BIGINT, part DECIMAL(10,2), kind ENUM('a', 'b') CHARACTER SET binary, at TIMESTAMP NULL, UNIQUE KEY one (title, name), KEY two (big))`
	must(t, exec1(t, shared, a))
	must(t, exec1(t, shared, "CREATE TABLE shape_a.`odd-name` (a INT) ENGINE=InnoDB"))
	must(t, exec1(t, shared, "CREATE TABLE shape_a.words (a TEXT, FULLTEXT KEY a (a)) ENGINE=InnoDB CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci"))
	must(t, exec1(t, shared, "CREATE TABLE shape_a.parts (a INT) ENGINE=InnoDB PARTITION BY HASH (a) PARTITIONS 3"))
	must(t, exec1(t, shared, "CREATE TABLE shape_a.other (a INT) ENGINE=MyISAM"))
	// Its columns in another order, and other types, columns, indexes and tables.
	must(t, exec1(t, shared, `CREATE TABLE shape_b.t (title VARBINARY(255) NOT NULL, id INT NOT NULL PRIMARY KEY, big BIGINT, name VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
		stamp BINARY(14), body MEDIUMBLOB, part DECIMAL(10,2), kind ENUM('a', 'b') CHARACTER SET binary, at TIMESTAMP NULL, more INT, UNIQUE KEY one (title), KEY three (big))`))
	must(t, exec1(t, shared, "CREATE TABLE shape_b.extra (a INT)"))
	must(t, exec1(t, shared, "CREATE TABLE shape_b.words (a TEXT) ENGINE=MyISAM"))
	must(t, exec1(t, shared, "CREATE TABLE shape_b.other (a INT, b INT) ENGINE=MyISAM"))
	must(t, exec1(t, shared, "CREATE TABLE shape_b.parts (a INT) ENGINE=InnoDB"))
	must(t, exec1(t, shared, "CREATE TABLE shape_a.usual (a TEXT)"))
	must(t, exec1(t, shared, "CREATE TABLE shape_b.usual (a TEXT)"))
	schemas, err := shared.Schemas(t.Context())
	must(t, err)
	if got := string(schemas["shape_a"]["usual"]); !strings.HasPrefix(got, "column `a` text ") || strings.Contains(got, "collation ") {
		t.Errorf("by the server's own collation: %q", got)
	}
	want := "column `at` timestamp\ncolumn `big` bigint\ncolumn `body` mediumblob\ncolumn `id` int unsigned not null\ncolumn `kind` enum or set of 1 bytes\n" +
		"column `name` varchar of 40 bytes utf8mb4_bin\ncolumn `note` text latin1_swedish_ci\ncolumn `part` decimal of 5 bytes\ncolumn `stamp` binary(14)\n" +
		"column `title` varbinary(255) not null\nindex `PRIMARY` unique (id)\nindex `one` unique (title, name)\nindex `two` (big)\n"
	if d := cmp.Diff(want, string(schemas["shape_a"]["t"])); d != "" {
		t.Error(d)
	}
	if got := schemas["shape_a"]["words"]; got != "column `a` text utf8mb3_general_ci\nindex `a` fulltext (a)\n" {
		t.Errorf("got %q", got)
	}
	var got []string
	for _, d := range schemas["shape_a"].Differences(schemas["shape_b"]) {
		got = append(got, fmt.Sprintf("%s: %s|%s", d, d.Want, d.Got))
	}
	if d := cmp.Diff([]string{
		"table extra: |a table", "table odd-name: a table|",
		"column t.id: int unsigned not null|int not null", "column t.more: |int",
		"column t.name: varchar of 40 bytes utf8mb4_bin|varchar of 40 bytes utf8mb4_general_ci", "column t.note: text latin1_swedish_ci|",
		"index t.one: unique (title, name)|unique (title)", "index t.three: |(big)", "index t.two: (big)|",
		"table words: a table of InnoDB|a view, or of another engine",
	}, got); d != "" {
		t.Error(d)
	}
	data, err := schemas["shape_a"].Encode()
	must(t, err)
	read, err := schema.Decode(data)
	must(t, err)
	if d := cmp.Diff(schemas["shape_a"], read); d != "" {
		t.Error(d)
	}
}

// Grants are read as they are, and their patterns reach what MariaDB's do.
func TestAccountsFound(t *testing.T) {
	for _, statement := range []string{
		"CREATE USER found@localhost IDENTIFIED BY 'x'", "CREATE USER found@'10.%'", "CREATE ROLE chief",
		"GRANT PROCESS, CREATE USER ON *.* TO found@localhost", "GRANT SELECT, CREATE TEMPORARY TABLES ON `found\\_a`.* TO found@localhost WITH GRANT OPTION",
		"GRANT UPDATE (User) ON mysql.db TO found@localhost", "GRANT chief TO found@localhost",
	} {
		must(t, exec1(t, shared, statement))
	}
	t.Cleanup(func() {
		for _, who := range []string{"USER found@localhost", "USER found@'10.%'", "ROLE chief"} {
			exec1(t, shared, "DROP "+who)
		}
	})
	i, err := shared.Inspect(t.Context())
	must(t, err)
	got := map[string][]string{}
	for _, a := range i.Accounts {
		if a.User != "found" && a.User != "chief" {
			continue
		}
		list := []string{fmt.Sprint("no password: ", a.NoPassword, ", role: ", a.Role)}
		for _, g := range a.Grants {
			list = append(list, g.String())
		}
		got[a.Name()] = list
	}
	want := map[string][]string{
		"found@10.%": {"no password: true, role: false"},
		"chief@":     {"no password: false, role: true"},
		"found@localhost": {"no password: false, role: false", "CREATE USER, PROCESS on *.*", "CREATE TEMPORARY TABLES, GRANT OPTION, SELECT on found\\_a.*",
			"UPDATE on mysql.db", "UPDATE on mysql.db.User", "the role chief"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPatternsReach(t *testing.T) {
	for _, pattern := range []string{"wiki_a", `wiki\_a`, "wiki%", `wiki\_%a`, `wiki\%`, "%", "_iki_a", "", `wi%ki\_a`} {
		for _, name := range []string{"wiki_a", "wikixa", "wiki_ba", "wiki", "wiki%", "x"} {
			var want bool
			must(t, shared.db.QueryRowContext(t.Context(), "SELECT ? LIKE BINARY ?", name, pattern).Scan(&want))
			if got := matches(pattern, name); got != want {
				t.Errorf("%q reaches %q: %v, want %v", pattern, name, got, want)
			}
		}
	}
	for pattern, want := range map[string]bool{"wiki_a": true, `wiki\_a`: false, `wiki\\_a`: true, "wiki%": true, "wiki": false} {
		if got := (Grant{Database: pattern}).Wild(); got != want {
			t.Errorf("%q is wild: %v", pattern, got)
		}
	}
}
