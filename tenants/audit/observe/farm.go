package observe

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/components"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// Farm is the state of files and programs that belong to no single tenant.
type Farm struct {
	deploy.FarmInspection
	Vhost     []deploy.Change                             // of the virtual host for unknown host names
	Files     []deploy.Change                             // of the farm as a whole
	Faults    []deploy.FileFault                          // of the farm's files that wikictl does not write
	Code      map[*tenants.Codebase]deploy.CodeInspection // of the codebases in use
	Outside   map[string]deploy.CodeInspection            // of extensions and skins outside of the codebases, by key, such as "extensions.Foo"
	Fetched   []components.Check                          // of the fetched extensions and skins
	Stranger  string                                      // the database of the wiki that answers for an unknown host name
	CLI       map[*tenants.Codebase]php.Platform          // of the codebases in use whose PHP answers
	Silent    map[*tenants.Codebase]error                 // errors of the codebases in use whose PHP does not answer
	FPM       *php.Platform                               // nil: not asked, or no answer
	FPMAt     string                                      // address of the pool that was asked; empty: none
	FPMSilent error                                       // why FPM is nil
}

// StrangeHost is a host name that no wiki can have (RFC 6761, section 6.4).
const StrangeHost = "wikictl-audit.invalid"

// inspectFarm inspects the codebases and PHPs of the tenants, and, if the scope is the
// whole farm, the shared files.
func inspectFarm(ctx context.Context, h *session.Host, w Scope, rows map[string]ledger.Tenant) (s Farm, err error) {
	if !deploy.Exists(h.Layout.Vhosts()) {
		return s, nil // no wiki has been created yet
	}
	if err := s.inspectCode(ctx, h, used(w, rows)); err != nil {
		return s, err
	}
	if !w.Quick {
		s.FPM, s.FPMAt, s.FPMSilent = askFPM(ctx, h, w)
	}
	if w.Whole {
		err = s.inspectShared(ctx, h, w, rows)
	}
	return s, errors.Join(err, ctx.Err())
}

// inspectShared inspects the state folder, and requests a page for an unknown host name.
func (s *Farm) inspectShared(ctx context.Context, h *session.Host, w Scope, rows map[string]ledger.Tenant) (err error) {
	if s.FarmInspection, err = h.Deploy.InspectFarm(names(w.Farm.Tenants, rows)); err != nil {
		return err
	}
	if !w.Quick {
		s.Fetched = components.Verify(ctx, w.Farm, nil)
	}
	if rows == nil {
		s.Strays = nil // their tenants are unknown
	}
	vhost, shared, err := h.Default(session.Leaving{})
	if err != nil {
		return err
	}
	if err := s.inspectFiles(ctx, h); err != nil {
		return err
	}
	if s.Vhost, err = h.Deploy.Compare(ctx, deploy.Source{Default: vhost, Hosts: shared}, false); err != nil || w.Quick {
		return err
	}
	if info, err := wiki.Probe(ctx, w.Farm.Web.Probe, StrangeHost); err == nil {
		s.Stranger = info.DBName
	}
	return nil
}

// inspectFiles compares the files of the farm as a whole. Those that this user may not read
// are listed as unseen.
func (s *Farm) inspectFiles(ctx context.Context, h *session.Host) error {
	source, err := h.Source(ctx, nil, nil, session.Leaving{})
	if err != nil {
		return err
	}
	var faults []deploy.FileFault
	s.Files, faults, err = h.Deploy.CompareFiles(ctx, source, false)
	for _, f := range faults {
		if errors.Is(f.Err, fs.ErrPermission) {
			s.Unseen = append(s.Unseen, f.Path+": "+f.Err.Error())
			continue
		}
		s.Faults = append(s.Faults, f)
	}
	return err
}

// names returns the tenants' names in the definitions and in the ledger: the files of a
// tenant that was renamed or removed in the definitions, but not applied yet, are not
// strays.
func names(list []*tenants.Tenant, rows map[string]ledger.Tenant) map[string]bool {
	all := map[string]bool{}
	for _, t := range list {
		all[t.Name] = true
	}
	for name := range rows {
		all[name] = true
	}
	return all
}

// used returns the codebases that tenants want or run on, without duplicates.
func used(w Scope, rows map[string]ledger.Tenant) []*tenants.Codebase {
	var all []*tenants.Codebase
	for _, t := range w.List {
		for _, c := range []*tenants.Codebase{t.Codebase, w.Farm.Codebases[rows[t.Name].Codebase]} {
			if c != nil && !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

// inspectCode inspects codebases and their PHP.
func (s *Farm) inspectCode(ctx context.Context, h *session.Host, used []*tenants.Codebase) error {
	s.Code, s.CLI = map[*tenants.Codebase]deploy.CodeInspection{}, map[*tenants.Codebase]php.Platform{}
	s.Silent = map[*tenants.Codebase]error{}
	type found struct {
		code deploy.CodeInspection
		php  php.Platform
		mute error
	}
	used = slices.DeleteFunc(used, func(c *tenants.Codebase) bool { return len(c.Faults) > 0 })
	for _, r := range fleet.Run(ctx, used, fleet.Options[*tenants.Codebase]{Jobs: 4, MaxFailures: fleet.NoLimit},
		func(ctx context.Context, c *tenants.Codebase) (f found, err error) {
			f.php, f.mute = h.Platform(ctx, c)
			f.code, err = h.Deploy.InspectCode(c.Path)
			return f, err
		}) {
		switch err := cmp.Or(r.Err, r.Value.mute); {
		case err != nil:
			s.Silent[r.Item] = err
		default:
			s.Code[r.Item], s.CLI[r.Item] = r.Value.code, r.Value.php
		}
	}
	return errors.Join(s.inspectOutside(h, used), ctx.Err())
}

// inspectOutside inspects the extensions and skins outside of the codebases.
func (s *Farm) inspectOutside(h *session.Host, used []*tenants.Codebase) (err error) {
	s.Outside = map[string]deploy.CodeInspection{}
	known := map[string]bool{}
	for _, c := range used {
		for kind, have := range map[string]map[string]*tenants.Component{"extensions.": c.Extensions, "skins.": c.Skins} {
			for name, part := range have {
				if !filepath.IsAbs(part.Manifest) || part.Declared().Fault != "" || known[part.Path] {
					continue
				}
				known[part.Path] = true
				seen, failed := h.Deploy.InspectCode(part.Path)
				err = errors.Join(err, failed)
				before := s.Outside[kind+name]
				before.Writable = append(before.Writable, seen.Writable...)
				s.Outside[kind+name] = before
			}
		}
	}
	return err
}

// askFPM asks php-fpm for its platform, through the farm's pool or any tenant's: all
// pools belong to the same php-fpm.
func askFPM(ctx context.Context, h *session.Host, w Scope) (found *php.Platform, address string, err error) {
	address = w.Farm.Web.FPM
	if w.Farm.Web.Pools {
		i := slices.IndexFunc(w.List, func(t *tenants.Tenant) bool { return deploy.Exists(h.Layout.PoolSocket(t.Name)) })
		if i < 0 {
			return nil, "", errors.New("no wiki has a pool through which to ask php-fpm")
		}
		address = "unix:" + h.Layout.PoolSocket(w.List[i].Name)
	}
	p, err := php.ReadServedPlatform(ctx, address, h.Layout.PlatformScript())
	if err != nil {
		return nil, address, err
	}
	return &p, address, nil
}

// Programs returns one codebase for each PHP program.
func (f *Farm) Programs() []*tenants.Codebase {
	sorted := slices.SortedFunc(maps.Keys(f.CLI), func(a, b *tenants.Codebase) int { return strings.Compare(a.Name, b.Name) })
	seen := map[string]bool{}
	return slices.DeleteFunc(sorted, func(c *tenants.Codebase) bool {
		again := seen[c.PHP]
		seen[c.PHP] = true
		return again
	})
}
