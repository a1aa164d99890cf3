package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/process"
)

var shared *Server

// TestMain runs the package's tests against one private MariaDB.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if code, lacks := needs.Lacks("mariadbd"); lacks {
		return code
	}
	dir, err := os.MkdirTemp(needs.Parent(), "wk")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	def, layout := &tenants.Server{Name: "main", Managed: true}, tenants.Layout{State: dir}
	ctx := context.Background()
	shared, err = Open(ctx, def, layout, "")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer PrivateOf(def, layout).Stop(ctx)
	return m.Run()
}

// holders are Sessions of a test.
type holders struct {
	mu    sync.Mutex
	names map[int64]string
}

func (h *holders) PutSession(_ context.Context, _ string, connection int64, holder string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names[connection] = holder
	return nil
}

func (h *holders) Session(_ context.Context, _ string, connection int64) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names[connection] == "" {
		return "", fs.ErrNotExist
	}
	return h.names[connection], nil
}

func sessions() *holders { return &holders{names: map[int64]string{}} }

func database(t *testing.T, name string) {
	t.Helper()
	if err := shared.EnsureDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.DropDatabase(context.Background(), name) })
}

func exec1(t *testing.T, s *Server, query string) error {
	t.Helper()
	_, err := s.db.ExecContext(t.Context(), query)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as connects as one of the accounts.
func as(t *testing.T, a Account) *Server {
	t.Helper()
	config := shared.config.Clone()
	config.User, config.Passwd = a.Name, a.Password.Reveal()
	return connectWith(t, config)
}

func connectWith(t *testing.T, config *mysql.Config) *Server {
	t.Helper()
	connector, err := mysql.NewConnector(config)
	must(t, err)
	s := &Server{config: config, db: sql.OpenDB(connector)}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAccountsReachOnlyTheirOwn(t *testing.T) {
	accounts := func(db string) Accounts {
		return Accounts{Database: db, Host: "localhost",
			Web: Account{db, "pw'\\1"}, Schema: Account{db + "_schema", "pw2"}}
	}
	for _, db := range []string{"a_b", "axb"} {
		database(t, db)
		must(t, exec1(t, shared, "CREATE TABLE "+db+".t (a INT)"))
		must(t, shared.EnsureAccounts(t.Context(), accounts(db)))
		must(t, shared.EnsureAccounts(t.Context(), accounts(db))) // again
		t.Cleanup(func() { shared.DropAccounts(context.Background(), accounts(db)) })
	}
	web, schema := as(t, accounts("a_b").Web), as(t, accounts("a_b").Schema)
	must(t, exec1(t, web, "INSERT INTO a_b.t VALUES (1)"))
	must(t, exec1(t, schema, "ALTER TABLE a_b.t ADD b INT"))
	for what, err := range map[string]error{
		"web reads axb":          exec1(t, web, "SELECT * FROM axb.t"),
		"web alters a_b":         exec1(t, web, "ALTER TABLE a_b.t ADD c INT"),
		"web drops a_b":          exec1(t, web, "DROP TABLE a_b.t"),
		"schema reads axb":       exec1(t, schema, "SELECT * FROM axb.t"),
		"schema grants a_b":      exec1(t, schema, "GRANT SELECT ON a_b.* TO 'axb'@'localhost'"),
		"web makes a user":       exec1(t, web, "CREATE USER thief@localhost"),
		"web sees others":        exec1(t, web, "SELECT * FROM mysql.user"),
		"schema sets a variable": exec1(t, schema, "SET GLOBAL max_connections = 1"),
	} {
		var refused *mysql.MySQLError
		if !errors.As(err, &refused) || !slices.Contains(denials, refused.Number) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// denials are the errors of a right that is missing: to a database, a table, a column,
// or for an act that needs a right of the server (MariaDB Error Code Reference). A table
// that is not there, or a mistake in the statement, is none.
var denials = []uint16{1044, 1142, 1143, 1227}

func TestGoldenMakesTheSame(t *testing.T) {
	database(t, "g1")
	database(t, "g2")
	must(t, exec1(t, shared, "CREATE TABLE g1.t (id INT AUTO_INCREMENT PRIMARY KEY, b VARBINARY(20), n INT NULL, f DOUBLE) CHARSET=binary"))
	must(t, exec1(t, shared, "INSERT INTO g1.t VALUES (1, x'00273b0aff', NULL, 0.5), (9, '', 3, -1e10)"))
	must(t, exec1(t, shared, "CREATE TABLE g1.cache (k INT)"))
	must(t, exec1(t, shared, "INSERT INTO g1.cache VALUES (1)"))
	g, err := shared.TakeGolden(t.Context(), "g1", "cache")
	must(t, err)
	data, err := g.Encode()
	must(t, err)
	read, err := DecodeGolden(data)
	must(t, err)
	must(t, shared.Load(t.Context(), "g2", read))
	if err := shared.Load(t.Context(), "g2", read); err == nil {
		t.Error("a golden was loaded over what is there")
	}
	if g.Counts["t"] != 2 || g.Counts["cache"] != 0 {
		t.Errorf("the golden counts %v", g.Counts)
	}
	again, err := shared.TakeGolden(t.Context(), "g2")
	must(t, err)
	if d := cmp.Diff(g, again); d != "" {
		t.Error(d)
	}
	for i := range data {
		broken := append([]byte(nil), data...)
		broken[i] ^= 1
		if other, err := DecodeGolden(broken); err == nil && cmp.Equal(g, other) == false {
			t.Fatalf("a changed byte %d was not noticed", i)
		}
	}
}

func TestLocks(t *testing.T) {
	l := sessions()
	first, err := shared.Locks(t.Context(), l, "anna@host pid 1")
	must(t, err)
	second, err := shared.Locks(t.Context(), l, "bob@host pid 2")
	must(t, err)
	defer second.Close()
	long := strings.Repeat("x", 80)
	must(t, first.Acquire(t.Context(), long))
	var locked *LockedError
	if err := second.Acquire(t.Context(), long); !errors.As(err, &locked) || locked.Holder != "anna@host pid 1" {
		t.Fatalf("got %v", err)
	}
	must(t, first.Close()) // as when its process is killed: the connection ends
	for second.Acquire(t.Context(), long) != nil {
		must(t, process.Pause(t.Context(), 10*time.Millisecond))
	}
}

func TestLocksAreLost(t *testing.T) {
	known := sessions()
	locks, err := shared.Locks(t.Context(), known, "x")
	must(t, err)
	held, done := locks.While(t.Context())
	defer done()
	defer locks.Close()
	var id int64
	must(t, locks.conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	must(t, shared.kill(t.Context(), []int64{id}))
	select {
	case <-held.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the loss was not noticed")
	}
	if !strings.Contains(context.Cause(held).Error(), "were lost") {
		t.Errorf("got %v", context.Cause(held))
	}
}

// A statement that was cancelled does not go on running on the server.
func TestCancelKillsTheStatement(t *testing.T) {
	database(t, "slow")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := shared.Load(ctx, "slow", &Golden{Tables: []string{"DO SLEEP(1000)"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	var n int
	must(t, shared.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP(1000)%'").Scan(&n))
	if n != 0 {
		t.Error("the statement still runs")
	}
}

func TestPasswordFileMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	must(t, os.WriteFile(file, []byte("secret\n"), 0o644))
	if _, err := readPassword(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	must(t, os.Chmod(file, 0o600))
	if text, err := readPassword(file); err != nil || text != "secret" {
		t.Errorf("got %q, %v", text, err)
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("a`b")
	f.Fuzz(func(t *testing.T, name string) {
		inner := Quote(name)[1 : len(Quote(name))-1]
		if strings.ReplaceAll(inner, "``", "") != strings.ReplaceAll(strings.ReplaceAll(inner, "``", ""), "`", "") {
			t.Fatalf("%q ends early in %q", name, Quote(name))
		}
	})
}

// A server that starts empties its folder of temporary tables. In the one that all
// share it would take them from a server that is being made beside it.
func TestServersShareNoTemporaryFolder(t *testing.T) {
	dir := needs.Folder(t)
	t.Setenv("TMPDIR", filepath.Join(dir, "missing")) // where mariadbd would go by itself
	p := PrivateOf(&tenants.Server{Name: "own", Managed: true}, tenants.Layout{State: dir})
	must(t, p.Start(t.Context()))
	must(t, p.Stop(t.Context()))
}

// A managed server has the sizes that its definition gives.
func TestPrivateSizes(t *testing.T) {
	options := strings.Join(Private{Sizes: tenants.Sizes{BufferPool: 64 << 20, RedoLog: 32 << 20, Connections: 77}}.options(), " ")
	for _, want := range []string{"--max-connections=77 ", "--innodb-buffer-pool-size=67108864 ", "--innodb-log-file-size=33554432 "} {
		if !strings.Contains(options, want) {
			t.Errorf("%s is not in %s", want, options)
		}
	}
	machine := tenants.Machine{Memory: 1 << 30}
	if err := fits(tenants.Sizes{BufferPool: 2 << 30}, machine); err == nil || !strings.Contains(err.Error(), "buffer_pool") {
		t.Error("2 GB of 1 GB:", err)
	}
	if err := fits(tenants.Sizes{BufferPool: 1 << 29}, machine); err != nil {
		t.Error(err)
	}
	row := map[string]string{}
	for _, name := range []string{"max_connections", "innodb_buffer_pool_size"} {
		var value string
		if err := shared.db.QueryRowContext(t.Context(), "SELECT @@"+name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		row[name] = value
	}
	if row["max_connections"] != "300" || row["innodb_buffer_pool_size"] != "536870912" {
		t.Errorf("the server of a small farm has %v", row)
	}
}
