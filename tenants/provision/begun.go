package provision

import (
	"context"
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/process"
)

// begun says of tenants that are not made yet, by name, what became of the run that
// began to make them: it goes on, was interrupted, or failed.
func (c *creation) begun(ctx context.Context, list []*tenants.Tenant) (map[string]string, error) {
	told := map[string]string{}
	var open map[string]bool
	for _, t := range list {
		row := c.rows[t.Name]
		if row.State != ledger.Creating && row.State != ledger.Made {
			continue
		}
		if open == nil {
			runs, err := c.ledger.OpenRuns(ctx)
			if err != nil {
				return nil, err
			}
			open = map[string]bool{}
			for _, r := range runs {
				open[r.ID] = true
			}
		}
		step, why, err := c.ledger.Failure(ctx, row.Run, t.Name)
		if err != nil {
			return nil, err
		}
		told[t.Name] = fate(row.Run, open[row.Run], step, why)
	}
	return told, nil
}

// fate says what became of a run that began to make a tenant; step and why are its last
// failure, if the ledger has one.
func fate(run string, open bool, step, why string) string {
	switch {
	case why != "":
		return fmt.Sprintf("run %s began it and failed at %q: %s", run, step, process.OneLine(why))
	case open:
		return fmt.Sprintf("run %s began it, and goes on or was interrupted", run)
	}
	return fmt.Sprintf("run %s began it and did not finish", run)
}

// upgrading says what became of an upgrade that is open.
func upgrading(open ledger.Upgrade) string {
	if open.Error != "" {
		return fmt.Sprintf("run %s could not upgrade it: %s", open.Run, process.OneLine(open.Error))
	}
	return fmt.Sprintf("run %s upgrades it, or did not finish that", open.Run)
}
