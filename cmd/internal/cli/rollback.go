package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
)

func (a *app) rollbackCommand() *cli.Command {
	return &cli.Command{
		Name: "rollback", Usage: "put upgraded wikis back to before their last upgrade", ArgsUsage: "NAME…",
		Description: "Replaces each database by the dump that was made before its last upgrade, and serves the old release again.\n" +
			"Edits made since are lost: their number is shown first, and you are asked. The definitions are not changed:\n" +
			"set the old codebase there, or the next upgrade moves the wiki again.\n\n" + exitHelp +
			"\n\nExample: wikictl rollback --all --dry-run",
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "run", Usage: "only what this run upgraded, such as 20261124-021446-kwddoj"},
			&cli.IntFlag{Name: "jobs", Usage: "wikis at once", Value: 2 * runtime.NumCPU()},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be put back and what would be lost"},
			&cli.BoolFlag{Name: "yes", Usage: "lose the edits made since without being asked"},
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
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	list := f.Tenants
	if c.String("run") == "" || c.Args().Present() || c.String("where") != "" {
		if list, err = chosen(c, f); err != nil {
			return err
		}
	}
	h, err := a.openHost(f, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	start := time.Now()
	undos, err := upgrade.Undos(c.Context, h, list, c.String("run"))
	if err != nil {
		return err
	}
	if len(undos) == 0 {
		return usagef("no wiki was upgraded by run %q; wikictl status lists the latest runs", c.String("run"))
	}
	if c.Bool("dry-run") {
		return a.wouldUndo(undos, asJSON(c))
	}
	a.showUndos(a.stderr, undos)
	if !c.Bool("yes") && !a.agreed("put them back, and lose these edits?") {
		return usagef("not confirmed; nothing was changed")
	}
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	board := a.board(events, len(undos))
	outcomes, err := upgrade.Rollback(c.Context, h, undos, upgrade.Options{Jobs: c.Int("jobs"), Patience: 10 * time.Second, Drain: a.drain, Observer: board})
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("rollback", h, outcomes, time.Since(start), asJSON(c)))
}

// wouldUndo prints what a rollback would do as its result.
func (a *app) wouldUndo(undos []*upgrade.Undo, asJSON bool) error {
	var err error
	if asJSON {
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
}

func undoRows(undos []*upgrade.Undo) []undoRow {
	rows := make([]undoRow, len(undos))
	for i, u := range undos {
		rows[i] = undoRow{u, moment(u.Since)}
	}
	return rows
}

// showUndos tells what would be lost.
func (a *app) showUndos(out io.Writer, undos []*upgrade.Undo) {
	var rows [][]any
	for _, u := range undos {
		lost := fmt.Sprintf("%d edits since %s UTC are lost", u.Edits, u.Since.Format(time.DateTime))
		if u.Problem != "" {
			lost = "IN THE WAY: " + ui.Clean(u.Problem)
		}
		rows = append(rows, []any{u.Name, u.New, u.Old, lost})
	}
	ui.Table(out, []any{"name", "from", "back to", ""}, rows)
}

// agreed asks on the terminal.
func (a *app) agreed(question string) bool {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer := bufio.NewScanner(a.stdin)
	return answer.Scan() && strings.EqualFold(strings.TrimSpace(answer.Text()), "y")
}
