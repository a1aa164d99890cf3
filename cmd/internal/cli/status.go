package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

func (a *app) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what the ledger knows: tenants and the latest runs",
		Description: "Prints every tenant's state and the last ten runs, also while one goes on.\n\n" + exitHelp + "\n\nExample: wikictl status",
		Action:      a.runStatus,
	}
}

func (a *app) runStatus(c *cli.Context) error {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	return a.withLedger(c.Context, f, true, func(_ *host.Host, ledger *mariadb.Ledger, rows map[string]mariadb.TenantRow) error {
		runs, err := ledger.Runs(c.Context, 10)
		if err != nil {
			return err
		}
		open, err := ledger.OpenUpgrades(c.Context)
		if err != nil {
			return err
		}
		if asJSON(c) {
			return ui.WriteJSON(a.stdout, map[string]any{"tenants": rows, "runs": runs, "upgrades": open})
		}
		a.printStatus(rows, runs)
		a.printOpen(open)
		return nil
	})
}

func (a *app) printStatus(rows map[string]mariadb.TenantRow, runs []mariadb.Run) {
	var lines [][]any
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		lines = append(lines, []any{name, r.State, r.Version, r.Server, r.Database, r.Changed.Format(time.DateTime)})
	}
	ui.Table(a.stdout, []any{"name", "state", "version", "server", "database", "changed (UTC)"}, lines)
	lines = nil
	for _, r := range runs {
		ended := "not ended"
		if r.Finished.Valid {
			ended = r.Finished.Time.Format(time.DateTime)
		}
		lines = append(lines, []any{r.ID, r.Command, r.Holder, r.Started.Format(time.DateTime), ended, r.Done, r.Failed, r.Skipped})
	}
	ui.Table(a.stdout, []any{"run", "command", "by", "started (UTC)", "ended", "done", "failed", "skipped"}, lines)
}

// printOpen lists upgrades that go on or were interrupted.
func (a *app) printOpen(open map[string]mariadb.UpgradeRow) {
	if len(open) == 0 {
		return
	}
	var lines [][]any
	for _, name := range slices.Sorted(maps.Keys(open)) {
		r := open[name]
		lines = append(lines, []any{name, r.OldVersion, r.NewVersion, r.Phase, r.Run, r.Started.Time.Format(time.DateTime), ui.Clean(r.Error)})
	}
	ui.Table(a.stdout, []any{"upgrade of", "from", "to", "phase", "run", "started (UTC)", "error"}, lines)
	fmt.Fprintln(a.stdout, "an upgrade whose run does not go on any more was interrupted; wikictl upgrade finishes it or puts the wiki back")
}
