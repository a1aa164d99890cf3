package maintenance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"wikictl/migrations"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// readingWords are the first words of statements that only read. The server refuses
// writes by functions in them.
var readingWords = []string{"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "TABLE", "VALUES", "("}

// OneStatement returns the only statement of a text, without comments. A statement that
// may write is an error unless write is true.
func OneStatement(text string, write bool) (string, error) {
	statements, err := migrations.Split(text)
	if err != nil {
		return "", err
	}
	switch len(statements) {
	case 0:
		return "", tenants.WithHint(errors.New("no statement is given"), "wikictl sql NAME -- STATEMENT, or from standard input")
	case 1:
	default:
		return "", fmt.Errorf("%d statements are given; give them one by one", len(statements))
	}
	reads := slices.ContainsFunc(readingWords, func(word string) bool { return begins(statements[0], word) })
	if !reads && !write {
		return "", tenants.WithHint(fmt.Errorf("%s is not a statement that only reads", firstWord(statements[0])), "--write allows changes")
	}
	return statements[0], nil
}

// begins reports whether a statement begins with a word.
func begins(statement, word string) bool {
	if len(statement) < len(word) || !strings.EqualFold(statement[:len(word)], word) {
		return false
	}
	rest := statement[len(word):]
	return word == "(" || rest == "" || !strings.ContainsAny(rest[:1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
}

func firstWord(statement string) string {
	word, _, _ := strings.Cut(strings.Join(strings.Fields(statement), " "), " ")
	return strings.ToUpper(word[:min(len(word), 30)])
}

// Answers maps tenants to the rows of a statement.
type Answers struct {
	mu   sync.Mutex
	rows map[string]mariadb.Rows
}

// Of returns a tenant's rows. found reports whether the statement ran.
func (a *Answers) Of(tenant string) (rows mariadb.Rows, found bool) {
	rows, found = a.rows[tenant]
	return rows, found
}

func (a *Answers) put(tenant string, rows mariadb.Rows) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rows[tenant] = rows
}

// Ask runs a statement that only reads in the databases of tenants, with the accounts of
// their wikis. It takes no lock: during an upgrade it sees the same as a reader.
func Ask(ctx context.Context, h *session.Host, list []*tenants.Tenant, q mariadb.Statement, jobs int) ([]session.Outcome, *Answers) {
	q.ReadOnly = true
	r := &running{Host: h}
	answers := &Answers{rows: map[string]mariadb.Rows{}}
	outcomes := make([]session.Outcome, len(list))
	options := fleet.Options[*tenants.Tenant]{Jobs: jobs, MaxFailures: fleet.NoLimit}
	for i, result := range fleet.Run(ctx, list, options, func(ctx context.Context, t *tenants.Tenant) (struct{}, error) {
		return struct{}{}, r.ask(ctx, t, q, answers)
	}) {
		outcomes[i] = session.Outcome{Tenant: result.Item, Status: session.Done, Err: result.Err, Elapsed: result.Elapsed}
		switch {
		case !result.Started:
			outcomes[i].Status = session.Skipped
		case result.Err != nil:
			outcomes[i].Status = session.Failed
		}
	}
	return outcomes, answers
}

// Change runs a statement that may write, under the locks of the tenants.
func Change(ctx context.Context, h *session.Host, list []*tenants.Tenant, q mariadb.Statement, o Options) ([]session.Outcome, *Answers, error) {
	answers := &Answers{rows: map[string]mariadb.Rows{}}
	r := &running{Host: h, o: o, step: "sql"}
	r.do = func(ctx context.Context, t *tenants.Tenant, _ *session.Outcome) error {
		return r.ask(ctx, t, q, answers)
	}
	outcomes, err := r.locked(ctx, "sql", list)
	return outcomes, answers, err
}

// ask runs a statement in the database of one tenant.
func (r *running) ask(ctx context.Context, t *tenants.Tenant, q mariadb.Statement, answers *Answers) error {
	if t.Server == nil {
		return session.InTheWay(t.Faults)
	}
	server, err := r.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	secrets, err := r.Deploy.ReadSecrets(t.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return r.notCreated(ctx, t)
	}
	if err != nil {
		return err
	}
	accounts := session.Accounts(t, secrets)
	by := accounts.Web
	if r.o.Schema {
		by = accounts.Schema
	}
	rows, err := server.Statement(ctx, t.Database, by, q)
	if err == nil {
		answers.put(t.Name, rows)
	}
	return err
}
