package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

// eventsFlag names a file for the steps of a run.
func eventsFlag() cli.Flag {
	return &cli.StringFlag{Name: "events", Usage: "append each step as a line of JSON to this file"}
}

// withHost opens the farm, calls do and closes the farm; inspect opens it read-only.
func (a *app) withHost(f *tenants.Farm, inspect bool, do func(*session.Host) error) (err error) {
	h, err := a.openHost(f, inspect)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h)
}

// changes opens the farm, calls do, and prints the outcomes. do calls board once, with the number
// of its tenants, for the display of progress and for --events. If do returns no outcomes, it has
// done nothing.
func (a *app) changes(c *cli.Context, f *tenants.Farm, do func(h *session.Host, board func(total int) session.Observer) ([]session.Outcome, error)) error {
	show := func(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration) error {
		return a.report(command, h, outcomes, elapsed, asJSON(c))
	}
	return a.changesShown(c, f, show, do)
}

// shower prints the outcomes of a run, and returns its error.
type shower func(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration) error

// changesShown is changes with another way to print the outcomes.
func (a *app) changesShown(c *cli.Context, f *tenants.Farm, show shower, do func(h *session.Host, board func(total int) session.Observer) ([]session.Outcome, error)) error {
	return a.withBoard(c, f, func(h *session.Host, open func(total int) *ui.Board) error {
		start := time.Now()
		var b *ui.Board
		outcomes, err := do(h, func(total int) session.Observer {
			b = open(total)
			return b
		})
		if b != nil {
			b.Close()
		}
		if outcomes == nil {
			return err
		}
		return errors.Join(err, show(c.Command.Name, h, outcomes, time.Since(start)))
	})
}

// withBoard opens the farm and the file of --events, and calls do, which may open the display of
// progress for a number of tenants.
func (a *app) withBoard(c *cli.Context, f *tenants.Farm, do func(h *session.Host, open func(total int) *ui.Board) error) error {
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	return a.withHost(f, false, func(h *session.Host) error {
		return do(h, func(total int) *ui.Board { return a.board(events, total) })
	})
}

// previews opens the farm read-only, and prints the plan that do makes. The exit code
// tells whether there is work.
func (a *app) previews(c *cli.Context, f *tenants.Farm, do func(*session.Host) (*plan.Plan, error)) error {
	return a.withHost(f, true, func(h *session.Host) error {
		start := time.Now()
		p, err := do(h)
		if err != nil {
			return stopped(f, err)
		}
		return cmp.Or(a.printPlan(c, p, time.Since(start)), dryRunError(p.Differs(), p.Blocked()))
	})
}

// printPlan prints a plan as the result of a command.
func (a *app) printPlan(c *cli.Context, p *plan.Plan, elapsed time.Duration) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, ui.NewPlanDocument(c.Command.Name, p, elapsed))
	}
	return ui.Plan(a.stdout, c.Command.Name, p, diffsOf(c))
}

// allDiffs exceeds any number of tenants.
const allDiffs = 1 << 30

// diffsOf returns the number of tenants whose diffs are printed: all without --diffs.
func diffsOf(c *cli.Context) int {
	if flagNamed(c.Command.Flags, "diffs") == nil {
		return allDiffs
	}
	return c.Int("diffs")
}

// board returns the display of a run; events may be nil.
func (a *app) board(events *os.File, total int) *ui.Board {
	if events == nil {
		return ui.NewBoard(a.stderr, nil, total)
	}
	return ui.NewBoard(a.stderr, events, total)
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

// report prints a run's document and returns its error.
func (a *app) report(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration, asJSON bool) error {
	d := ui.Document{Command: command, Run: h.RunID, Seconds: elapsed.Seconds()}
	var kept []string
	made := false
	for _, o := range outcomes {
		d.Add(o)
		made = made || o.Secrets != ""
		if o.Removed != "" && o.Status == session.Done {
			how := "see manifest.json there"
			if o.Returns {
				how = fmt.Sprintf("wikictl undelete %s brings it back", o.Tenant.Name)
			}
			kept = append(kept, fmt.Sprintf("%s: what it was is in %s; %s", o.Tenant.Name, o.Removed, how))
		}
		for _, l := range o.Losses {
			kept = append(kept, fmt.Sprintf("%s: done, but %s; %s; wikictl losses --acknowledge %[1]s when you have seen to it", o.Tenant.Name, l.What, ui.WhereLost(l)))
		}
		if o.Note != "" {
			kept = append(kept, fmt.Sprintf("%s: %s", o.Tenant.Name, o.Note))
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
	return a.concluded(h, d, outcomes)
}

// concluded returns the error of a printed run. After a successful one it removes expired
// files and rows by [keep].
func (a *app) concluded(h *session.Host, d ui.Document, outcomes []session.Outcome) error {
	failed := failuresOf(outcomes)
	switch {
	case failed != nil:
		return failed
	case d.Counts.Skipped > 0:
		return errInterrupted
	case d.Counts.Done > 0:
		a.tidy(h)
	}
	return nil
}

// failuresOf returns the error of the failed tenants, or nil.
func failuresOf(outcomes []session.Outcome) error {
	var failures []error
	for _, o := range outcomes {
		if o.Status.Failure() {
			failures = append(failures, fmt.Errorf("%s: %w", o.Tenant.Name, o.Err))
		}
	}
	return partFailed(failures)
}

// tidyLimit is how long a finished run may spend on removing what has expired by [keep].
const tidyLimit = 10 * time.Second

// tidy removes expired files and rows by [keep] after a successful run. It prints
// failures, which do not fail the run.
func (a *app) tidy(h *session.Host) {
	ctx, cancel := context.WithTimeout(context.Background(), tidyLimit)
	defer cancel()
	if err := h.ClockDoubt(ctx, time.Now()); err != nil {
		if ctx.Err() == nil {
			fmt.Fprintln(a.stderr, ui.Clean("[keep] removed nothing: "+err.Error()))
		}
		return
	}
	line, err := provision.Tidy(ctx, h, time.Now())
	backups, failed := recovery.Tidy(ctx, h, time.Now())
	for _, what := range []string{line, backups} {
		if what != "" {
			fmt.Fprintln(a.stderr, what)
		}
	}
	err = errors.Join(err, failed)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(a.stderr, ui.Clean("not removed, although [keep] does not keep it: "+err.Error()))
	}
}
