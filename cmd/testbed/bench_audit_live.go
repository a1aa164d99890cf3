package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// auditing measures live audits: wikis of 64 tables on one private server.
type auditing struct {
	*creation
	demo   *demo.Demo
	server mariadb.Private
}

// liveSteps returns the numbers of wikis at which the queries are counted.
func liveSteps(n int) []int {
	var steps []int
	for _, step := range []int{10, 100, n} {
		if step <= n && (len(steps) == 0 || step > steps[len(steps)-1]) {
			steps = append(steps, step)
		}
	}
	return steps
}

func (b *auditing) run(ctx context.Context) (err error) {
	if b.demo, err = b.newFarm(1); err != nil {
		return err
	}
	b.server = serverOf(b.demo.Dir)
	// Create the first wiki normally, for its golden.
	if err := b.define(1); err != nil {
		return err
	}
	stop, err := b.serve(ctx, b.demo)
	if err != nil {
		return err
	}
	defer stop()
	// The tables need not be durable: only audits are measured.
	if _, err := sql(ctx, b.server, "", "SET GLOBAL innodb_flush_log_at_trx_commit = 0"); err != nil {
		return err
	}
	printCostHead("an audit of what is there")
	for _, n := range liveSteps(b.n) {
		if err := b.grow(ctx, n); err != nil {
			return err
		}
		if err := b.audit(ctx, fmt.Sprintf("audit --quick, %d wikis", n)); err != nil {
			return err
		}
	}
	if err := b.audit(ctx, "again"); err != nil {
		return err
	}
	for _, command := range []string{"create", "upgrade"} {
		if err := b.audited(ctx, b.demo.Dir, command+" --all, nothing to do", command, "--all"); err != nil {
			return err
		}
	}
	return b.loop(ctx)
}

// define replaces the definitions by those of n wikis.
func (b *auditing) define(n int) error {
	if err := b.tenants(b.demo.Dir, 0, n); err != nil {
		return err
	}
	for i := range n {
		more := func(text string) string { return text + "extensions = [\"AbuseFilter\", \"OATHAuth\"]\n" }
		if err := edit(definitionOf(b.demo.Dir, wikiName(i)), more); err != nil {
			return err
		}
	}
	return nil
}

// grow creates the missing wikis of n as create does, but without probing them: database,
// accounts, tables, secrets, ledger, release.
func (b *auditing) grow(ctx context.Context, n int) error {
	if err := b.define(n); err != nil {
		return err
	}
	h, ledger, err := openFarm(ctx, b.demo.Dir)
	if err != nil {
		return err
	}
	defer h.Close()
	rows, err := ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	golden, err := readGolden(h.Layout.Goldens())
	if err != nil {
		return err
	}
	server, err := h.Server(ctx, h.Farm.Ledger)
	if err != nil {
		return err
	}
	var missing []*tenants.Tenant
	for _, t := range h.Farm.Tenants {
		if _, made := rows[t.Name]; !made {
			missing = append(missing, t)
		}
	}
	start := time.Now()
	for _, r := range fleet.Run(ctx, missing, fleet.Options[*tenants.Tenant]{Jobs: 8}, func(ctx context.Context, t *tenants.Tenant) (struct{}, error) {
		return struct{}{}, makeWiki(ctx, h, server, ledger, golden, t)
	}) {
		if r.Err != nil {
			return r.Err
		}
	}
	source, err := h.Source(ctx, h.Farm.Tenants, func(t *tenants.Tenant) *tenants.Codebase { return t.Codebase }, session.Leaving{})
	if err == nil {
		_, err = h.Deploy.Apply(ctx, source)
	}
	fmt.Fprintf(os.Stderr, "testbed: %d wikis made in %.0f s\n", len(missing), time.Since(start).Seconds())
	return err
}

func makeWiki(ctx context.Context, h *session.Host, s *mariadb.Server, l *ledger.Ledger, g *mariadb.Golden, t *tenants.Tenant) error {
	all := secretsFor(t.Name)
	return errors.Join(
		h.Deploy.WriteSecrets(t.Name, all),
		s.EnsureDatabase(ctx, t.Database),
		s.EnsureAccounts(ctx, session.Accounts(t, all)),
		s.Load(ctx, t.Database, g),
		claim(ctx, l, t.Name, t),
	)
}

// readGolden reads the only golden in a folder.
func readGolden(folder string) (*mariadb.Golden, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.zst"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("%d goldens in %s, want one: %w", len(files), folder, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	return mariadb.DecodeGolden(data)
}

// audit audits the farm and prints the times, including the server's.
func (b *auditing) audit(ctx context.Context, name string) error {
	idle, err := b.questions(ctx)
	if err != nil {
		return err
	}
	before, cpu, err := b.spent(ctx)
	if err != nil {
		return err
	}
	if err := b.audited(ctx, b.demo.Dir, name, "audit", "--quick"); err != nil {
		return err
	}
	after, used, err := b.spent(ctx)
	fmt.Printf("  %d queries, %.2f s of MariaDB's CPU\n", after-before-(before-idle), used-cpu)
	return err
}

// spent returns how many statements the server has executed, and its CPU time in seconds.
func (b *auditing) spent(ctx context.Context) (questions int, cpu float64, err error) {
	pid, err := b.server.Pid()
	if err != nil {
		return 0, 0, err
	}
	if cpu, err = cpuOf(pid); err != nil {
		return 0, 0, err
	}
	questions, err = b.questions(ctx)
	return questions, cpu, err
}

// questions returns the number of statements that the server has executed.
func (b *auditing) questions(ctx context.Context) (int, error) {
	text, err := sql(ctx, b.server, "", "SHOW GLOBAL STATUS LIKE 'Questions'")
	if err != nil {
		return 0, err
	}
	_, n, _ := strings.Cut(text, "\t")
	return strconv.Atoi(strings.TrimSpace(n))
}

// askEach is a loop that reads the same facts of each wiki with a client: tables, columns
// and indexes, and its accounts' grants.
const askEach = `for i in $(seq 0 %d); do mariadb --no-defaults --socket=%s -N >/dev/null <<SQL
SELECT TABLE_NAME, ENGINE, TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wiki_w$i';
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'wiki_w$i';
SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'wiki_w$i';
SHOW GRANTS FOR wiki_w$i@localhost;
SHOW GRANTS FOR wiki_w${i}_schema@localhost;
SQL
done`

// loop measures that loop.
func (b *auditing) loop(ctx context.Context) error {
	before, err := b.questions(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	cmd := asGroup(program(ctx, bash(fmt.Sprintf(askEach, b.n-1, b.server.Socket))))
	if err := succeed("the loop", cmd); err != nil {
		return err
	}
	printCost("a loop of the mariadb client", time.Since(start).Seconds(), cmd.ProcessState)
	after, err := b.questions(ctx)
	fmt.Printf("  %d queries\n", after-before)
	return err
}
