package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/session"
)

// fixOptions are the flags of audit --fix.
type fixOptions struct{ dryRun, yes bool }

// runFix audits, mends what is safe to mend after saying what that is, and prints
// what a second audit still finds.
func (a *app) runFix(ctx context.Context, f *tenants.Farm, look audit.Options, o auditOptions, fix fixOptions) error {
	start := time.Now()
	found, err := a.audited(ctx, f, look, false)
	if err != nil {
		return err
	}
	mends := found.Mends()
	if fix.dryRun {
		return a.listMends(mends, o.format)
	}
	var failed error
	if len(mends) > 0 {
		a.showMends(mends)
		if !fix.yes {
			if err := a.agreed(ctx, "do that?"); err != nil {
				return err
			}
		}
		if failed = a.mend(ctx, f, mends); ctx.Err() != nil {
			return failed
		}
		if found, err = a.audited(ctx, f, look, false); err != nil {
			return errors.Join(failed, err)
		}
	}
	if err := a.printAudit(found, o, time.Since(start)); err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	if found.Reaches(o.failOn) {
		return errFound
	}
	return nil
}

// mend does it, and tells of each tenant on standard error.
func (a *app) mend(ctx context.Context, f *tenants.Farm, mends []audit.Mend) (err error) {
	h, err := a.openHost(f, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	names := map[string]bool{}
	for _, m := range mends {
		names[m.Tenant] = true
	}
	delete(names, "") // the farm's
	board := a.board(nil, len(names))
	outcomes, err := audit.Fix(ctx, h, mends, board)
	board.Close()
	for _, o := range outcomes {
		if o.Status != session.Done {
			err = errors.Join(err, fmt.Errorf("%s: %w", o.Tenant.Name, o.Err))
		}
	}
	return err
}

// mendRow is one mend in JSON.
type mendRow struct {
	Rule   string `json:"rule"`
	Tenant string `json:"tenant,omitempty"`
	Mend   string `json:"mend"`
}

// listMends prints what --fix would do.
func (a *app) listMends(mends []audit.Mend, format string) error {
	rows, table := []mendRow{}, [][]any{}
	for _, m := range mends {
		rows = append(rows, mendRow{m.Rule, m.Tenant, m.What})
		table = append(table, mendLine(m))
	}
	if format == "json" {
		if err := ui.WriteJSON(a.stdout, map[string]any{"command": "audit --fix", "mends": rows}); err != nil {
			return err
		}
	} else {
		ui.Table(a.stdout, []any{"name", "rule", "would"}, table)
	}
	if len(mends) > 0 {
		return errFound
	}
	return nil
}

// showMends tells what --fix is about to do, on standard error: the result comes
// later.
func (a *app) showMends(mends []audit.Mend) {
	var table [][]any
	for _, m := range mends {
		table = append(table, mendLine(m))
	}
	ui.Table(a.stderr, []any{"name", "rule", "will"}, table)
}

func mendLine(m audit.Mend) []any {
	name := m.Tenant
	if name == "" {
		name = "the farm"
	}
	return []any{name, m.Rule, ui.Clean(m.What)}
}
