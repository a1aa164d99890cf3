package cli

import (
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
	return withLedger(c.Context, f, func(_ *host.Host, ledger *mariadb.Ledger, rows map[string]mariadb.TenantRow) error {
		runs, err := ledger.Runs(c.Context, 10)
		if err != nil {
			return err
		}
		if asJSON(c) {
			return ui.WriteJSON(a.stdout, map[string]any{"tenants": rows, "runs": runs})
		}
		a.printStatus(rows, runs)
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
