// Package repair corrects findings of an audit where that is safe: links, modes, grants,
// leftovers. It changes no wiki's content and no definition.
package repair

import (
	"context"
	"fmt"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Repair is one act that removes the cause of a finding.
type Repair struct {
	Rule   string // the finding's rule
	Tenant string // empty: the farm
	What   string // for a person, such as "chmod 0640 /…/LocalSettings.php"

	do  func(ctx context.Context, h *session.Host) error
	row ledger.Tenant // the tenant's row when it was inspected
}

// repairs has a function for each rule whose findings are safe to repair: for a tenant,
// or for the farm as a whole if t is nil. None changes a wiki's content, a definition, or
// anything that may be intended.
var repairs = map[string]func(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair{
	"link-broken":    links,
	"cache-missing":  cache,
	"cache-future":   dates,
	"file-mode":      rights,
	"file-owner":     rights,
	"folder-mode":    rights,
	"release-unused": releases,
	"file-half":      halfWritten,
	"php-unasked":    platformScript,
	"grant-missing":  grants,
	"database-mark":  mark,
}

// Of lists the possible repairs of a report's findings, in their order. o is the state
// from which the report was made.
func Of(f *tenants.Farm, o *observe.Observed, r audit.Report) []Repair {
	var all []Repair
	done := map[string]bool{}
	for _, found := range r.Findings {
		plan := repairs[found.Rule]
		if plan == nil {
			continue
		}
		names := found.Tenants
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			for _, m := range plan(f, o, f.Tenant(name)) {
				m.row = o.Ledger[name]
				if m.Rule, m.Tenant = found.Rule, name; !done[name+"\n"+m.What] {
					done[name+"\n"+m.What] = true
					all = append(all, m)
				}
			}
		}
	}
	return all
}

func links(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	d := o.Wikis[t.Name]
	if d.Code == nil {
		return nil // no code to link to
	}
	return []Repair{{
		What: fmt.Sprintf("link %s and core to the latest release on %s", f.Layout().Current(t.Name), d.Code.Path),
		do: func(ctx context.Context, h *session.Host) error {
			if err := h.Deploy.EnsureCore(d.Code); err != nil {
				return err
			}
			return h.Deploy.RepairLinks(ctx, t.Name, f.Layout().Core(d.Code))
		},
	}}
}

func cache(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	path := f.Layout().Cache(t.Name)
	return []Repair{{
		What: "make the folder " + path,
		do:   func(_ context.Context, h *session.Host) error { return h.Deploy.MakeOwn(t.Name, path) },
	}}
}

func dates(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	var list []Repair
	for _, path := range o.Wikis[t.Name].Ahead {
		list = append(list, Repair{
			What: "date " + path + " now",
			do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.DateNow(ctx, path) },
		})
	}
	return list
}

func rights(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	all := o.Farm.Rights
	if t != nil {
		all = o.Wikis[t.Name].Rights
	}
	var list []Repair
	for _, r := range all {
		list = append(list, Repair{
			What: r.Path + ": " + r.RepairText(),
			do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.SetRights(ctx, r) },
		})
	}
	return list
}

func releases(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	d := o.Wikis[t.Name]
	unused := deploy.Unused(d.Inspection, d.Needed)
	return []Repair{{
		What: fmt.Sprintf("remove %s of %s", rules.Numbered("release", unused), f.Layout().Releases(t.Name)),
		do:   func(ctx context.Context, h *session.Host) error { return h.Deploy.Discard(ctx, t.Name, unused) },
	}}
}

func halfWritten(f *tenants.Farm, o *observe.Observed, t *tenants.Tenant) []Repair {
	paths := o.Farm.HalfWritten
	if t != nil {
		paths = o.Wikis[t.Name].AllHalfWritten()
	}
	return []Repair{{
		What: "remove " + strings.Join(paths, ", "),
		do: func(ctx context.Context, h *session.Host) error {
			for _, path := range paths {
				if err := h.Deploy.RemoveHalfWritten(ctx, path); err != nil {
					return err
				}
			}
			return nil
		},
	}}
}

func platformScript(f *tenants.Farm, _ *observe.Observed, _ *tenants.Tenant) []Repair {
	return []Repair{{
		What: "write " + f.Layout().PlatformScript() + ", by which php-fpm is asked what it is",
		do:   func(_ context.Context, h *session.Host) error { return h.WritePlatformScript() },
	}}
}

// mark marks a database, unless its accounts show that it is not the tenant's.
func mark(_ *tenants.Farm, _ *observe.Observed, t *tenants.Tenant) []Repair {
	return []Repair{{
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

// grants restores the grants of a tenant's two accounts, which have the passwords of its
// secrets file.
func grants(_ *tenants.Farm, _ *observe.Observed, t *tenants.Tenant) []Repair {
	return []Repair{{
		What: fmt.Sprintf("grant %s and %s what they need on %s and the databases of its definition", t.WebAccount(), t.SchemaAccount(), t.Database),
		do: func(ctx context.Context, h *session.Host) error {
			l, err := h.Ledger(ctx)
			if err != nil {
				return err
			}
			return h.RestoreAccounts(ctx, l, t)
		},
	}}
}
