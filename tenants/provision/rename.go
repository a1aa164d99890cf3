package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
)

// checkRename lists the moves of a renamed tenant, or its obstacles.
func (l *planner) checkRename(p *Planned) {
	t, row := p.tenant, p.row
	found, from, to := l.found[t.Server.Name], p.From, t.Name
	block := func(format string, args ...any) {
		p.Add(plan.Blocked, "it is %s in the ledger, and can't be renamed: "+format, append([]any{from}, args...)...)
	}
	open := l.open[from]
	other := l.half[from]
	switch {
	case other != "" && other != to:
		block("a rename to %s was interrupted; give it that name or %s, run wikictl apply, and rename it then", other, from)
	case open.Run != "":
		block("%s; give it back its name and run %s", upgrading(open), open.Completion())
	case row.State != ledger.Ready:
		block("it is not finished (state %s); give it back its name and run wikictl create %s", row.State, from)
	case row.ComponentSet != t.ComponentSet(t.Codebase):
		block("its code changes, too; give it back its name and run wikictl upgrade %s, or rename it first, with the codebase, extensions and skins that it has", from)
	case !found.Databases[row.Database]:
		block("the database %s is gone from server %s; restore it from a backup", row.Database, row.Server)
	case !deploy.Exists(l.Layout.Secrets(from)) && !deploy.Exists(l.Layout.Secrets(to)):
		block("%s", deploy.SecretsMissing(l.Layout, from))
	case deploy.Exists(l.Layout.Secrets(from)) && deploy.Exists(l.Layout.Secrets(to)):
		block("%s is there already", l.Layout.Secrets(to))
	case isFolder(l.Layout.Wiki(from)) && isFolder(l.Layout.Wiki(to)):
		block("%s is there already", l.Layout.Wiki(to))
	default:
		if why := l.namedBy(t); why != "" {
			block("%s", why)
			return
		}
		l.listRename(p)
	}
}

// namedBy returns why a tenant can't be renamed alone, or "": others that have its accounts or show
// its files name its folder in their settings. With the old name they would miss its files, and
// that it is read-only or closed.
func (l *planner) namedBy(t *tenants.Tenant) string {
	var alone, older []string
	for _, other := range t.NamingIt() {
		row := cmp.Or(l.renamed[other.Name], l.rows[other.Name])
		switch {
		case row.State != ledger.Ready:
		case otherCode(other, row, l.open[row.Name]) != "":
			older = append(older, other.Name)
		case !slices.Contains(l.chosen, other):
			alone = append(alone, other.Name)
		}
	}
	switch {
	case len(older) > 0:
		names := strings.Join(older, " ")
		return fmt.Sprintf("the settings of %s name its folder and can't follow before an upgrade; give it back its name and run wikictl upgrade %s", strings.Join(older, ", "), names)
	case len(alone) > 0:
		return fmt.Sprintf("the settings of %s name its folder; rename it together with them: wikictl apply %s %s", strings.Join(alone, ", "), t.Name, strings.Join(alone, " "))
	}
	return ""
}

func (l *planner) listRename(p *Planned) {
	p.Add(plan.Rename, "from %s; database %s on server %s and its accounts stay", p.From, p.row.Database, p.row.Server)
	for _, place := range []func(string) string{l.Layout.Wiki, l.Layout.Secrets, l.Layout.Logs, l.Layout.Backups, l.Layout.Vhost, l.Layout.Pool} {
		if from := place(p.From); deploy.Exists(from) {
			p.Add(plan.Rename, "%s becomes %s", from, place(p.Name))
		}
	}
}

// move moves a tenant's files under its new name. The ledger has the old one until the
// end, so that the next run finds an interrupted rename.
func (c *creation) move(ctx context.Context, j *job) error {
	if err := c.same(ctx, j); err != nil {
		return err
	}
	if _, found, err := c.ledger.Tenant(ctx, j.tenant.Name); found || err != nil {
		return errors.Join(ledger.ErrStale, err)
	}
	return c.Deploy.Rename(ctx, j.row.Name, j.tenant.Name)
}

// moved completes the rename of a tenant that has answered under its new name. It removes
// old releases, which contain the old folder's name.
func (c *creation) moved(ctx context.Context, j *job) error {
	from, to := j.row.Name, j.tenant.Name
	if err := c.Deploy.DropAlias(from); err != nil {
		return err
	}
	if err := c.Deploy.Prune(ctx, to, 1); err != nil {
		return err
	}
	for _, place := range []func(string) string{c.Layout.Vhost, c.Layout.Pool, c.Layout.Wiki, c.Layout.Secrets, c.Layout.Logs, c.Layout.Backups} {
		if path := place(from); deploy.Exists(path) {
			return fmt.Errorf("%s still exists after the move", path)
		}
	}
	return c.ledger.Rename(ctx, from, to, c.RunID, c.Layout.Backups(from), c.Layout.Backups(to))
}
