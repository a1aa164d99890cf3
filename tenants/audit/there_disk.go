package audit

import (
	"context"
	"runtime"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// diskState is what one tenant has on disk, and what it answers. A run may change
// a tenant while it is looked at; of such a one there is no diskState.
type diskState struct {
	deploy.Inspection
	unread     error // why nothing else is known
	row        ledger.Tenant
	code       *tenants.Codebase // that it runs on; nil: no codebase is as it was then
	changes    []deploy.Change   // from what its definitions give for that code
	uncompared error             // why there are no changes
	secrets    error             // why its secrets can't be read
	known      []string          // those secrets, to be masked
	needed     int               // the release that a rollback would serve; zero: none

	backups   backup.Listing
	halfDumps []string     // that nobody writes any more
	latest    *backup.Dump // nil: there is none that is described
	damaged   error        // of the latest one

	answers []answer // one a host name; none when no wiki is asked
}

// lookAtTenants looks at every tenant that was created and is not being upgraded,
// by a look at the ledger, several at once.
func lookAtTenants(ctx context.Context, h *session.Host, w scope, seen ledgerState) (map[string]*diskState, error) {
	if seen.tenants == nil {
		return nil, nil
	}
	undo := map[string]ledger.Upgrade{}
	if len(seen.tenants) > 0 {
		l, err := h.Ledger(ctx)
		if err != nil {
			return nil, err
		}
		if undo, err = l.LastUpgraded(ctx); err != nil {
			return nil, err
		}
	}
	var ready []*tenants.Tenant
	for _, t := range w.list {
		if _, upgrading := seen.upgrades[t.Name]; !upgrading && seen.tenants[t.Name].State == ledger.Ready {
			ready = append(ready, t)
		}
	}
	states := map[string]*diskState{}
	looking := fleet.Options[*tenants.Tenant]{Jobs: 2 * runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, ready, looking, func(ctx context.Context, t *tenants.Tenant) (*diskState, error) {
		s := &diskState{row: seen.tenants[t.Name], needed: neededBy(undo[t.Name], seen.tenants[t.Name])}
		return s, s.look(ctx, h, t, w.quick)
	}) {
		if states[r.Item.Name] = r.Value; r.Err != nil {
			states[r.Item.Name] = &diskState{row: seen.tenants[r.Item.Name], unread: r.Err}
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return states, nil
}

// neededBy is the release that wikictl rollback would serve again.
func neededBy(last ledger.Upgrade, now ledger.Tenant) int {
	if last.Backup == "" || last.NewSet != now.ComponentSet {
		return 0
	}
	return last.OldRelease
}

// look looks at one tenant.
func (s *diskState) look(ctx context.Context, h *session.Host, t *tenants.Tenant, quick bool) (err error) {
	if s.Inspection, err = h.Deploy.Inspect(t.Name); err != nil {
		return err
	}
	s.code = runsOn(h.Farm, t, s.row)
	var all secrets.Secrets
	all, s.secrets = h.Deploy.ReadSecrets(t.Name)
	s.known = all.Reveal()
	if s.secrets == nil && s.code != nil && len(s.Broken) == 0 {
		s.changes, s.uncompared = compareFiles(ctx, h, t, s.code)
	}
	if err := s.lookAtBackups(h.Layout.Backups(t.Name), quick); err != nil {
		return err
	}
	if !quick {
		s.answers = ask(ctx, h.Farm.Web.Probe, t)
	}
	return ctx.Err()
}

// runsOn is the codebase that a tenant's database was made or upgraded for, which
// need not be the wanted one.
func runsOn(f *tenants.Farm, t *tenants.Tenant, row ledger.Tenant) *tenants.Codebase {
	for _, c := range []*tenants.Codebase{t.Codebase, f.Codebases[row.Codebase]} {
		if c != nil && t.ComponentSet(c) == row.ComponentSet {
			return c
		}
	}
	return nil
}

func compareFiles(ctx context.Context, h *session.Host, t *tenants.Tenant, c *tenants.Codebase) ([]deploy.Change, error) {
	want, err := h.Wanted(t, c)
	if err != nil {
		return nil, err
	}
	return h.Deploy.Compare(ctx, deploy.Of(want), false)
}

// left are files that killed processes left.
// left is everything of a tenant that was left half-written.
func (d *diskState) left() []string { return slices.Concat(d.Leftovers, d.halfDumps) }
