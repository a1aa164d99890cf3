package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// ownSteps lists the farm's steps for a tenant before or after the updater.
func ownSteps(f *tenants.Farm, t *tenants.Tenant, after bool) (list []tenants.UpgradeStep) {
	for _, s := range f.UpgradeSteps {
		if s.After == after && s.For(t) {
			list = append(list, s)
		}
	}
	return list
}

// stepProblems lists missing scripts of the farm's steps: in the old codebase for steps
// before the updater, in the new one for steps after it.
func stepProblems(f *tenants.Farm, t *tenants.Tenant, old *tenants.Codebase) (problems []string) {
	for _, after := range []bool{false, true} {
		code := old
		if after {
			code = t.Codebase
		}
		for _, s := range ownSteps(f, t, after) {
			if code == nil {
				problems = append(problems, fmt.Sprintf("%s: upgrade.step: %s has to run before the updater, on the wiki's current codebase, which wikictl.toml does not define any more", s.Position, s.Script))
				continue
			}
			if _, err := os.Stat(filepath.Join(code.Path, s.Script)); err != nil {
				why := err.Error()
				if errors.Is(err, fs.ErrNotExist) {
					why = fmt.Sprintf("codebase %s has no such script", code.Name)
				}
				problems = append(problems, fmt.Sprintf("%s: upgrade.step: %s: %s; restrict the step by where to wikis whose codebase has it", s.Position, s.Script, why))
			}
		}
	}
	return problems
}

// checkSteps blocks the tenants for which a step's script is missing.
func (p *Plan) checkSteps(h *session.Host) {
	for _, j := range p.Tenants {
		if j.code && j.own == 0 {
			j.Problems = append(j.Problems, stepProblems(h.Farm, j.tenant, h.Farm.Codebases[j.row.Codebase])...)
		}
	}
}

// before runs the farm's steps before the updater, with the old code. A run that
// continues an interrupted one skips them, and says so: the old code can't read a
// half-upgraded database, and the interrupted run may not have come to them.
func (k *task) before(ctx context.Context) error {
	list := ownSteps(k.up.Farm, k.tenant, false)
	if !k.plan.code || len(list) == 0 {
		return nil
	}
	if k.now.Run != k.up.RunID {
		for _, s := range list {
			k.remarks = append(k.remarks, fmt.Sprintf("%s: upgrade.step: %s was not run again, because the database may be half upgraded: run %s may have been interrupted before it; see its logs", s.Position, s.Script, k.now.Run))
		}
		return nil
	}
	if err := k.own(ctx, list, k.up.Farm.Codebases[k.plan.row.Codebase], k.up.Layout.LocalSettings(k.tenant.Name)); err != nil {
		return err
	}
	return k.countNow(ctx, nil) // rows that the steps removed are no losses of the updater
}

// after runs the farm's steps after the updater, with the new code.
func (k *task) after(ctx context.Context) error {
	list := ownSteps(k.up.Farm, k.tenant, true)
	if !k.plan.code || len(list) == 0 {
		return nil
	}
	return k.own(ctx, list, k.tenant.Codebase, filepath.Join(k.up.Layout.Release(k.tenant.Name, k.now.NewRelease), "LocalSettings.php"))
}

// own runs steps of the farm in order until one fails.
func (k *task) own(ctx context.Context, list []tenants.UpgradeStep, c *tenants.Codebase, settings string) error {
	if c == nil {
		return fmt.Errorf("the codebase %s is not in wikictl.toml any more", k.plan.row.Codebase)
	}
	if err := k.up.WriteAdminSettings(); err != nil {
		return err
	}
	k.tables, k.pure, k.same = nil, false, false
	for _, s := range list {
		job := php.Admin(c.Path, filepath.Join(c.Path, s.Script), settings, k.up.Layout.AdminSettings(),
			k.accounts.Schema.Name, k.accounts.Schema.Password.Reveal(), s.Arguments...)
		if _, err := k.up.script(ctx, k.tenant.Name, stepLog(s), c, job); err != nil {
			return k.stopWork(ctx, fmt.Errorf("%s: upgrade.step: %w", s.Position, err))
		}
	}
	return nil
}

// stepLog returns the name of a step's log; the line in wikictl.toml distinguishes two
// steps with one script.
func stepLog(s tenants.UpgradeStep) string {
	return fmt.Sprintf("step-%d-%s", s.Position.Line, strings.TrimSuffix(filepath.Base(s.Script), ".php"))
}
