package observe

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// Farm is what is on disk of the farm as a whole, and what answers for it.
type Farm struct {
	deploy.FarmInspection
	Vhost     []deploy.Change                             // of the virtual host for names of no tenant
	Code      map[*tenants.Codebase]deploy.CodeInspection // of those that are used
	Stranger  string                                      // the database of the wiki that answers for a name of none
	CLI       map[*tenants.Codebase]php.Platform          // of those that are used and answer
	Silent    map[*tenants.Codebase]error                 // why the others don't
	FPM       *php.Platform                               // nil: it was not asked, or does not say
	FPMSilent error                                       // why it does not say
}

// StrangeHost is a host name that no wiki has (RFC 6761, section 6.4).
const StrangeHost = "wikictl-audit.invalid"

// inspectFarm looks at what is no one tenant's: the code and PHP that the tenants
// use, and when all of them are looked at what they share.
func inspectFarm(ctx context.Context, h *session.Host, w Scope, rows map[string]ledger.Tenant) (s Farm, err error) {
	if !deploy.Exists(h.Layout.Vhosts()) {
		return s, nil // nothing of it was created yet
	}
	if err := s.inspectCode(ctx, h, used(w, rows)); err != nil {
		return s, err
	}
	if !w.Quick {
		s.FPM, s.FPMSilent = askFPM(ctx, h, w)
	}
	if w.Whole {
		err = s.inspectShared(ctx, h, w, rows)
	}
	return s, errors.Join(err, ctx.Err())
}

// inspectShared looks at the state folder, and for who answers where nobody should.
func (s *Farm) inspectShared(ctx context.Context, h *session.Host, w Scope, rows map[string]ledger.Tenant) (err error) {
	if s.FarmInspection, err = h.Deploy.InspectFarm(names(w.Farm.Tenants, rows)); err != nil {
		return err
	}
	if rows == nil {
		s.Strays = nil // whose they are is not known
	}
	vhost, err := h.Templates.Default(w.Farm)
	if err != nil {
		return err
	}
	if s.Vhost, err = h.Deploy.Compare(ctx, deploy.Source{Default: vhost}, false); err != nil || w.Quick {
		return err
	}
	if info, err := wiki.Probe(ctx, w.Farm.Web.Probe, StrangeHost); err == nil {
		s.Stranger = info.DBName
	}
	return nil
}

// names are those of the definitions and of the ledger: what was renamed or taken
// out of the definitions and not applied yet is no stray.
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

// used are the codebases that tenants want or run on, each once.
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

// inspectCode looks at codebases and at their PHP.
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
	return ctx.Err()
}

// askFPM asks php-fpm what it is: the farm's, or any tenant's pool, as all pools
// are of one php-fpm.
func askFPM(ctx context.Context, h *session.Host, w Scope) (*php.Platform, error) {
	address := w.Farm.Web.FPM
	if w.Farm.Web.Pools {
		i := slices.IndexFunc(w.List, func(t *tenants.Tenant) bool { return deploy.Exists(h.Layout.PoolSocket(t.Name)) })
		if i < 0 {
			return nil, errors.New("no wiki's pool is there to ask php-fpm by")
		}
		address = "unix:" + h.Layout.PoolSocket(w.List[i].Name)
	}
	p, err := php.ReadServedPlatform(ctx, address, h.Layout.PlatformScript())
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Programs are codebases, one for each PHP.
func (f *Farm) Programs() []*tenants.Codebase {
	sorted := slices.SortedFunc(maps.Keys(f.CLI), func(a, b *tenants.Codebase) int { return strings.Compare(a.Name, b.Name) })
	seen := map[string]bool{}
	return slices.DeleteFunc(sorted, func(c *tenants.Codebase) bool {
		again := seen[c.PHP]
		seen[c.PHP] = true
		return again
	})
}
