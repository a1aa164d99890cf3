package observe

import (
	"context"
	"crypto/x509"
	"runtime"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// Wiki is the state of a tenant's files and its answers. A tenant that a run changes
// meanwhile has none.
type Wiki struct {
	deploy.Inspection
	Unread     error // why the other fields are unknown
	Row        ledger.Tenant
	Code       *tenants.Codebase // codebase that it runs on; nil: no codebase matches its database any more
	Changes    []deploy.Change   // differences of its files from those rendered for Code
	Uncompared error             // why Changes is empty
	Secrets    error             // why its secrets file can't be read
	Known      []string          // the secrets in that file, for masking
	Needed     int               // the release that a rollback would return to; zero: none

	Backups   backup.Listing
	HalfDumps []string         // abandoned
	Latest    *backup.Dump     // nil: no dump has a description
	Damaged   error            // why the latest dump is unusable
	Archive   *archive.Archive // the latest backup; nil: none exists, or this user may not read it

	Links     error  // links that lead out of the upload folder; nil if not inspected
	Omitted   string // files of the upload folder that no backup has; empty: none, or not inspected
	Unscanned error  // why the upload folder was not inspected

	Stored StoredUploads // zero if not compared

	Answers []Answer          // one per host name; empty if not asked
	Sent    *x509.Certificate // what the web server sends by TLS; nil: unknown, or not asked
}

// inspectWikis inspects, concurrently, every tenant that was created and has no open upgrade.
func inspectWikis(ctx context.Context, h *session.Host, w Scope, servers map[string]Server, seen LedgerState) (map[string]*Wiki, error) {
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
	for _, t := range w.List {
		if _, upgrading := seen.Upgrades[t.Name]; !upgrading && seen.tenants[t.Name].State == ledger.Ready {
			ready = append(ready, t)
		}
	}
	states := map[string]*Wiki{}
	options := fleet.Options[*tenants.Tenant]{Jobs: 2 * runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, ready, options, func(ctx context.Context, t *tenants.Tenant) (*Wiki, error) {
		s := &Wiki{Row: seen.tenants[t.Name], Needed: neededBy(undo[t.Name], seen.tenants[t.Name])}
		return s, s.inspect(ctx, h, servers, t, w.Quick)
	}) {
		if states[r.Item.Name] = r.Value; r.Err != nil {
			states[r.Item.Name] = &Wiki{Row: seen.tenants[r.Item.Name], Unread: r.Err}
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return states, nil
}

// neededBy returns the release that wikictl rollback would return to.
func neededBy(last ledger.Upgrade, now ledger.Tenant) int {
	if last.Backup == "" || last.NewSet != now.ComponentSet {
		return 0
	}
	return last.OldRelease
}

// inspect inspects one tenant.
func (s *Wiki) inspect(ctx context.Context, h *session.Host, servers map[string]Server, t *tenants.Tenant, quick bool) (err error) {
	if s.Inspection, err = h.Deploy.Inspect(t.Name); err != nil {
		return err
	}
	s.Code = runsOn(h.Farm, t, s.Row)
	var all secrets.Secrets
	all, s.Secrets = h.Deploy.ReadSecrets(t.Name)
	s.Known = all.Reveal()
	if s.Secrets == nil && s.Code != nil && len(s.Broken) == 0 {
		s.Changes, s.Uncompared = compareFiles(ctx, h, t, s.Code)
	}
	if err := s.inspectBackups(h.Layout.Backups(t.Name), quick); err != nil {
		return err
	}
	if err := s.inspectArchives(h.Layout.ArchivesOf(t.Name), quick); err != nil {
		return err
	}
	if !quick {
		s.inspectUploads(ctx, h.Layout.Images(t.Name))
		s.compareUploads(ctx, servers, t, h.Layout.Images(t.Name), func() {
			probe := h.Farm.ProbeBy(t.Hosts[0])
			s.Answers = ask(ctx, probe, t)
			s.Sent, _ = wiki.Certificate(ctx, probe, t.Hosts[0]) // an error is one of Answers, too
		})
	}
	return ctx.Err()
}

// runsOn returns the codebase for which a tenant's database was made or upgraded, which
// may differ from the wanted one.
func runsOn(f *tenants.Farm, t *tenants.Tenant, row ledger.Tenant) *tenants.Codebase {
	for _, c := range []*tenants.Codebase{t.Codebase, f.Codebases[row.Codebase]} {
		if c != nil && t.ComponentSet(c) == row.ComponentSet {
			return c
		}
	}
	return nil
}

func compareFiles(ctx context.Context, h *session.Host, t *tenants.Tenant, c *tenants.Codebase) ([]deploy.Change, error) {
	want, err := h.Wanted(ctx, t, c)
	if err != nil {
		return nil, err
	}
	return h.Deploy.Compare(ctx, deploy.Of(want), false)
}

// AllHalfWritten lists the partial files and dumps of killed processes.
func (d *Wiki) AllHalfWritten() []string { return slices.Concat(d.HalfWritten, d.HalfDumps) }
