package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) createCommand() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "make wikis that are defined and not there yet", ArgsUsage: "NAME…",
		Description: "Makes database, accounts, schema, administrator, release and virtual host of each tenant,\nthen asks it through the web server who it is. What is there already is left alone.\nThe administrator's password is in state/secrets/NAME.toml.\n\n" + exitHelp + "\n\nExample: wikictl create --all --jobs 8",
		Flags: append(selectionFlags(),
			&cli.IntFlag{Name: "jobs", Usage: "wikis at once", Value: 4 * runtime.NumCPU()},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be made"},
			&cli.StringFlag{Name: "admin-password-file", Usage: "file with the password of every new administrator"},
			&cli.StringFlag{Name: "events", Usage: "write each step as a line of JSON to this file"},
		),
		Action:       a.runCreate,
		BashComplete: a.completeNames,
	}
}

func (a *app) runCreate(c *cli.Context) error {
	f, list, err := farmAndChosen(c)
	if err != nil {
		return err
	}
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	password, err := passwordFrom(c.String("admin-password-file"))
	if err != nil {
		return err
	}
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	return a.create(c.Context, f, list, creating{
		jobs: c.Int("jobs"), dryRun: c.Bool("dry-run"), json: asJSON(c), password: password, events: events,
	})
}

// creating are the options of a create.
type creating struct {
	jobs     int
	dryRun   bool
	json     bool
	password tenants.Secret
	events   *os.File
}

// create makes tenants and prints the result; demo calls it too.
func (a *app) create(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant, o creating) (err error) {
	h, err := a.openHost(f, o.dryRun)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	start := time.Now()
	if o.dryRun {
		outcomes, err := provision.DryRun(ctx, h, list)
		if err != nil {
			return err
		}
		return a.planned(outcomes, o.json)
	}
	board := a.board(o.events, len(list))
	outcomes, err := provision.Create(ctx, h, list, provision.Options{
		Jobs: o.jobs, AdminPassword: o.password, Drain: a.drained, Observer: board,
	})
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("create", h, outcomes, time.Since(start), o.json))
}

// board shows a run; events may be nil.
func (a *app) board(events *os.File, total int) *ui.Board {
	if events == nil {
		return ui.NewBoard(a.stderr, nil, total)
	}
	return ui.NewBoard(a.stderr, events, total)
}

// report prints a run's document and says by its error how it went.
func (a *app) report(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration, asJSON bool) error {
	d := ui.Document{Command: command, Run: h.RunID, Seconds: elapsed.Seconds()}
	var failures []error
	var kept []string
	made := false
	for _, o := range outcomes {
		d.Add(o)
		made = made || o.Secrets != ""
		if o.Removed != "" && o.Status == session.Done {
			how := "manifest.json there says more"
			if o.Returns {
				how = "wikictl undelete brings it back"
			}
			kept = append(kept, fmt.Sprintf("%s: what it was is in %s; %s", o.Tenant.Name, o.Removed, how))
		}
		for _, l := range o.Losses {
			kept = append(kept, fmt.Sprintf("%s: done, but %s; %s; wikictl losses --acknowledge %[1]s when you have seen to it", o.Tenant.Name, l.What, ui.WhereLost(l)))
		}
		if o.Note != "" {
			kept = append(kept, fmt.Sprintf("%s: %s", o.Tenant.Name, o.Note))
		}
		if o.Status.Failure() {
			failures = append(failures, fmt.Errorf("%s: %w", o.Tenant.Name, o.Err))
		}
	}
	if err := d.Write(a.stdout, asJSON); err != nil {
		return err
	}
	if made && !asJSON {
		fmt.Fprintf(a.stdout, "log-ins are in %s\n", h.Layout.Secrets("NAME"))
	}
	for _, line := range kept {
		if !asJSON {
			fmt.Fprintln(a.stdout, ui.Clean(line))
		}
	}
	switch {
	case len(failures) > 0:
		return fmt.Errorf("%w: %w", errPart, errors.Join(failures...))
	case d.Counts.Skipped > 0:
		return errInterrupted
	case d.Counts.Done > 0:
		a.tidy(h)
	}
	return nil
}

// tidyLimit is how long a run that is done may go on to remove what [keep] does not keep.
const tidyLimit = 10 * time.Second

// tidy removes what [keep] does not keep after a run that went well. What fails is told
// and no failure of the run.
func (a *app) tidy(h *session.Host) {
	ctx, cancel := context.WithTimeout(context.Background(), tidyLimit)
	defer cancel()
	line, err := provision.Tidy(ctx, h, time.Now())
	if line != "" {
		fmt.Fprintln(a.stderr, line)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(a.stderr, ui.Clean("not removed, although [keep] does not keep it: "+err.Error()))
	}
}

// planned prints what create would do.
func (a *app) planned(outcomes []session.Outcome, asJSON bool) error {
	d := ui.Document{Command: "create --dry-run"}
	for _, o := range outcomes {
		d.Add(o)
		if !asJSON && o.Status != session.Unchanged {
			text := "would be made: database " + o.Tenant.Database + ", accounts, release, virtual host"
			if o.Err != nil {
				text = "stands in the way: " + ui.Clean(o.Err.Error())
			}
			fmt.Fprintf(a.stdout, "%s  %s\n", o.Tenant.Name, text)
		}
	}
	var err error
	if asJSON {
		err = d.Write(a.stdout, true)
	} else {
		_, err = fmt.Fprintf(a.stdout, "%d would be made, %d unchanged, %d can't be made\n", d.Counts.Skipped, d.Counts.Unchanged, d.Counts.Failed+d.Counts.Blocked)
	}
	return cmp.Or(err, dryRunError(d.Counts.Skipped > 0, d.Counts.Failed+d.Counts.Blocked > 0))
}

// passwordFrom reads the first line of a file.
func passwordFrom(path string) (tenants.Secret, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usagef("--admin-password-file: %s", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if len(line) < 10 {
		return "", usagef("--admin-password-file: MediaWiki wants 10 characters or more")
	}
	return tenants.Secret(line), nil
}

func eventsTo(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	f, err := deploy.AppendNamed(path, 0o644)
	if err != nil {
		return nil, usagef("--events: %s", err)
	}
	return f, nil
}
