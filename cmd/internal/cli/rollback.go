package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

func (a *app) rollbackCommand() *cli.Command {
	return &cli.Command{
		Name: "rollback", Usage: "put upgraded wikis back to before their last upgrade", ArgsUsage: "NAME…",
		Description: "Replaces each database by the dump that was made before its last upgrade, and serves the old release again.\n" +
			"What was made since is lost: how many edits, uploads, accounts and log entries is shown first, and you are asked\n" +
			"while the wikis are locked. What each database held is dumped before it is dropped. Repeated it does not go\n" +
			"back further; --to RUN does. An interrupted one is finished by the next. The definitions are not changed:\n" +
			"set the old codebase there, or the next upgrade moves the wiki again.\n\n" + exitHelp +
			"\n\nExample: wikictl rollback --all --dry-run",
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "run", Usage: "only what this run upgraded, such as 20261124-021446-kwddoj"},
			&cli.StringFlag{Name: "to", Usage: "go back further: to before this run's upgrade, where all later ones were put back; or to before this run's rollback"},
			&cli.IntFlag{Name: "jobs", Usage: "wikis at once", Value: 2 * runtime.NumCPU()},
			&cli.StringFlag{Name: "backup", Usage: "dump what is dropped, or none: lose it for good", Value: "dump"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be put back and what would be lost"},
			&cli.BoolFlag{Name: "yes", Usage: "lose what was made since without being asked"},
			&cli.StringFlag{Name: "events", Usage: "write each step as a line of JSON to this file"},
		),
		Action:       a.runRollback,
		BashComplete: a.completeNames,
	}
}

func (a *app) runRollback(c *cli.Context) (err error) {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	which := upgrade.Which{Run: c.String("run"), To: c.String("to")}
	dump, err := either(c, "backup", "dump", "none")
	if err := errors.Join(err, atLeastOne(c, "jobs")); err != nil {
		return err
	}
	if which.Run != "" && which.To != "" {
		return usagef("give either --run or --to")
	}
	list := f.Tenants
	if which.Run == "" || c.Args().Present() || c.String("where") != "" {
		if list, err = chosen(c, f); err != nil {
			return err
		}
	}
	h, err := a.openHost(f, c.Bool("dry-run"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if c.Bool("dry-run") {
		return a.wouldUndo(c, h, list, which)
	}
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	return a.rollback(c, h, list, which, !dump, events)
}

// rollback puts tenants back, asks, and prints the result.
func (a *app) rollback(c *cli.Context, h *session.Host, list []*tenants.Tenant, which upgrade.Which, noDump bool, events *os.File) error {
	start := time.Now()
	var board *ui.Board
	o := upgrade.RollbackOptions{Jobs: c.Int("jobs"), Patience: 10 * time.Second, NoDump: noDump, Drain: a.drained}
	o.Confirm = func(ctx context.Context, undos []*upgrade.Undo) (session.Observer, error) {
		if err := someUndo(undos, which); err != nil {
			return nil, err
		}
		a.showUndos(a.stderr, undos)
		if able := slices.ContainsFunc(undos, func(u *upgrade.Undo) bool { return u.Problem == "" }); able && !c.Bool("yes") {
			if err := a.agreed(ctx, rollbackQuestion(undos, which, noDump)); err != nil {
				return nil, err
			}
		}
		board = a.board(events, len(undos))
		return board, nil
	}
	if !c.Bool("yes") {
		o.Again = func(ctx context.Context, u *upgrade.Undo) error {
			yes, err := a.ask(ctx, fmt.Sprintf("%s: more was made while you were asked: by now %s are lost. Go on?", u.Name, u.Lost))
			if err == nil && !yes {
				err = fmt.Errorf("more was made while you were asked, %s in all, and to lose that was not confirmed", u.Lost)
			}
			return err
		}
	}
	outcomes, err := upgrade.Rollback(c.Context, h, list, which, o)
	if board != nil {
		board.Close()
	}
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("rollback", h, outcomes, time.Since(start), asJSON(c)))
}

// someUndo wants that a rollback is about some tenant at least.
func someUndo(undos []*upgrade.Undo, which upgrade.Which) error {
	if len(undos) == 0 {
		return usagef("no wiki was upgraded by run %q; wikictl status lists the latest runs", which.Run+which.To)
	}
	return nil
}

// rollbackQuestion names what a step further back means, as it is not what a rollback
// usually does.
func rollbackQuestion(undos []*upgrade.Undo, which upgrade.Which, noDump bool) string {
	question := "put them back, and lose what was made since?"
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
		question = fmt.Sprintf("%s of up to %.1f days ago, and lose all that was made since?", what, time.Since(oldest).Hours()/24)
	}
	if noDump {
		question += " What they hold now is NOT dumped first."
	}
	return question
}

// wouldUndo prints what a rollback would do as its result.
func (a *app) wouldUndo(c *cli.Context, h *session.Host, list []*tenants.Tenant, which upgrade.Which) error {
	undos, err := upgrade.Undos(c.Context, h, list, which)
	if err == nil {
		err = someUndo(undos, which)
	}
	if err != nil {
		return stopped(h.Farm, err)
	}
	if asJSON(c) {
		err = ui.WriteJSON(a.stdout, undoRows(undos))
	} else {
		a.showUndos(a.stdout, undos)
	}
	blocked := slices.ContainsFunc(undos, func(u *upgrade.Undo) bool { return u.Problem != "" })
	return cmp.Or(err, dryRunError(true, blocked))
}

// undoRow is one of a rollback's tenants in JSON.
type undoRow struct {
	*upgrade.Undo
	Since *time.Time `json:"since"`
	Dump  *time.Time `json:"dump"`
}

func undoRows(undos []*upgrade.Undo) []undoRow {
	rows := make([]undoRow, len(undos))
	for i, u := range undos {
		rows[i] = undoRow{u, moment(u.Since), moment(u.Dump)}
	}
	return rows
}

// listedFiles is how many uploads that would be lost are named.
const listedFiles = 10

// showUndos tells what would be lost.
func (a *app) showUndos(out io.Writer, undos []*upgrade.Undo) {
	var rows [][]any
	for _, u := range undos {
		rows = append(rows, []any{u.Name, u.New, u.Old, ui.Clean(lossOf(u))})
	}
	ui.Table(out, []any{"name", "from", "back to", ""}, rows)
	for _, u := range undos {
		if n := len(u.Files); n > 0 {
			names := strings.Join(u.Files[:min(n, listedFiles)], ", ")
			if u.Uploads > listedFiles {
				names += " and more"
			}
			fmt.Fprintln(out, ui.Clean(fmt.Sprintf("%s: uploaded since, and not known to it any more: %s; the files themselves stay in its folder images", u.Name, names)))
		}
	}
}

// lossOf says what becomes of a tenant in a rollback.
func lossOf(u *upgrade.Undo) string {
	switch {
	case u.Problem != "":
		return "IN THE WAY: " + u.Problem
	case u.Remark != "":
		return u.Remark
	case u.Since.IsZero():
		return "what was interrupted is ended: it was " + string(u.Interrupted)
	}
	return fmt.Sprintf("%s since %s UTC are lost", u.Lost, u.Since.Format(time.DateTime))
}
