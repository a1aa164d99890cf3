package ledger

import (
	"context"
	"fmt"
	"os"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

var shared *mariadb.Server

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
	shared, err = mariadb.Open(ctx, def, layout, "")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer mariadb.PrivateOf(def, layout).Stop(ctx)
	return m.Run()
}

func open(t *testing.T) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), shared, Farm{ID: "00000000000000f1", Dir: "/f1"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func database(t *testing.T, name string) {
	t.Helper()
	must(t, shared.EnsureDatabase(t.Context(), name))
	t.Cleanup(func() { shared.DropDatabase(context.Background(), name) })
}

func exec1(t *testing.T, s *mariadb.Server, query string) error {
	t.Helper()
	conn, err := s.Dedicated(t.Context(), "", false)
	must(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), query)
	return err
}

// column runs a query of one column.
func column(t *testing.T, query string) []string {
	t.Helper()
	conn, err := shared.Dedicated(context.Background(), "", false)
	must(t, err)
	defer conn.Close()
	rows, err := conn.QueryContext(context.Background(), query)
	must(t, err)
	all, err := mariadb.Column[string](rows)
	must(t, err)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
