package provision

import (
	"context"
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// begun returns, by name, the state of the runs that began to make the unfinished
// tenants: active, interrupted, or failed.
func (c *creation) begun(ctx context.Context, list []*tenants.Tenant) (map[string]string, error) {
	states := map[string]string{}
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
		states[t.Name] = fate(row.Run, open[row.Run], step, why)
	}
	return states, nil
}

// fate describes the state of a run that began to make a tenant; step and why are its
// last failure in the ledger, if any.
func fate(run string, open bool, step, why string) string {
	switch {
	case why != "":
		return fmt.Sprintf("run %s began it and failed at %q: %s", run, step, tenants.OneLine(why))
	case open:
		return fmt.Sprintf("run %s began it, and is active or was interrupted", run)
	}
	return fmt.Sprintf("run %s began it and did not finish", run)
}

// upgrading describes an open upgrade, or its rollback.
func upgrading(open ledger.Upgrade) string {
	switch {
	case open.UndoneBy != "":
		return fmt.Sprintf("run %s is rolling it back, or was interrupted", open.UndoneBy)
	case open.Error != "":
		return fmt.Sprintf("run %s could not upgrade it: %s", open.Run, tenants.OneLine(open.Error))
	}
	return fmt.Sprintf("run %s is upgrading it, or was interrupted", open.Run)
}
