package audit

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

// farmState is what is on disk of the farm as a whole, and what answers for it.
type farmState struct {
	deploy.FarmInspection
	vhost     []deploy.Change                             // of the virtual host for names of no tenant
	code      map[*tenants.Codebase]deploy.CodeInspection // of those that are used
	stranger  string                                      // the database of the wiki that answers for a name of none
	cli       map[*tenants.Codebase]php.Platform          // of those that are used and answer
	mute      map[*tenants.Codebase]error                 // why the others don't
	fpm       *php.Platform                               // nil: it was not asked, or does not say
	fpmSilent error                                       // why it does not say
}

// strange is a host name that no wiki has (RFC 6761, section 6.4).
const strange = "wikictl-audit.invalid"

// lookAtFarm looks at what is no one tenant's: the code and PHP that the tenants
// use, and when all of them are looked at what they share.
func lookAtFarm(ctx context.Context, h *session.Host, w scope, rows map[string]ledger.Tenant) (s farmState, err error) {
	if !deploy.Exists(h.Layout.Vhosts()) {
		return s, nil // nothing of it was created yet
	}
	if err := s.lookAtCode(ctx, h, used(w, rows)); err != nil {
		return s, err
	}
	if !w.quick {
		s.fpm, s.fpmSilent = askFPM(ctx, h, w)
	}
	if w.whole {
		err = s.lookAtShared(ctx, h, w, rows)
	}
	return s, errors.Join(err, ctx.Err())
}

// lookAtShared looks at the state folder, and for who answers where nobody should.
func (s *farmState) lookAtShared(ctx context.Context, h *session.Host, w scope, rows map[string]ledger.Tenant) (err error) {
	if s.FarmInspection, err = h.Deploy.InspectFarm(names(w.farm.Tenants, rows)); err != nil {
		return err
	}
	if rows == nil {
		s.Strays = nil // whose they are is not known
	}
	vhost, err := h.Templates.Default(w.farm)
	if err != nil {
		return err
	}
	if s.vhost, err = h.Deploy.Compare(ctx, deploy.Source{Default: vhost}, false); err != nil || w.quick {
		return err
	}
	if info, err := wiki.Probe(ctx, w.farm.Web.Probe, strange); err == nil {
		s.stranger = info.DBName
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
func used(w scope, rows map[string]ledger.Tenant) []*tenants.Codebase {
	var all []*tenants.Codebase
	for _, t := range w.list {
		for _, c := range []*tenants.Codebase{t.Codebase, w.farm.Codebases[rows[t.Name].Codebase]} {
			if c != nil && !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

// lookAtCode looks at codebases and at their PHP.
func (s *farmState) lookAtCode(ctx context.Context, h *session.Host, used []*tenants.Codebase) error {
	s.code, s.cli = map[*tenants.Codebase]deploy.CodeInspection{}, map[*tenants.Codebase]php.Platform{}
	s.mute = map[*tenants.Codebase]error{}
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
			s.mute[r.Item] = err
		default:
			s.code[r.Item], s.cli[r.Item] = r.Value.code, r.Value.php
		}
	}
	return ctx.Err()
}

// askFPM asks php-fpm what it is: the farm's, or any tenant's pool, as all pools
// are of one php-fpm.
func askFPM(ctx context.Context, h *session.Host, w scope) (*php.Platform, error) {
	address := w.farm.Web.FPM
	if w.farm.Web.Pools {
		i := slices.IndexFunc(w.list, func(t *tenants.Tenant) bool { return deploy.Exists(h.Layout.PoolSocket(t.Name)) })
		if i < 0 {
			return nil, errors.New("no wiki's pool is there to ask php-fpm by")
		}
		address = "unix:" + h.Layout.PoolSocket(w.list[i].Name)
	}
	p, err := php.ReadServedPlatform(ctx, address, h.Layout.PlatformScript())
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// programs are codebases, one for each PHP.
func (f *farmState) programs() []*tenants.Codebase {
	sorted := slices.SortedFunc(maps.Keys(f.cli), func(a, b *tenants.Codebase) int { return strings.Compare(a.Name, b.Name) })
	seen := map[string]bool{}
	return slices.DeleteFunc(sorted, func(c *tenants.Codebase) bool {
		again := seen[c.PHP]
		seen[c.PHP] = true
		return again
	})
}
