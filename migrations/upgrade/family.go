package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// A wiki with the accounts of another, a member, reads tables that the other, their owner,
// upgrades. Its code may be older than those tables, if it works on them, but not newer: the
// owner is upgraded first, and put back last. While it is, its members are read-only, and closed
// where it is, by their own settings, which look for the owner's files.

// checkFamilies blocks members whose owner is not as far, and owners whose members' code would
// not work on the new tables. rows and open are the ledger's, by tenant.
func (p *Plan) checkFamilies(rows map[string]ledger.Tenant, open map[string]ledger.Upgrade, codebases map[string]*tenants.Codebase) {
	var code mediawiki.Reading
	for _, j := range p.Tenants {
		if owner := j.tenant.Owner; owner != nil && j.own == 0 {
			j.checkOwner(owner, p.of(owner.Name), rows[owner.Name], open[owner.Name])
		}
		for _, m := range j.tenant.Members {
			c := codebases[rows[m.Name].Codebase]
			if c == nil || len(c.Faults)+len(j.tenant.Codebase.Faults) > 0 || rows[m.Name].State != ledger.Ready {
				continue
			}
			if why := mediawiki.SharingFault(c, j.tenant.Codebase, tenants.SharedTables(m)); why != "" {
				j.block(fmt.Sprintf("%s has its accounts and would not work on their tables: %s", m.Name, why))
			}
		}
		if list := j.tenant.Members; len(list) > 0 {
			j.Remarks = append(j.Remarks, fmt.Sprintf("%s: read-only and for a part of the time closed with it, as its accounts are theirs", strings.Join(tenants.NamesOf(list), ", ")))
		}
		p.checkMedia(j, rows, codebases, &code)
	}
}

// checkOwner blocks a member whose owner is not as far as it is to be. planned is nil unless
// the owner is upgraded by this run, before the member.
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
		j.block(fmt.Sprintf("%s, whose accounts it has, is on MediaWiki %s and comes first: wikictl upgrade %[1]s %[3]s", owner.Name, version, j.Name))
	}
}

// of returns what is planned of a tenant, or nil.
func (p *Plan) of(name string) *Planned {
	i := slices.IndexFunc(p.Tenants, func(j *Planned) bool { return j.Name == name })
	if i < 0 {
		return nil
	}
	return p.Tenants[i]
}

// ownersFirst puts no member into an earlier wave than its owner, and after it in that.
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

// after is 1 for a member whose owner is planned, too.
func (p *Plan) after(j *Planned) int {
	if slices.ContainsFunc(j.tenant.ReadsFrom(), func(t *tenants.Tenant) bool { return p.of(t.Name) != nil }) {
		return 1
	}
	return 0
}

// comesAfter lists the tenants without whose upgrade that of a member can't be.
func (j *Planned) comesAfter() (owners []*tenants.Tenant) {
	if j.tenant.Owner != nil {
		owners = append(owners, j.tenant.Owner)
	}
	if j.needsMedia {
		owners = append(owners, j.tenant.Media)
	}
	return owners
}

// ownerLeft says why a member is not upgraded: its owner was planned and is not upgraded.
func ownerLeft(j *Planned, outcomes map[string]session.Outcome) error {
	for _, owner := range j.comesAfter() {
		o, planned := outcomes[owner.Name]
		if planned && o.Status != session.Done && o.Status != session.Unchanged {
			return fmt.Errorf("%s, whose tables it reads, was not upgraded", owner.Name)
		}
	}
	return nil
}

// turn is 0 for an undo that comes first, and 1 for one that comes when those are done: an
// owner of accounts goes back after its members, and its members forward again after it.
func (u *Undo) turn() int {
	if u.Redo && u.tenant.Owner != nil || !u.Redo && len(u.tenant.Members) > 0 {
		return 1
	}
	return 0
}

// versionsOf returns the versions on which tenants are, by name.
func versionsOf(rows map[string]ledger.Tenant) map[string]string {
	versions := make(map[string]string, len(rows))
	for name, row := range rows {
		versions[name] = row.Version
	}
	return versions
}

// checkFamily says why an owner of accounts can't be put back, or a member: the members would
// be on newer code than the tables, or their pages would name accounts that are gone. versions
// are those of all tenants at that time, rows those of the dump that is restored.
func (u *Undo) checkFamily(ctx context.Context, h *session.Host, versions map[string]string, rows func(table string) int64) error {
	if owner := u.tenant.Owner; owner != nil && mediawiki.NewerSchema(u.Old, versions[owner.Name]) {
		return fmt.Errorf("%s, whose accounts it has, is on MediaWiki %s and comes first", owner.Name, versions[owner.Name])
	}
	var newer []string
	for _, m := range u.tenant.Members {
		if mediawiki.NewerSchema(versions[m.Name], u.Old) {
			newer = append(newer, m.Name)
		}
	}
	if len(newer) > 0 {
		return fmt.Errorf("its accounts are those of %s, which the upgrade took to newer code as well: they come first, or with it: wikictl rollback %s %s", strings.Join(newer, ", "), u.Name, strings.Join(newer, " "))
	}
	return h.MembersLose(ctx, u.tenant, rows)
}
