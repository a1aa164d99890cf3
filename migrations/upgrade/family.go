package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// A member is a wiki that uses the accounts of another wiki, its owner, and so reads tables
// that the upgrade of the owner changes. A member's code may be older than those tables, if
// it works on them, but not newer: the owner is upgraded first and put back last. While the
// owner is read-only or closed, so are its members: their settings test for the owner's files.

// checkFamilies blocks members that would get newer code than their owner, and owners whose
// members' code would not work on the new tables. rows are the ledger's tenants and open its
// unfinished upgrades, by name.
func (p *Plan) checkFamilies(ctx context.Context, h *session.Host, rows map[string]ledger.Tenant, open map[string]ledger.Upgrade) {
	var code mediawiki.Reading
	codebases := h.Farm.Codebases
	members, unknown := h.Families(ctx, p.all, rows)
	for _, j := range p.Tenants {
		if owner := j.tenant.Owner; owner != nil && j.own == 0 {
			j.checkOwner(owner, p.of(owner.Name), rows[owner.Name], open[owner.Name])
		}
		if err := unknown[j.Name]; err != nil && j.own == 0 {
			j.block(fmt.Sprintf("it is not known which wikis have its accounts: %s", err))
		}
		for _, m := range members[j.Name] {
			c := codebases[rows[m.Name].Codebase]
			if c == nil || len(c.Faults)+len(j.tenant.Codebase.Faults) > 0 || rows[m.Name].State != ledger.Ready {
				continue
			}
			if why := mediawiki.SharingFault(c, j.tenant.Codebase, tenants.SharedTables(m)); why != "" {
				j.block(fmt.Sprintf("%s has its accounts and would not work on their tables: %s", m.Name, why))
			}
		}
		if list := members[j.Name]; len(list) > 0 {
			j.Remarks = append(j.Remarks, fmt.Sprintf("%s use its accounts and are read-only, and for a part of the time closed, together with it", strings.Join(tenants.NamesOf(list), ", ")))
		}
		p.checkMedia(j, rows, codebases, &code)
	}
}

// checkOwner blocks a member that would get newer code than its owner. planned is the plan of
// the owner, which this run upgrades before the member; nil if it does not.
func (j *Planned) checkOwner(owner *tenants.Tenant, planned *Planned, row ledger.Tenant, open ledger.Upgrade) {
	version := row.Version
	switch {
	case planned != nil && planned.own == 0:
		version = planned.New
	case open.Run != "":
		j.block(session.OwnerBusy(j.tenant, row, open))
		return
	}
	if version == "" || mediawiki.NewerSchema(j.New, version) {
		j.block(fmt.Sprintf("%s, the owner of its accounts, is on MediaWiki %s and comes first: wikictl upgrade %[1]s %[3]s", owner.Name, version, j.Name))
	}
}

// of returns the plan of a tenant, or nil if it has none.
func (p *Plan) of(name string) *Planned {
	i := slices.IndexFunc(p.Tenants, func(j *Planned) bool { return j.Name == name })
	if i < 0 {
		return nil
	}
	return p.Tenants[i]
}

// ownersFirst moves each owner into the wave of its earliest member, and sorts the tenants of
// a wave so that owners precede their members.
func (p *Plan) ownersFirst() {
	for _, j := range p.Tenants {
		for _, owner := range j.comesAfter() {
			if owner := p.of(owner.Name); owner != nil {
				owner.Wave = min(owner.Wave, j.Wave)
			}
		}
	}
	slices.SortStableFunc(p.Tenants, func(a, b *Planned) int {
		if a.Wave != b.Wave {
			return a.Wave - b.Wave
		}
		return p.after(a) - p.after(b)
	})
}

// after is the rank of a tenant in its wave: 1 for a member whose owner is planned too, 0 for
// all others.
func (p *Plan) after(j *Planned) int {
	if slices.ContainsFunc(j.tenant.ReadsFrom(), func(t *tenants.Tenant) bool { return p.of(t.Name) != nil }) {
		return 1
	}
	return 0
}

// comesAfter lists the owners that have to be upgraded before this tenant.
func (j *Planned) comesAfter() (owners []*tenants.Tenant) {
	if j.tenant.Owner != nil {
		owners = append(owners, j.tenant.Owner)
	}
	if j.needsMedia {
		owners = append(owners, j.tenant.Media)
	}
	return owners
}

// ownerLeft returns an error if a member can't be upgraded because an owner of it that was
// planned has not been upgraded.
func ownerLeft(j *Planned, outcomes map[string]session.Outcome) error {
	for _, owner := range j.comesAfter() {
		o, planned := outcomes[owner.Name]
		if planned && o.Status != session.Done && o.Status != session.Unchanged {
			return fmt.Errorf("%s, whose tables it reads, was not upgraded", owner.Name)
		}
	}
	return nil
}

// turn is 0 for undos that are carried out first, and 1 for those that wait for them: an
// owner of accounts is put back after its members, and brought forward before them.
func (u *Undo) turn() int {
	if u.Redo && u.tenant.Owner != nil || !u.Redo && len(u.members) > 0 {
		return 1
	}
	return 0
}

// findMembers finds the members of tenants whose upgrades are to be undone. rows are the ledger's
// tenants.
func findMembers(ctx context.Context, h *session.Host, undos []*Undo, rows map[string]ledger.Tenant) {
	list := make([]*tenants.Tenant, len(undos))
	for i, u := range undos {
		list[i] = u.tenant
	}
	members, unknown := h.Families(ctx, list, rows)
	for _, u := range undos {
		u.members = members[u.Name]
		if err := unknown[u.Name]; err != nil && u.err == nil {
			u.err = fmt.Errorf("it is not known which wikis have its accounts: %w", err)
		}
	}
}

// checkFamily returns an error if putting back this tenant would leave a member on newer code
// than the tables that it reads, or with pages that name accounts that no longer exist.
// versions are the versions of all tenants at the time of the undo, by name; b is the dump to restore.
func (u *Undo) checkFamily(ctx context.Context, h *session.Host, versions map[string]string, b *backup.Dump) error {
	if err := h.OwnerServes(ctx, u.tenant, versions, u.Old, b); err != nil {
		return err
	}
	if newer := session.MembersNewer(u.members, versions, u.Old); len(newer) > 0 {
		return fmt.Errorf("%s use its accounts and were upgraded as well: put them back first, or together: wikictl rollback %s %s", strings.Join(newer, ", "), u.Name, strings.Join(newer, " "))
	}
	return h.MembersLose(ctx, u.tenant, u.members, b)
}
