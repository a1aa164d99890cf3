package audit

import (
	"context"
	"fmt"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Mend is one thing that Fix does about a finding.
type Mend struct {
	Rule   string // that found it
	Tenant string // empty: it is the farm's
	What   string // for a person, such as "chmod 0640 /…/LocalSettings.php"

	do  func(ctx context.Context, h *session.Host) error
	row ledger.Tenant // of the tenant, as it was when it was looked at
}

// mends are the rules whose findings are safe to mend, and how: at a tenant, or
// at the farm as a whole when t is nil. A wiki's content, its definitions and what
// somebody may have meant are never changed.
var mends = map[string]func(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend{
	"link-broken":    mendLinks,
	"cache-missing":  mendCache,
	"file-mode":      mendRights,
	"file-owner":     mendRights,
	"folder-mode":    mendRights,
	"release-unused": mendReleases,
	"file-half":      mendHalf,
	"php-unasked":    mendScript,
	"grant-missing":  mendGrants,
	"database-mark":  mendMark,
}

// Mends are what Fix can do about the findings of a report, in their order. there is what
// they were found in.
func Mends(f *tenants.Farm, o *Observed, r Report) []Mend {
	var all []Mend
	done := map[string]bool{}
	for _, found := range r.Findings {
		mend := mends[found.Rule]
		if mend == nil {
			continue
		}
		names := found.Tenants
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			for _, m := range mend(f, o, f.Tenant(name)) {
				m.row = o.ledger[name]
				if m.Rule, m.Tenant = found.Rule, name; !done[name+"\n"+m.What] {
					done[name+"\n"+m.What] = true
					all = append(all, m)
				}
			}
		}
	}
	return all
}

func mendLinks(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend {
	d := o.disk[t.Name]
	if d.code == nil {
		return nil // there is no code to lead it to
	}
	return []Mend{{
		What: fmt.Sprintf("lead %s and core to the latest release on %s", f.Layout().Current(t.Name), d.code.Path),
		do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.MendLinks(ctx, t.Name, d.code.Path) },
	}}
}

func mendCache(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend {
	path := f.Layout().Cache(t.Name)
	return []Mend{{
		What: "make the folder " + path,
		do:   func(_ context.Context, h *session.Host) error { return h.Deploy.MakeOwn(t.Name, path) },
	}}
}

func mendRights(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend {
	all := o.farm.Rights
	if t != nil {
		all = o.disk[t.Name].Rights
	}
	var list []Mend
	for _, r := range all {
		list = append(list, Mend{
			What: r.Path + ": " + r.MendText(),
			do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.SetRights(ctx, r) },
		})
	}
	return list
}

func mendReleases(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend {
	d := o.disk[t.Name]
	unused := deploy.Unused(d.Inspection, d.needed)
	return []Mend{{
		What: fmt.Sprintf("remove %s of %s", numbered("release", unused), f.Layout().Releases(t.Name)),
		do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.Discard(ctx, t.Name, unused) },
	}}
}

func mendHalf(f *tenants.Farm, o *Observed, t *tenants.Tenant) []Mend {
	paths := o.farm.Leftovers
	if t != nil {
		paths = o.disk[t.Name].left()
	}
	return []Mend{{
		What: "remove " + strings.Join(paths, ", "),
		do: func(ctx context.Context, h *session.Host) error {
			for _, path := range paths {
				if err := h.Deploy.RemoveLeftover(ctx, path); err != nil {
					return err
				}
			}
			return nil
		},
	}}
}

func mendScript(f *tenants.Farm, _ *Observed, _ *tenants.Tenant) []Mend {
	return []Mend{{
		What: "write " + f.Layout().PlatformScript() + ", by which php-fpm is asked what it is",
		do:   func(_ context.Context, h *session.Host) error { return h.WritePlatformScript() },
	}}
}

// mendMark marks a database, unless its accounts show that it is not the tenant's.
func mendMark(_ *tenants.Farm, _ *Observed, t *tenants.Tenant) []Mend {
	return []Mend{{
		What: fmt.Sprintf("give the database %s the farm's mark", t.Database),
		do: func(ctx context.Context, h *session.Host) error {
			s, err := h.Server(ctx, t.Server)
			if err != nil {
				return err
			}
			return s.Mark(ctx, h.AccountsOf(t))
		},
	}}
}

// mendGrants gives a tenant's two accounts, which have the passwords of its secrets
// file, their grants.
func mendGrants(_ *tenants.Farm, _ *Observed, t *tenants.Tenant) []Mend {
	return []Mend{{
		What: fmt.Sprintf("grant %s and %s what they need on %s", t.WebAccount(), t.SchemaAccount(), t.Database),
		do: func(ctx context.Context, h *session.Host) error {
			secrets, err := h.Deploy.ReadSecrets(t.Name)
			if err != nil {
				return err
			}
			s, err := h.Server(ctx, t.Server)
			if err != nil {
				return err
			}
			return s.EnsureAccounts(ctx, session.Accounts(t, secrets))
		},
	}}
}
