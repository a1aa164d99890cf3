package php

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/mariadb"
)

// database is a MariaDB of a test, and the fork server whose jobs use it.
type database struct {
	t      *testing.T
	server *Server
	socket string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	needs.Program(t, "mariadbd")
	dir := needs.Folder(t)
	p := mariadb.Private{Folder: filepath.Join(dir, "server"), Socket: filepath.Join(dir, "s")}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &database{t, s, p.Socket}
}

// prelude connects as MediaWiki does, to an empty database, and asks as its updater does.
const prelude = `
mysqli_report( MYSQLI_REPORT_OFF );
function connect() {
	global $argv;
	$c = Wikimedia\Rdbms\mysqli_init();
	$c->real_connect( 'localhost', get_current_user(), '', $argv[2] ?? '', 0, $argv[1] ) || exit( 9 );
	return $c;
}
function q( $c, $sql ) {
	$answer = $c->query( $sql );
	return $answer instanceof mysqli_result ? $answer->fetch_all() : $answer;
}
function table( $c, $t ) { return (bool)q( $c, "SELECT /* X::tableExists  */ 1  FROM ` + "`information_schema`.`tables`" + `    WHERE table_schema = 'd' AND table_name = '$t'  LIMIT 1  " ); }
function like( $c, $t ) { return (bool)q( $c, "SHOW /* X::tableExists  */ TABLES LIKE '$t'" ); }
function key_there( $c, $k ) { return (bool)q( $c, "SELECT /* X::updateRowExists  */  1 AS X  FROM ` + "`updatelog`" + `    WHERE ul_key = '$k'  LIMIT 1  " ); }
function field( $c, $t, $f ) {
	$answer = $c->query( "SELECT /* Wikimedia\Rdbms\DatabaseMySQL::fieldInfo  */ * FROM ` + "`$t`" + ` LIMIT 1" );
	foreach ( $answer ? $answer->fetch_fields() : [] as $one ) {
		if ( $one->name === $f ) {
			return "$one->type $one->length $one->flags";
		}
	}
	return $answer ? 'no' : 'no table';
}
function indexes( $c, $t ) {
	return json_encode( array_map( fn ( $row ) => [ $row[2], $row[4] ], q( $c, "SHOW /* X::indexInfo  */ INDEX FROM ` + "`$t`" + `" ) ?: [] ) );
}
$c = connect();
`

// afresh makes a new database d. It does so by a connection that no job sees: what $c sends
// is what a job sent.
const afresh = `
$plain = mysqli_init();
$plain->real_connect( 'localhost', get_current_user(), '', '', 0, $argv[1] );
q( $plain, 'DROP DATABASE IF EXISTS d' );
q( $plain, 'CREATE DATABASE d' );
$plain->select_db( 'd' );
$c->select_db( 'd' );
`

// run runs a script against a new database d, and returns what it printed and what
// became of its statements.
func (d *database) run(s *Statements, code string, args ...string) (output string, counts map[string]int, err error) {
	d.t.Helper()
	j := job(d.t, prelude+afresh+code, append([]string{d.socket, ""}, args...)...)
	j.Statements = s
	_, err = d.server.Run(d.t.Context(), j)
	output, line, _ := strings.Cut(wrote(j.Log), "\nwikictl-statements ")
	line, rest, _ := strings.Cut(line, "\n")
	if line != "" {
		if err := json.Unmarshal([]byte(line), &counts); err != nil {
			d.t.Fatalf("%s: %v", line, err)
		}
	}
	return output + rest, counts, err
}

// dump prints the tables of d by another connection.
const dump = `
$end = connect();
$end->select_db( 'd' );
foreach ( q( $end, 'SHOW TABLES' ) as [ $t ] ) {
	echo q( $end, "SHOW CREATE TABLE ` + "`$t`" + `" )[0][1], "\n", json_encode( q( $end, "CHECKSUM TABLE ` + "`$t`" + `" ) ), "\n";
}`

// changes has each change come behind its question, as in MediaWiki's updater: what is
// asked wrongly, or told too late, shows in what is printed.
const changes = `
mt_srand( (int)$argv[3] );
q( $c, 'CREATE TABLE updatelog (ul_key VARCHAR(255) PRIMARY KEY)' );
foreach ( [ 'a', 'b' ] as $t ) {
	q( $c, "CREATE TABLE ` + "`$t`" + ` (id INT PRIMARY KEY, c0 INT NOT NULL DEFAULT 0)" );
	q( $c, "INSERT INTO $t VALUES (1, 2), (2, 3)" );
}
for ( $i = 0; $i < 120; $i++ ) {
	$t = [ 'a', 'b', 'e' ][mt_rand( 0, 2 )];
	$f = 'c' . mt_rand( 0, 4 );
	$x = 'i' . mt_rand( 0, 2 );
	$k = [ 'one', 'Two', "three\\\\four", 'five ' ][mt_rand( 0, 3 )];
	$what = [ 0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 6, 7, 8, 9 ][mt_rand( 0, 13 )];
	$there = table( $c, $t );
	echo "$what $t $f $x ", json_encode( [ $there, like( $c, $t ), key_there( $c, $k ), field( $c, $t, $f ), indexes( $c, $t ), $c->errno ] ), "\n";
	$has = $there ? field( $c, $t, $f ) : 'no table';
	$indexed = str_contains( indexes( $c, $t ), "\"$x\"" );
	$both = str_contains( indexes( $c, $t ), "\"x$f\"" );
	$sql = match ( true ) {
		$what === 0 && !$there => "CREATE TABLE ` + "`$t`" + ` (id INT PRIMARY KEY, c0 INT NOT NULL DEFAULT 0)",
		$what === 0 && $t === 'e' => "DROP /* X  */ TABLE ` + "`$t`" + ` CASCADE",
		$what === 1 && $there => "INSERT IGNORE INTO $t (id) VALUES (" . mt_rand( 1, 50 ) . ')',
		$what === 2 => "INSERT /* X  */ IGNORE INTO ` + "`updatelog`" + ` (ul_key) VALUES ('$k')",
		$what === 3 && mt_rand( 0, 3 ) === 0 => "DELETE FROM updatelog WHERE ul_key = 'Two'",
		!$there || $f === 'c0' => null,
		$what === 4 && $has === 'no' && !$both => [ "ALTER TABLE ` + "`$t`" + ` ADD $f INT NOT NULL DEFAULT 3", "CREATE INDEX x$f ON ` + "`$t`" + ` ($f)", "ALTER TABLE $t CHANGE c0 c0 BIGINT NOT NULL DEFAULT 4" ],
		$what === 5 && $both => [ "DROP INDEX x$f ON $t", "ALTER TABLE $t DROP $f", "ALTER TABLE $t MODIFY c0 INT NOT NULL DEFAULT 1" ],
		$what <= 5 && $has === 'no' => "ALTER /* X  */ TABLE  ` + "`$t`" + `\n ADD $f INT DEFAULT " . mt_rand( 1, 9 ),
		$what === 6 && $has !== 'no' => "ALTER TABLE ` + "`$t`" + ` CHANGE $f $f BIGINT NOT NULL DEFAULT 7",
		$what === 7 && $has !== 'no' => "ALTER TABLE ` + "`$t`" + ` DROP $f",
		$what === 8 && $indexed => "DROP /* X  */ INDEX $x ON ` + "`$t`" + `",
		$what >= 8 && !$indexed && $has !== 'no' => "CREATE INDEX $x ON ` + "`$t`" + ` ($f, c0)",
		default => null,
	};
	foreach ( (array)$sql as $one ) {
		echo json_encode( [ q( $c, $one ), $c->errno, $c->error ] ), "\n";
	}
}` + dump

// Joined and remembered, a script sees and leaves what it would see and leave anyway.
func TestStatementsHaveTheSameEnd(t *testing.T) {
	d := newDatabase(t)
	joined, remembered := 0, 0
	for seed := range 4 {
		want, _, err := d.run(nil, changes, fmt.Sprint(seed))
		if err != nil {
			t.Fatal(err, want)
		}
		got, counts, err := d.run(&Statements{Join: true, Remember: true}, changes, fmt.Sprint(seed))
		if err != nil || got != want {
			t.Fatalf("seed %d: %v: got\n%s\nwant\n%s", seed, err, got, want)
		}
		still, few, err := d.run(&Statements{Remember: true, Still: true}, changes, fmt.Sprint(seed))
		if err != nil || still != want || few["remembered"] >= counts["remembered"]/4 {
			t.Fatalf("seed %d: %v: until something changes %d answers are remembered: got\n%s\nwant\n%s", seed, err, few["remembered"], still, want)
		}
		joined += counts["altering"] - counts["sent"]
		remembered += counts["remembered"]
	}
	if joined < 12 || remembered < 1000 {
		t.Errorf("%d statements less, %d answers remembered", joined, remembered)
	}
}

// Memory that lasts until something changes ends with every kind of change, and sees it.
func TestStillMemoryEnds(t *testing.T) {
	d := newDatabase(t)
	const begin = "q($plain, 'CREATE TABLE updatelog (ul_key VARCHAR(255) PRIMARY KEY)'); q($plain, 'CREATE TABLE a (id INT)');"
	const asks = "echo json_encode([table($c, 'a'), table($c, 'b'), key_there($c, 'one'), field($c, 'a', 'id'), field($c, 'a', 'x'), indexes($c, 'a')]), \"\\n\";"
	const still = `[true,false,false,"3 11 32768","no","[]"]`
	asked := func(changing string) (lines []string, remembered int) {
		output, counts, err := d.run(&Statements{Remember: true, Still: true}, begin+asks+asks+changing+asks+asks)
		if err != nil {
			t.Fatal(err, output)
		}
		return strings.Split(strings.TrimSpace(output), "\n"), counts["remembered"]
	}
	if lines, n := asked("q($c, 'INSERT INTO a VALUES (1)'); q($c, 'SELECT 1');"); n < 15 || lines[0] != still || lines[3] != still {
		t.Errorf("%d answers are remembered though nothing changes tables: %s", n, lines)
	}
	_, until := asked("exit;")
	for _, c := range []struct{ name, change, want string }{
		{"a column", "q($c, 'ALTER TABLE a ADD x INT');", `[true,false,false,"3 11 32768","3 11 32768","[]"]`},
		{"a key of the log", "q($c, \"INSERT IGNORE INTO updatelog VALUES ('one')\");", `[true,false,true,"3 11 32768","no","[]"]`},
		{"a name", "q($c, 'RENAME TABLE a TO b');", `[false,true,false,"no table","no table","[]"]`},
		{"an index", "q($c, 'CREATE INDEX i ON a (id)');", `[true,false,false,"3 11 49160","no","[[\"i\",\"id\"]]"]`},
		{"a table's end", "q($c, 'DROP TABLE a');", `[false,false,false,"no table","no table","[]"]`},
		{"a key by a comment", "q($c, \"/* x */ INSERT INTO updatelog VALUES ('one')\");", `[true,false,true,"3 11 32768","no","[]"]`},
		{"several at once", "$c->multi_query('CREATE TABLE b (i INT); SELECT 1'); do { $c->store_result(); } while ($c->next_result());", `[true,true,false,"3 11 32768","no","[]"]`},
		{"something unknown", "q($c, 'OPTIMIZE TABLE a');", still},
	} {
		lines, n := asked(c.change)
		if lines[0] != still || lines[3] != c.want || lines[2] != c.want {
			t.Errorf("%s: said %s, want %s", c.name, lines, c.want)
		}
		if c.name != "several at once" && n != until {
			t.Errorf("%s: %d answers are remembered, of them %d before", c.name, n, until)
		}
	}
}

// A limit of time that the server's configuration has for statements does not end those of
// a script.
func TestStatementsMayTakeLong(t *testing.T) {
	d := newDatabase(t)
	output, _, err := d.run(&Statements{Join: true}, "q($plain, 'SET GLOBAL max_statement_time = 0.1'); $late = connect(); echo json_encode(q($late, 'SELECT SLEEP(0.3)'));")
	if err != nil || output != `[["0"]]` {
		t.Errorf("%s, %v", output, err)
	}
}

// A script that was told of a success which did not come ends with an error, whatever it
// does next.
func TestKeptStatementsFail(t *testing.T) {
	d := newDatabase(t)
	const begin = "q($c, 'CREATE TABLE t (a INT, b INT)'); q($c, 'INSERT INTO t VALUES (1,1),(1,2)'); echo json_encode([q($c, 'ALTER TABLE t ADD x INT'), q($c, 'ALTER TABLE t ADD PRIMARY KEY (a)')]);\n"
	for name, next := range map[string]string{
		"the end":                      "",
		"a question":                   "q($c, 'SELECT 1'); echo 'went on';",
		"a question whose errors pass": "@q($c, 'SELECT /* X::fieldInfo  */ * FROM `t` LIMIT 1'); echo 'went on';",
		"another connection":           "$e = connect(); q($e, 'SELECT 1'); echo 'went on';",
		"another table":                "q($c, 'ALTER TABLE u ADD y INT'); echo 'went on';",
		"another database":             "$c->select_db('mysql'); echo 'went on';",
		"a prepared statement":         "$c->prepare('SELECT 1'); echo 'went on';",
		"a real query":                 "$c->real_query('SELECT 1'); echo 'went on';",
		"many":                         "$c->multi_query('SELECT 1'); echo 'went on';",
		"a transaction":                "$c->begin_transaction(); echo 'went on';",
		"the connection's end":         "Wikimedia\\Rdbms\\mysqli_close($c); echo 'went on';",
		"an exit":                      "exit(0);",
	} {
		output, _, err := d.run(&Statements{Join: true, Remember: true}, begin+next)
		var failed *JobError
		if !errors.As(err, &failed) || failed.Why != "exit 1" || !strings.HasPrefix(output, "[true,true]") || strings.Contains(output, "went on") {
			t.Errorf("%s: %v: %s", name, err, output)
		}
		if !strings.Contains(output, "Error: Duplicate entry '1' for key 'PRIMARY' (1062)\nStatement: ALTER TABLE t ADD PRIMARY KEY (a)") {
			t.Errorf("%s: %s", name, output)
		}
	}
}

// Statements of shutdown functions are sent at once, after those that were kept before.
func TestKeptStatementsAtTheEnd(t *testing.T) {
	d := newDatabase(t)
	output, _, err := d.run(&Statements{Join: true}, `
q($c, 'CREATE TABLE t (a INT)');
register_shutdown_function( function () use ( $c ) { q($c, 'ALTER TABLE t ADD c INT'); q($c, 'ALTER TABLE t ADD d INT');`+dump+`} );
q($c, 'ALTER TABLE t ADD b INT'); q($c, 'CREATE INDEX i ON t (b)');`)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"`b`", "`c`", "`d`", "KEY `i`"} {
		if !strings.Contains(output, column) {
			t.Errorf("there is no %s: %s", column, output)
		}
	}
}

// As many change tables at once as there are files. Whoever ends lets the next one in,
// and nobody waits for ever.
func TestGate(t *testing.T) {
	d := newDatabase(t)
	file := filepath.Join(t.TempDir(), "gate")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	gate := &Statements{Gate: []string{file}}
	const change = "q($c, 'CREATE TABLE t (a INT)'); q($c, 'ALTER TABLE t ADD b INT'); q($c, 'DROP TABLE t');"
	gated := func() int {
		t.Helper()
		_, counts, err := d.run(gate, change)
		if err != nil || counts["altering"] != 3 || counts["sent"] != 3 {
			t.Fatalf("%v: %v", err, counts)
		}
		return counts["gated"]
	}
	if n := gated(); n != 3 {
		t.Errorf("%d of 3 passed the gate", n)
	}
	held, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if n := gated(); n != 0 {
		t.Errorf("%d passed a gate that is closed", n)
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	j := job(t, prelude+"$lock = WikictlGate::pass( WikictlStatements::$asked['gate'] ); echo $lock ? 'locked' : 'free'; sleep(1000);", d.socket)
	j.Statements, j.Limit = gate, 3*time.Second
	if _, err := d.server.Run(t.Context(), j); err == nil || wrote(j.Log) != "locked" {
		t.Fatalf("%v: %s", err, wrote(j.Log))
	}
	if n := gated(); n != 3 {
		t.Errorf("after a kill %d of 3 passed the gate", n)
	}
}
