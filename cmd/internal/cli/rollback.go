package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

func (a *app) rollbackCommand() *cli.Command {
	return &cli.Command{
		Name: "rollback", Usage: "undo the last upgrade of wikis", ArgsUsage: "NAME…",
		Description: about(`
			Replaces each database by the dump that was made before its last upgrade, and serves the old release again.
			Edits, uploads, accounts and log entries made since are lost: it locks the wikis, shows how many there are, and
			asks. It dumps each database before it drops it. Repeated, it does not go back further; --to RUN does. The next
			rollback finishes an interrupted one. The definitions are not changed: set the old codebase there, or the next
			upgrade moves the wiki again.
		`, "wikictl rollback --all --dry-run"),
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "run", Usage: "only wikis that this run upgraded, such as 20261124-021446-kwddoj"},
			&cli.StringFlag{Name: "to", Usage: "go back to before this run's upgrade, if all later ones were undone, or to before this run's rollback"},
			jobsFlag(2*runtime.NumCPU()),
			&cli.StringFlag{Name: "backup", Usage: "what to do with each database that is dropped: dump it, or none (lose it for good)", Value: "dump"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be restored and what would be lost, and change nothing"},
			yesFlag("don't ask before discarding edits made since"),
			eventsFlag(),
		),
		Action: onFarm(loadFarm, a.runRollback),
	}
}

func (a *app) runRollback(c *cli.Context, f *tenants.Farm) error {
	which := upgrade.Which{Run: c.String("run"), To: c.String("to"), SkipNotUpgraded: !c.Args().Present()}
	dump, err := either(c, "backup", "dump", "none")
	if err := errors.Join(err, atLeastOne(c, "jobs")); err != nil {
		return err
	}
	if which.Run != "" && which.To != "" {
		return usagef("give either --run or --to")
	}
	list, err := chosenOr(c, f, "run")
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			undos, unchanged, err := upgrade.Undos(c.Context, h, list, which)
			if err == nil {
				err = someUndo(undos, which)
			}
			return upgrade.OutlineUndos(undos, len(unchanged)), err
		})
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o := upgrade.RollbackOptions{Jobs: c.Int("jobs"), Patience: 10 * time.Second, NoDump: !dump, Drain: a.drained}
		o.Confirm = func(ctx context.Context, undos []*upgrade.Undo, unchanged int) (session.Observer, error) {
			if err := a.agreedToLose(ctx, c, undos, unchanged, which); err != nil {
				return nil, err
			}
			return board(len(undos)), nil
		}
		if !c.Bool("yes") {
			o.ConfirmMore = a.agreedToMore
		}
		return upgrade.Rollback(c.Context, h, list, which, o)
	})
}

// agreedToLose shows the losses of a rollback, and asks.
func (a *app) agreedToLose(ctx context.Context, c *cli.Context, undos []*upgrade.Undo, unchanged int, which upgrade.Which) error {
	if err := someUndo(undos, which); err != nil {
		return err
	}
	if err := ui.Plan(a.stderr, "rollback", upgrade.OutlineUndos(undos, unchanged), 0); err != nil {
		return err
	}
	able := slices.ContainsFunc(undos, func(u *upgrade.Undo) bool { return u.Problem == "" })
	if !able || c.Bool("yes") {
		return nil
	}
	return a.agreed(ctx, rollbackQuestion(undos, which, c.String("backup") == "none"))
}

// agreedToMore asks again about a tenant that was edited during the question.
func (a *app) agreedToMore(ctx context.Context, u *upgrade.Undo) error {
	question := fmt.Sprintf("%s: more was edited while you were asked: now %s will be lost. Continue?", u.Name, u.Lost)
	return a.confirm(ctx, question, fmt.Errorf("more was edited while you were asked (now %s), and its loss was not confirmed", u.Lost))
}

// someUndo checks that a rollback of a run selects at least one tenant.
func someUndo(undos []*upgrade.Undo, which upgrade.Which) error {
	if run := which.Run + which.To; len(undos) == 0 && run != "" {
		return tenants.WithHint(usagef("no wiki was upgraded by run %q", run), "wikictl status lists the latest runs")
	}
	return nil
}

// rollbackQuestion returns the question before a rollback. For one beyond the last upgrade, which
// is unusual, it names the age of the oldest dump.
func rollbackQuestion(undos []*upgrade.Undo, which upgrade.Which, noDump bool) string {
	question := "put them back, and lose content made since?"
	if which.To != "" {
		var oldest time.Time
		for _, u := range undos {
			if u.Problem == "" && (oldest.IsZero() || u.Dump.Before(oldest)) {
				oldest = u.Dump
			}
		}
		what := "go back FURTHER than the last upgrade, to dumps"
		if slices.ContainsFunc(undos, func(u *upgrade.Undo) bool { return u.Redo }) {
			what = "bring back what the rollback by run " + which.To + " dropped, dumps"
		}
		question = fmt.Sprintf("%s of up to %.1f days ago, and lose all content made since?", what, time.Since(oldest).Hours()/24)
	}
	if noDump {
		question += " Their current content is NOT dumped first."
	}
	return question
}
