package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

func (a *app) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show the ledger: tenants, latest runs and open upgrades", ArgsUsage: "[NAME…]",
		Description: about(`
			Prints the state of tenants, the latest ten runs, and the upgrades that are not finished. It takes no lock, so it
			also works during a run.
		`, "wikictl status"),
		Flags:  selectionFlags(),
		Action: onChosenOrAll(a.runStatus),
	}
}

func (a *app) runStatus(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, whole bool) error {
	return a.withLedger(c.Context, f, true, func(_ *session.Host, l *ledger.Ledger, rows map[string]ledger.Tenant) error {
		runs, err := l.Runs(c.Context, 10)
		if err != nil {
			return err
		}
		open, err := l.OpenUpgrades(c.Context)
		if err != nil {
			return err
		}
		if !whole {
			only(rows, list)
			only(open, list)
		}
		if asJSON(c) {
			return ui.WriteJSON(a.stdout, statusOf(rows, runs, open))
		}
		a.printStatus(rows, runs)
		a.printOpen(open)
		return nil
	})
}

// only deletes the rows of tenants that were not selected.
func only[Row any](rows map[string]Row, list []*tenants.Tenant) {
	chosen := namesOf(list)
	maps.DeleteFunc(rows, func(name string, _ Row) bool { return !chosen[name] })
}

// status is the content of the ledger in JSON. A missing time is null.
type status struct {
	Command  string          `json:"command"`
	Tenants  []tenantStatus  `json:"tenants"`
	Runs     []runStatus     `json:"runs"`
	Upgrades []upgradeStatus `json:"upgrades"`
}

type tenantStatus struct {
	Name         string       `json:"name"`
	State        ledger.State `json:"state"`
	Server       string       `json:"server"`
	Database     string       `json:"database"`
	Codebase     string       `json:"codebase"`
	Version      string       `json:"version"`
	ComponentSet string       `json:"component_set"`
	Run          string       `json:"run"`
	Changed      *time.Time   `json:"changed"`
}

type runStatus struct {
	ID        string     `json:"id"`
	Command   string     `json:"command"`
	Holder    string     `json:"holder"`
	Started   *time.Time `json:"started"`
	Finished  *time.Time `json:"finished"`
	Done      int        `json:"done"`
	Unchanged int        `json:"unchanged"`
	Failed    int        `json:"failed"`
	Skipped   int        `json:"skipped"`
}

type upgradeStatus struct {
	Tenant  string       `json:"tenant"`
	Run     string       `json:"run"`
	Phase   ledger.Phase `json:"phase"`
	Old     string       `json:"old"` // version of MediaWiki
	New     string       `json:"new"`
	Backup  string       `json:"backup,omitempty"`
	Started *time.Time   `json:"started"`
	Opened  *time.Time   `json:"opened"`
	Ended   *time.Time   `json:"ended"`
	Error   string       `json:"error,omitempty"`
}

// statusOf returns the rows of the ledger in their JSON form.
func statusOf(rows map[string]ledger.Tenant, runs []ledger.Run, open map[string]ledger.Upgrade) status {
	s := status{Command: "status", Tenants: []tenantStatus{}, Runs: []runStatus{}, Upgrades: []upgradeStatus{}}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		s.Tenants = append(s.Tenants, tenantStatus{name, r.State, r.Server, r.Database, r.Codebase, r.Version, r.ComponentSet, r.Run, plan.Moment(r.Changed)})
	}
	for _, r := range runs {
		s.Runs = append(s.Runs, runStatus{r.ID, r.Command, r.Holder, plan.Moment(r.Started), plan.Moment(r.Finished.Time), r.Done, r.Same, r.Failed, r.Skipped})
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		r := open[name]
		s.Upgrades = append(s.Upgrades, upgradeStatus{name, r.Run, r.Phase, r.OldVersion, r.NewVersion, r.Backup,
			plan.Moment(r.Started.Time), plan.Moment(r.Opened.Time), plan.Moment(r.Ended.Time), r.Error})
	}
	return s
}

func (a *app) printStatus(rows map[string]ledger.Tenant, runs []ledger.Run) {
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

// printOpen lists open upgrades.
func (a *app) printOpen(open map[string]ledger.Upgrade) {
	if len(open) == 0 {
		return
	}
	var lines [][]any
	for _, name := range slices.Sorted(maps.Keys(open)) {
		r := open[name]
		lines = append(lines, []any{name, r.OldVersion, r.NewVersion, r.Phase, r.Run, r.Started.Time.Format(time.DateTime), ui.Clean(r.Error)})
	}
	ui.Table(a.stdout, []any{"upgrade of", "from", "to", "phase", "run", "started (UTC)", "error"}, lines)
	fmt.Fprintln(a.stdout, "if the run of an open upgrade has ended, the upgrade failed or was interrupted; wikictl upgrade finishes it or puts the wiki back, and wikictl rollback finishes a rollback")
}
