package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// PreviewRestore returns the changes that Restore would make. loses reports whether
// content of a wiki would be lost.
func PreviewRestore(ctx context.Context, h *session.Host, t *tenants.Tenant, o RestoreOptions) (p *plan.Plan, loses bool, err error) {
	planned := &plan.Tenant{Name: t.Name}
	p = &plan.Plan{Tenants: []*plan.Tenant{planned}}
	if t.Blocked() {
		planned.Add(plan.Blocked, "%s", session.InTheWay(t.Faults))
		return p, false, nil
	}
	k := &task{recovery: &recovery{Host: h}, tenant: t}
	if k.server, err = h.Server(ctx, t.Server); err != nil {
		return nil, false, err
	}
	k.ledger, err = h.Ledger(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	if k.ledger != nil {
		if k.row, _, err = k.ledger.Tenant(ctx, t.Name); err != nil {
			return nil, false, err
		}
	}
	rs, err := k.restoration(ctx, o)
	switch {
	case errors.As(err, new(*blockedError)):
		planned.Add(plan.Blocked, "%s", err)
		return p, false, nil
	case err != nil:
		return nil, false, err
	}
	planned.Add(plan.Restore, "%s", rs.outline(ctx))
	return p, !rs.Fresh && !rs.resumes(), nil
}

// resumes reports whether another run began the restore.
func (r *restoration) resumes() bool { return r.Run != r.RunID }

// outline returns a sentence about the content that would be restored and lost.
func (r *restoration) outline(ctx context.Context) string {
	what := "database and uploads"
	if r.Only != "" {
		what = "the " + string(r.Only)
	}
	if r.Fresh {
		what = "a new wiki: database, accounts, secrets, uploads, release"
	}
	from := r.Archive
	if r.snapshot != nil {
		from = r.snapshot.Place()
	}
	what = fmt.Sprintf("%s as on %s UTC, from %s, on MediaWiki %s", what, r.manifest.Taken.UTC().Format(time.DateTime), from, r.code.Version)
	other := r.manifest.Name != r.tenant.Name
	if other {
		what += fmt.Sprintf(", of the wiki %s", r.manifest.Name)
	}
	switch {
	case r.resumes():
		what += fmt.Sprintf("; run %s began that", r.Run)
	case r.Fresh:
	case other:
		what += "; what it holds now is backed up first"
	default:
		if lost, err := r.server.Since(ctx, r.tenant.Database, r.manifest.Taken); err == nil {
			what += "; made since: " + lost.String()
		}
		what += "; what it holds now is backed up first"
	}
	return what
}
