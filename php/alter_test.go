package php

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/process"
)

// joinedBy has alter.php join statements as far as it may, case by case, and returns
// what is sent. What it does not join stays as it is.
func joinedBy(t *testing.T, cases [][]string) [][]string {
	t.Helper()
	const code = `
$all = [];
foreach ( json_decode( stream_get_contents( STDIN ), true ) as $statements ) {
	$sent = [];
	$kept = null;
	foreach ( $statements as $sql ) {
		$alter = WikictlAlter::read( $sql );
		if ( $kept && $alter && $kept->accepts( $alter ) ) {
			$kept->add( $alter );
			$sent[array_key_last( $sent )] = $kept->sql();
			continue;
		}
		$kept = $alter;
		$sent[] = $sql;
	}
	$all[] = $sent;
}
echo json_encode( $all, JSON_UNESCAPED_SLASHES );`
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r, err := process.Run(t.Context(), process.Program{
		Name: needs.Program(t, "php"), Args: []string{"-d", "display_errors=stderr", "-r", strings.TrimPrefix(alterCode, "<?php") + "namespace {" + code + "}"},
		Stdin: bytes.NewReader(input), Stdout: &out,
	})
	var sent [][]string
	if err != nil || json.Unmarshal(out.Bytes(), &sent) != nil || len(sent) != len(cases) {
		t.Fatalf("%v: %s%s", err, out.Bytes(), r.Output)
	}
	return sent
}

func TestStatementsAreJoined(t *testing.T) {
	cases := []struct {
		name       string
		statements []string
		want       string // the one that is sent
	}{
		{"indexes and columns", []string{
			"DROP /* sourceFile( patch-x.sql )  */  INDEX el_from ON  `externallinks`",
			"ALTER /* x  */ TABLE  `externallinks`\n ADD el_path BLOB DEFAULT NULL,\nADD COLUMN `el_domain` VARBINARY(255) DEFAULT '' NOT NULL",
			"CREATE INDEX el_domain ON externallinks (el_domain, el_path(60))",
			"CREATE UNIQUE INDEX el_from ON externallinks (el_from)",
		}, "ALTER TABLE `externallinks` DROP INDEX el_from, ADD el_path BLOB DEFAULT NULL, ADD COLUMN `el_domain` VARBINARY ( 255 ) DEFAULT '' NOT NULL, " +
			"ADD INDEX el_domain ( el_domain , el_path ( 60 ) ), ADD UNIQUE INDEX el_from ( el_from )"},
		{"primary key", []string{
			"DROP INDEX `primary` ON `u`", "ALTER TABLE `u` ADD y SMALLINT UNSIGNED NOT NULL", "ALTER TABLE `u` ADD PRIMARY KEY (a, y)",
		}, "ALTER TABLE `u` DROP PRIMARY KEY, ADD y SMALLINT UNSIGNED NOT NULL, ADD PRIMARY KEY ( a , y )"},
		{"changes", []string{
			"ALTER TABLE t CHANGE a b ENUM('x','y') NOT NULL", "ALTER TABLE t MODIFY c BIGINT", "ALTER TABLE t DROP d", "ALTER TABLE t ADD FULLTEXT f (b)",
		}, "ALTER TABLE `t` CHANGE a b ENUM ( 'x' , 'y' ) NOT NULL, MODIFY c BIGINT, DROP d, ADD FULLTEXT f ( b )"},
	}
	var all [][]string
	for _, tc := range cases {
		all = append(all, tc.statements)
	}
	sent := joinedBy(t, all)
	for i, tc := range cases {
		if got := sent[i]; len(got) != 1 || got[0] != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// Each pair has another result when its statements are joined, or might have.
func TestStatementsAreNotJoined(t *testing.T) {
	cases := []struct{ name, first, second string }{
		{"two tables", "ALTER TABLE t ADD a INT", "ALTER TABLE u ADD b INT"},
		{"a column twice", "ALTER TABLE t ADD a INT", "ALTER TABLE t CHANGE a a BIGINT"},
		{"a column in other letters", "ALTER TABLE t ADD a INT", "ALTER TABLE t DROP A"},
		{"a column that comes again", "ALTER TABLE t DROP a", "ALTER TABLE t ADD a INT"},
		{"a name that is free again", "ALTER TABLE t CHANGE a b INT", "ALTER TABLE t ADD a INT"},
		{"an index on a column that is renamed", "ALTER TABLE t CHANGE a b INT", "CREATE INDEX i ON t (a)"},
		{"an index on a column that goes", "CREATE INDEX i ON t (a, b)", "ALTER TABLE t DROP COLUMN b"},
		{"an index on a column that changes", "CREATE INDEX i ON t (a)", "ALTER TABLE t MODIFY a VARBINARY(10)"},
		{"an index that goes again", "CREATE INDEX i ON t (a)", "DROP INDEX i ON t"},
		{"an index twice", "DROP INDEX i ON t", "DROP INDEX I ON t"},
		{"a column's place", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT AFTER c"},
		{"a table's name", "ALTER TABLE t ADD a INT", "ALTER TABLE t RENAME TO u"},
		{"an index's name", "ALTER TABLE t ADD a INT", "ALTER TABLE t RENAME INDEX i TO j"},
		{"a character set", "ALTER TABLE t ADD a INT", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4"},
		{"an option", "ALTER TABLE t ADD a INT", "ALTER TABLE t ENGINE=InnoDB"},
		{"an order", "ALTER TABLE t ADD a INT", "ALTER TABLE t ORDER BY b"},
		{"a partition", "ALTER TABLE t ADD a INT", "ALTER TABLE t DROP PARTITION p"},
		{"a condition", "ALTER TABLE t ADD a INT", "ALTER TABLE t DROP COLUMN IF EXISTS b"},
		{"a condition of an index", "DROP INDEX i ON t", "DROP INDEX IF EXISTS j ON t"},
		{"a constraint", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD CONSTRAINT c CHECK (b > 1)"},
		{"a foreign key", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)"},
		{"a check", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT CHECK (b > a)"},
		{"an expression", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT AS (a) STORED"},
		{"a default by an expression", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT DEFAULT (a)"},
		{"a key within a column", "ALTER TABLE t DROP PRIMARY KEY", "ALTER TABLE t ADD b INT PRIMARY KEY"},
		{"a number that counts", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT AUTO_INCREMENT"},
		{"an index without a name", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD INDEX (b)"},
		{"another database", "ALTER TABLE t ADD a INT", "ALTER TABLE d.t ADD b INT"},
		{"a text with a quotation mark", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b VARBINARY(9) DEFAULT 'it''s'"},
		{"a text with a backslash", "ALTER TABLE t ADD a INT", `ALTER TABLE t ADD b VARBINARY(9) DEFAULT 'a\'b'`},
		{"a text in hexadecimal", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b VARBINARY(9) DEFAULT x'00'"},
		{"a comment that is executed", "ALTER TABLE t ADD a INT", "ALTER /*M! IGNORE */ TABLE t ADD b INT"},
		{"a comment in the middle", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT /* , */"},
		{"rows", "ALTER TABLE t ADD a INT", "UPDATE t SET a = 1"},
		{"another way", "ALTER TABLE t ADD a INT", "ALTER IGNORE TABLE t ADD UNIQUE i (a)"},
		{"how", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT, ALGORITHM=COPY"},
		{"two statements", "ALTER TABLE t ADD a INT", "ALTER TABLE t ADD b INT; DROP TABLE t"},
	}
	var all [][]string
	for _, tc := range cases {
		all = append(all, []string{tc.first, tc.second})
	}
	sent := joinedBy(t, all)
	for i, tc := range cases {
		if got := sent[i]; len(got) != 2 || got[0] != tc.first || got[1] != tc.second {
			t.Errorf("%s: got %q", tc.name, got)
		}
	}
}
