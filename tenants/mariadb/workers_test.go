package mariadb

import (
	"context"
	"database/sql"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// waitFor waits until the server has a connection like that.
func waitFor(t *testing.T, condition string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var n int
		must(t, shared.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND "+condition).Scan(&n))
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no connection where %s", condition)
		}
	}
}

// colleague is a shell of the administrator's in a database, which sleeps.
func colleague(t *testing.T, database string) (still func()) {
	t.Helper()
	conn, err := shared.Dedicated(t.Context(), database, false)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	var id int64
	must(t, conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	return func() {
		t.Helper()
		if err := conn.PingContext(t.Context()); err != nil {
			t.Errorf("the colleague's connection %d was ended: %v", id, err)
		}
	}
}

func TestStopWorkEndsLeftovers(t *testing.T) {
	database(t, "settled")
	must(t, exec1(t, shared, "CREATE TABLE settled.t (a INT) ENGINE=MyISAM"))
	must(t, exec1(t, shared, "INSERT INTO settled.t VALUES (1)"))
	locker, err := shared.Dedicated(t.Context(), "", false)
	must(t, err)
	defer locker.Close()
	_, err = locker.ExecContext(t.Context(), "LOCK TABLES settled.t WRITE")
	must(t, err)
	base := filepath.Join(t.TempDir(), "d")
	for name, left := range map[string]struct {
		do    func(context.Context) error
		shows string
	}{
		"a load": {func(ctx context.Context) error {
			return shared.Load(ctx, "settled", &Golden{Tables: []string{"DO SLEEP(1000)"}})
		}, "INFO LIKE '%DO SLEEP(1000)%'"},
		"SQL of the farm": {func(ctx context.Context) error {
			return shared.work(ctx, "settled", false, func(c *sql.Conn) error { _, err := c.ExecContext(ctx, "DO SLEEP(1001)"); return err })
		}, "INFO LIKE 'DO SLEEP(1001)%'"},
		"a statement without a default database": {func(ctx context.Context) error {
			return shared.workFor(ctx, "settled", "", false, func(c *sql.Conn) error { _, err := c.ExecContext(ctx, "DO SLEEP(1002)"); return err })
		}, "INFO LIKE 'DO SLEEP(1002)%'"},
		"a restore": {func(ctx context.Context) error {
			return shared.client(ctx, []string{"mariadb", "mysql"}, tagged("settled", strings.NewReader("DO SLEEP(1003);\n")), io.Discard, "--batch", "--binary-mode", "settled")
		}, "INFO LIKE 'DO SLEEP(1003)%'"},
		"counting": {func(ctx context.Context) error { _, err := shared.Contents(ctx, "settled"); return err }, "STATE LIKE 'Waiting%' AND INFO LIKE '%COUNT%'"},
		"a dump": {func(ctx context.Context) error {
			return shared.dumpTo(ctx, &backup.Dump{Database: "settled"}, base)
		}, "STATE LIKE 'Waiting%' AND INFO LIKE '%SQL_NO_CACHE%'"},
	} {
		t.Run(name, func(t *testing.T) {
			still := colleague(t, "settled")
			done := make(chan error, 1)
			go func() { done <- left.do(context.Background()) }()
			waitFor(t, left.shows)
			must(t, shared.StopWork(t.Context(), "another", "nobody"))
			select {
			case err := <-done:
				t.Fatalf("it ended with another database: %v", err)
			default:
			}
			must(t, shared.StopWork(t.Context(), "settled", "nobody"))
			if err := <-done; err == nil {
				t.Error("it was not ended")
			}
			still()
		})
	}
}

func TestRestoreLeavesColleaguesAlone(t *testing.T) {
	database(t, "shelled")
	must(t, exec1(t, shared, "CREATE TABLE shelled.t (a INT)"))
	a := ownedBy("shelled")
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	b, err := shared.Dump(t.Context(), "shelled", filepath.Join(t.TempDir(), "d"), tenants.Backup{})
	must(t, err)
	still := colleague(t, "shelled")
	web := as(t, a.Web)
	reading := make(chan error, 1)
	go func() { reading <- exec1(t, web, "SELECT SLEEP(1000) FROM (SELECT COUNT(*) FROM shelled.t) AS x") }()
	waitFor(t, "USER = 'shelled' AND INFO LIKE 'SELECT SLEEP(1000)%'")
	must(t, shared.Restore(t.Context(), b, sure))
	if err := <-reading; err == nil {
		t.Error("the wiki went on reading what was dropped")
	}
	still()
}
