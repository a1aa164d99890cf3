package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/maintenance"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

func (a *app) sqlCommand() *cli.Command {
	return &cli.Command{
		Name: "sql", Usage: "run an SQL statement in the databases of wikis", ArgsUsage: "NAME… -- [STATEMENT]",
		Description: about(`
			Runs one statement in the database of each wiki, with the wiki's own account, and prints all rows as one
			table with the wiki's name. Without --write the server refuses statements that change something. Without
			STATEMENT the statement is read from standard input.
		`, "wikictl sql --all -- 'SELECT COUNT(*) AS pages FROM page'"),
		Flags: append(selectionFlags(),
			withFlag(),
			jobsFlag(4*runtime.NumCPU()),
			&cli.DurationFlag{Name: "limit", Usage: "end a wiki's statement after this time, such as 10s", DefaultText: "no limit"},
			&cli.IntFlag{Name: "max-rows", Usage: "how many rows a wiki may return", Value: 100_000},
			&cli.BoolFlag{Name: "write", Usage: "allow changes of rows, under the locks of the wikis"},
			&cli.BoolFlag{Name: "schema-account", Usage: "with --write: run with the database account that may change tables"},
			eventsFlag(),
			formatFlag("text", "csv", "json"),
		),
		Action: onChosen(a.farmAndNarrowed, a.runSQL),
	}
}

func (a *app) runSQL(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant) error {
	write, schema := c.Bool("write"), c.Bool("schema-account")
	err := errors.Join(atLeastOne(c, "jobs", "max-rows"), notNegativeTime(c, "limit"))
	if schema && !write {
		err = errors.Join(err, usagef("--schema-account needs --write"))
	}
	if err != nil {
		return err
	}
	text, err := a.statement(c.Context, write)
	if err != nil {
		return err
	}
	q := mariadb.Statement{Text: text, Limit: c.Duration("limit"), Most: c.Int("max-rows")}
	if !write {
		return a.withHost(f, true, func(h *session.Host) error { return a.asks(c, h, list, q) })
	}
	var answers *maintenance.Answers
	show := func(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration) error {
		d, err := a.showAnswers(c, ui.Document{Command: command, Run: h.RunID, Seconds: elapsed.Seconds()}, outcomes, answers)
		return errors.Join(err, a.concluded(h, d, outcomes))
	}
	return a.changesShown(c, f, show, func(h *session.Host, board func(int) session.Observer) (outcomes []session.Outcome, err error) {
		o := maintenance.Options{Jobs: c.Int("jobs"), MaxFailures: fleet.NoLimit, Schema: schema, Drain: a.drained, Observer: board(len(list))}
		outcomes, answers, err = maintenance.Change(c.Context, h, list, q, o)
		return outcomes, err
	})
}

// asks runs a read-only statement.
func (a *app) asks(c *cli.Context, h *session.Host, list []*tenants.Tenant, q mariadb.Statement) error {
	start := time.Now()
	outcomes, answers := maintenance.Ask(c.Context, h, list, q, c.Int("jobs"))
	if err := context.Cause(c.Context); err != nil {
		return err
	}
	d := ui.Document{Command: "sql", Seconds: time.Since(start).Seconds()}
	_, err := a.showAnswers(c, d, outcomes, answers)
	for _, o := range outcomes {
		if o.Err != nil && !asJSON(c) {
			fmt.Fprintln(a.stderr, ui.Clean(fmt.Sprintf("%s %s: %s", o.Status, o.Tenant.Name, o.Err)))
		}
	}
	return errors.Join(err, failuresOf(outcomes))
}

// showAnswers prints the rows of all tenants, and returns the document with each tenant's
// result.
func (a *app) showAnswers(c *cli.Context, d ui.Document, outcomes []session.Outcome, answers *maintenance.Answers) (ui.Document, error) {
	all := ui.NewAnswers()
	for _, o := range outcomes {
		d.Add(o)
		if rows, found := answers.Of(o.Tenant.Name); found {
			all.Add(o.Tenant.Name, rows)
		}
	}
	switch c.String("format") {
	case "json":
		return d, ui.WriteAnswers(a.stdout, all, d)
	case "csv":
		return d, all.WriteCSV(a.stdout)
	}
	all.WriteTable(a.stdout)
	return d, nil
}

// mostStatement limits the statement on standard input, in bytes.
const mostStatement = 16 << 20

// statement returns the statement after "--", or on standard input.
func (a *app) statement(ctx context.Context, write bool) (string, error) {
	text := ""
	switch len(a.payload) {
	case 0:
		read, err := a.readAll(ctx, mostStatement)
		if err != nil {
			return "", err
		}
		text = string(read)
	case 1:
		text = a.payload[0]
	default:
		return "", tenants.WithHint(usagef("the statement is more than one word"), "quote it: wikictl sql NAME -- 'SELECT 1'")
	}
	text, err := maintenance.OneStatement(text, write)
	if err != nil {
		return "", usagef("%s", err)
	}
	return text, nil
}
