package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit/repair"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/session"
)

// fixOptions are the flags of audit --fix.
type fixOptions struct{ dryRun, yes bool }

// runFix audits, shows the safe repairs, asks, carries them out, and prints the findings
// of a second audit.
func (a *app) runFix(ctx context.Context, f *tenants.Farm, scope rules.Options, o auditOptions, fix fixOptions) error {
	start := time.Now()
	found, observed, err := a.audited(ctx, f, scope, false)
	if err != nil {
		return err
	}
	repairs := repair.Of(f, observed, found)
	if fix.dryRun {
		return a.listRepairs(repairs, o.format)
	}
	var failed error
	if len(repairs) > 0 {
		a.showRepairs(repairs)
		if !fix.yes {
			if err := a.agreed(ctx, "make these repairs?"); err != nil {
				return err
			}
		}
		if failed = a.repair(ctx, f, repairs); ctx.Err() != nil {
			return failed
		}
		if found, _, err = a.audited(ctx, f, scope, false); err != nil {
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

// repair carries out repairs, and shows each tenant on standard error.
func (a *app) repair(ctx context.Context, f *tenants.Farm, repairs []repair.Repair) error {
	names := map[string]bool{}
	for _, m := range repairs {
		names[m.Tenant] = true
	}
	delete(names, "") // the farm
	return a.withHost(f, false, func(h *session.Host) error {
		board := a.board(nil, len(names))
		outcomes, err := repair.Run(ctx, h, repairs, board)
		board.Close()
		for _, o := range outcomes {
			if o.Status != session.Done {
				err = errors.Join(err, fmt.Errorf("%s: %w", o.Tenant.Name, o.Err))
			}
		}
		return err
	})
}

// repairRow is one repair in JSON.
type repairRow struct {
	Rule   string `json:"rule"`
	Tenant string `json:"tenant,omitempty"`
	Repair string `json:"repair"`
}

// listRepairs prints the repairs of --fix.
func (a *app) listRepairs(repairs []repair.Repair, format string) error {
	rows, table := []repairRow{}, [][]any{}
	for _, m := range repairs {
		rows = append(rows, repairRow{m.Rule, m.Tenant, m.What})
		table = append(table, repairLine(m))
	}
	if format == "json" {
		if err := ui.WriteJSON(a.stdout, map[string]any{"command": "audit --fix", "repairs": rows}); err != nil {
			return err
		}
	} else {
		ui.Table(a.stdout, []any{"name", "rule", "would"}, table)
	}
	if len(repairs) > 0 {
		return errFound
	}
	return nil
}

// showRepairs prints the repairs on standard error: the result follows later.
func (a *app) showRepairs(repairs []repair.Repair) {
	var table [][]any
	for _, m := range repairs {
		table = append(table, repairLine(m))
	}
	ui.Table(a.stderr, []any{"name", "rule", "will"}, table)
}

func repairLine(m repair.Repair) []any {
	name := m.Tenant
	if name == "" {
		name = "the farm"
	}
	return []any{name, m.Rule, ui.Clean(m.What)}
}
