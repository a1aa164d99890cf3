package upgrade

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"wikictl/migrations/upgrade/ahead"
	"wikictl/migrations/upgrade/forecast"
	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// Ahead selects whether rows are moved for the new code while the old code still serves.
type Ahead string

// Values of Ahead.
const (
	AheadAuto Ahead = "auto" // if the updater would go through many rows one by one
	AheadOnly Ahead = "only" // wherever possible, and do nothing else
	AheadNo   Ahead = "no"   // move all rows while the wiki is read-only
)

// aheadFrom is the number of seconds of row-by-row work in the updater from which
// AheadAuto moves rows ahead.
const aheadFrom = 15

// errDrained ends work that may be interrupted at any time.
var errDrained = errors.New("asked to stop")

// goAhead moves data for the new code while the old code serves and people edit. It can
// be interrupted, repeated or abandoned: the old code does not read the moved data, and the
// updater moves the rest. It returns an error only if the run has to stop.
func (k *task) goAhead(ctx context.Context) error {
	if len(k.plan.wiki.Ahead) == 0 {
		return nil
	}
	var done []string
	err := k.held(ctx, stepAhead, func() error {
		has, err := k.server.Columns(ctx, k.tenant.Database, ahead.Columns())
		if err != nil {
			return err
		}
		list, why := ahead.For(k.plan.New, k.tenant.Codebase.Path, has)
		for _, c := range list {
			if err := k.move(ctx, c); err != nil {
				why[c.Table] = err
				continue
			}
			done = append(done, c.Table)
		}
		return notMoved(why)
	})
	k.plan.wiki.Ahead = done
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, errDrained), k.up.o.Ahead == AheadOnly:
		return err
	default:
		k.remarks = append(k.remarks, "update.php moved some rows, which could not be moved ahead: "+err.Error())
	}
	return nil
}

// notMoved joins the reasons why changes were not made, sorted by table.
func notMoved(why map[string]error) error {
	var errs []error
	for _, table := range ahead.Tables() {
		if why[table] != nil {
			errs = append(errs, fmt.Errorf("%s: %w", table, why[table]))
		}
	}
	return errors.Join(errs...)
}

// move makes one change.
func (k *task) move(ctx context.Context, c ahead.Change) error {
	if err := k.drained(); err != nil {
		return err
	}
	if len(c.Specs) > 0 {
		k.up.run.Progress(k.tenant.Name, "ahead: columns of "+c.Alter)
		if err := k.server.AlterOnline(ctx, k.tenant.Database, c.Alter, c.Specs); err != nil {
			return err
		}
	}
	if c.Fill == nil {
		return k.moveByScript(ctx, c)
	}
	return k.server.FillOnline(ctx, k.tenant.Database, c.Fill.Table, c.Fill.Column, c.Fill.Statements, func(share float64) error {
		k.up.run.Progress(k.tenant.Name, fmt.Sprintf("ahead: %s, %.0f %%", c.Table, 100*share))
		return k.drained()
	})
}

// moveByScript moves data by a script of the new code. The script's entry in the
// updater's log is removed before the updater runs.
func (k *task) moveByScript(ctx context.Context, c ahead.Change) error {
	if err := k.up.WriteAdminSettings(); err != nil {
		return err
	}
	settings := filepath.Join(k.up.Layout.Release(k.tenant.Name, k.up.releases[k.tenant.Name].Release), "LocalSettings.php")
	job := php.Admin(k.tenant.Codebase.Path, c.Script, settings, k.up.Layout.AdminSettings(), k.accounts.Schema.Name, k.accounts.Schema.Password.Reveal(), c.Args...)
	k.up.run.Progress(k.tenant.Name, fmt.Sprintf("ahead: %s, about %s", c.Table, forecast.Text(k.up.rates.Ahead(k.plan.wiki, c.Table))))
	_, err := k.up.script(ctx, k.tenant.Name, stepAhead, k.tenant.Codebase, job)
	return k.stopWork(ctx, err)
}

// drained returns errDrained once the run was asked to stop.
func (k *task) drained() error {
	select {
	case <-k.up.o.Drain:
		return errDrained
	default:
		return nil
	}
}

// unfinished makes the updater repeat the moves, because rows may have been added since.
func (k *task) unfinished(ctx context.Context) error {
	if !k.plan.code {
		return nil
	}
	tables, err := k.definitions(ctx)
	if err != nil {
		return err
	}
	has := tables.Columns(ahead.Columns())
	return k.server.ForgetUpdates(ctx, k.tenant.Database, ahead.Unfinished(has))
}

// aheadOnly returns the status of a tenant for which rows were only moved ahead.
func (k *task) aheadOnly(ctx context.Context) (session.Status, error) {
	switch err := k.goAhead(ctx); {
	case errors.Is(err, errDrained):
		return session.Skipped, err
	case ctx.Err() != nil:
		return session.Failed, err
	case err != nil:
		return session.Failed, tenants.WithHint(err, "it is open and unharmed; wikictl upgrade "+k.tenant.Name+" leaves to update.php what could not be moved ahead")
	case len(k.plan.wiki.Ahead) == 0:
		return session.Unchanged, nil
	}
	k.note("rows of %s were moved ahead; the wiki is open, on MediaWiki %s", strings.Join(k.plan.wiki.Ahead, ", "), k.plan.row.Version)
	return session.Done, nil
}

// expectAhead decides whether rows of a tenant are moved ahead, and adds remarks about
// it.
func (j *Planned) expectAhead(rates forecast.Rates, o Options) {
	saved := rates.OneByOne(j.wiki, ahead.Tables())
	if !j.code || j.Interrupted != "" || o.Ahead == AheadNo || saved == 0 || o.Ahead != AheadOnly && saved < aheadFrom {
		return
	}
	j.wiki.Ahead = ahead.Tables()
	j.Remarks = append(j.Remarks, fmt.Sprintf("moves rows ahead for about %s while it is open, which takes about %s off the time that it is read-only",
		forecast.Text(rates.Ahead(j.wiki, j.wiki.Ahead...)), forecast.Text(saved)))
}
