package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// Which selects the upgrades that a rollback undoes. Without Run and To it selects the newest
// upgrade of each tenant.
type Which struct {
	Run             string // the upgrades by this run, if they are the newest of their tenants
	To              string // the upgrades by this run, if all later ones were undone; or, if this run was a rollback, its undoing
	SkipNotUpgraded bool   // tenants without an upgrade to undo are unchanged; otherwise they are a problem
}

// Undo is the plan to return one tenant to its state before an upgrade.
type Undo struct {
	Name         string       `json:"name"`
	Run          string       `json:"run"` // that made the upgrade
	Old          string       `json:"old"` // version to which it returns
	New          string       `json:"new"`
	Since        time.Time    `json:"since"` // when it was opened after the upgrade
	mariadb.Lost              // content made since then
	Dump         time.Time    `json:"dump"`                  // when the dump to restore was made
	Redo         bool         `json:"redo,omitempty"`        // restore the content that a rollback dropped
	Interrupted  ledger.Phase `json:"interrupted,omitempty"` // phase of an interrupted upgrade or rollback
	Remark       string       `json:"remark,omitempty"`      // other facts for the user
	Problem      string       `json:"problem,omitempty"`

	tenant  *tenants.Tenant
	members []*tenants.Tenant // that have its accounts, as MembersOf
	row     ledger.Upgrade
	err     error // cause of Problem
}

// dump returns the file to restore.
func (u *Undo) dump() string {
	if u.Redo {
		return u.row.UndoBackup
	}
	return u.row.Backup
}

// release returns the release to serve after the undo.
func (u *Undo) release() int {
	if u.Redo {
		return u.row.NewRelease
	}
	return u.row.OldRelease
}

// Undos inspects which tenants can be returned, and what that would lose; it also returns
// the tenants that w leaves unchanged. Tenants that the run of w did not upgrade are in
// neither list.
func Undos(ctx context.Context, h *session.Host, list []*tenants.Tenant, w Which) (undos []*Undo, unchanged []*tenants.Tenant, err error) {
	ledger, now, err := h.ReadLedger(ctx)
	if err != nil {
		return nil, nil, err
	}
	upgrades, err := upgradesOf(ctx, ledger)
	if err != nil {
		return nil, nil, err
	}
	meant, unchanged := w.sort(list, upgrades)
	for _, t := range meant {
		row, err := pick(upgrades[t.Name], w, now[t.Name].ComponentSet)
		u := &Undo{Name: t.Name, Run: row.Run, Old: row.OldVersion, New: row.NewVersion, Since: row.Opened.Time, tenant: t, row: row, err: err}
		if u.Redo = w.To != "" && row.UndoneBy == w.To; u.Redo {
			u.Old, u.New, u.Since = row.NewVersion, row.OldVersion, row.Ended.Time
		}
		undos = append(undos, u)
	}
	return undos, unchanged, inspectAll(ctx, h, undos, now)
}

// upgradesOf returns all upgrades of each tenant, newest first.
func upgradesOf(ctx context.Context, l *ledger.Ledger) (map[string][]ledger.Upgrade, error) {
	history, err := l.History(ctx)
	if err != nil {
		return nil, err
	}
	upgrades := map[string][]ledger.Upgrade{}
	for _, r := range history {
		upgrades[r.Tenant] = append([]ledger.Upgrade{r}, upgrades[r.Tenant]...)
	}
	return upgrades, nil
}

// sort separates the tenants whose upgrades are to be undone from those that stay
// unchanged because they have none.
func (w Which) sort(list []*tenants.Tenant, upgrades map[string][]ledger.Upgrade) (meant, unchanged []*tenants.Tenant) {
	for _, t := range list {
		switch rows := upgrades[t.Name]; {
		case !w.has(rows):
		case w.SkipNotUpgraded && w.Run+w.To == "" && (len(rows) == 0 || rows[0].Phase == ledger.PutBack):
			unchanged = append(unchanged, t)
		default:
			meant = append(meant, t)
		}
	}
	return meant, unchanged
}

// has reports whether w selects a tenant with those upgrades.
func (w Which) has(upgrades []ledger.Upgrade) bool {
	run := w.Run + w.To
	for _, r := range upgrades {
		if r.Run == run || w.To != "" && r.UndoneBy == w.To {
			return true
		}
	}
	return run == ""
}

// pick returns the upgrade of a tenant that is undone; upgrades are newest first. set is
// the key of the code that the tenant runs on. Without w.To only the newest upgrade
// qualifies: a repeated rollback does not undo the upgrade before it.
func pick(upgrades []ledger.Upgrade, w Which, set string) (ledger.Upgrade, error) {
	if len(upgrades) == 0 {
		return ledger.Upgrade{}, errors.New("it has no upgrade to undo")
	}
	newest := upgrades[0]
	if newest.Open() {
		if run := w.Run + w.To; run != "" && run != newest.Run {
			return newest, fmt.Errorf("its upgrade by run %s did not finish: run wikictl rollback or wikictl upgrade first", newest.Run)
		}
		return newest, nil
	}
	if w.To != "" {
		return pickOlder(upgrades, w.To, set)
	}
	switch {
	case newest.Phase == ledger.PutBack:
		return newest, fmt.Errorf("it was put back by run %s%s", putBackBy(newest), further(upgrades[1:], set))
	case newest.Phase != ledger.Upgraded:
		return newest, fmt.Errorf("the result of its upgrade by run %s is not known%s", newest.Run, further(upgrades[1:], set))
	case w.Run != "" && w.Run != newest.Run:
		return newest, fmt.Errorf("run %s has upgraded it since; undo that first", newest.Run)
	case newest.NewSet != set:
		return newest, errors.New("it has been changed since by something else")
	}
	return newest, nil
}

// pickOlder returns the upgrade that a run made, or rolled back, if all later ones were
// undone.
func pickOlder(upgrades []ledger.Upgrade, run, set string) (ledger.Upgrade, error) {
	for _, r := range upgrades {
		switch {
		case r.UndoneBy == run && r.UndoBackup == "":
			return r, fmt.Errorf("run %s dropped the database without a dump", run)
		case r.UndoneBy == run && r.OldSet != set:
			return r, errors.New("it has been changed since by something else")
		case r.UndoneBy == run:
			return r, nil
		case r.Run == run && r.Phase != ledger.Upgraded:
			return r, fmt.Errorf("its upgrade by run %s was undone by run %s", run, putBackBy(r))
		case r.Run == run && r.NewSet != set:
			return r, errors.New("it has been changed since by something else")
		case r.Run == run:
			return r, nil
		case r.Phase == ledger.Upgraded:
			return r, fmt.Errorf("run %s has upgraded it since; undo that first", r.Run)
		}
	}
	return ledger.Upgrade{}, fmt.Errorf("run %s did not upgrade it", run)
}

// further says how to go back further, if that is possible.
func further(older []ledger.Upgrade, set string) string {
	for _, r := range older {
		if r.Phase == ledger.Upgraded {
			if r.NewSet == set && r.Backup != "" {
				return fmt.Sprintf("; to go back further, to MediaWiki %s: --to %s", r.OldVersion, r.Run)
			}
			break
		}
	}
	return ", and it has no older upgrade to undo"
}

func putBackBy(r ledger.Upgrade) string {
	if r.UndoneBy != "" {
		return r.UndoneBy
	}
	return r.Run
}

// codeOf returns the current MediaWiki version of the code of a tenant's release. It returns
// an error if that code is gone or has another schema than version: it could not serve the
// content of the dump.
func codeOf(h *session.Host, tenant string, release int, version string) (string, error) {
	path, found, err := h.CodeOf(tenant, release)
	if err == nil && !mediawiki.SameSchema(found, version) {
		err = fmt.Errorf("%s has MediaWiki %s by now", path, found)
	}
	if err != nil {
		return "", fmt.Errorf("the code of its release %d is gone: %w; bring MediaWiki %s back there and run this again", release, err, version)
	}
	return found, nil
}

// noDump returns the error of an upgrade without a dump, with the next step.
func (u *Undo) noDump() error {
	problem := "it was upgraded without a dump (--backup none): there is no way back"
	if u.row.Open() && !writable(u.row) {
		problem += "; wikictl upgrade " + u.Name + " continues"
	}
	return errors.New(problem)
}

// inspectAll sorts undos into the order in which they are carried out, and inspects each. now are
// the ledger's rows, by tenant.
func inspectAll(ctx context.Context, h *session.Host, undos []*Undo, now map[string]ledger.Tenant) error {
	findMembers(ctx, h, undos, now)
	slices.SortStableFunc(undos, func(a, b *Undo) int { return a.turn() - b.turn() })
	versions := session.VersionsOf(now)
	for _, u := range undos {
		if u.err == nil {
			u.err = u.inspect(ctx, h, versions)
		}
		if u.err != nil {
			u.Problem = u.err.Error()
			continue
		}
		versions[u.Name] = u.Old
	}
	return ctx.Err()
}

// inspect returns why an undo can't be carried out, or nil, and counts the content that it would
// lose. versions are the MediaWiki versions of all tenants, by name, just before it.
func (u *Undo) inspect(ctx context.Context, h *session.Host, versions map[string]string) error {
	if u.row.Open() {
		u.Interrupted = u.row.Phase
	}
	switch u.row.Phase {
	case ledger.Begun, ledger.Reopening: // the database is unchanged
		return nil
	}
	if u.dump() == "" {
		return u.noDump()
	}
	b, err := backup.Open(u.dump())
	if err != nil {
		return err
	}
	if err := b.Verify(); err != nil {
		return err
	}
	u.Dump = b.Taken
	codebase, set := u.row.OldCodebase, u.row.OldSet
	if u.Redo {
		codebase, set = u.row.NewCodebase, u.row.NewSet
	}
	if err := servable(h, u.tenant, u.release(), codebase, set, u.Old); err != nil {
		return err
	}
	if !u.Redo && !writable(u.row) {
		u.Remark = "it was not open for edits since"
		return nil
	}
	if err := u.checkFamily(ctx, h, versions, b); err != nil {
		return err
	}
	s, err := h.Server(ctx, u.tenant.Server)
	if err != nil {
		return err
	}
	if u.Since.IsZero() {
		u.Since = u.row.Started.Time
	}
	if u.Lost, err = s.Since(ctx, u.tenant.Database, u.Since); err != nil {
		u.Remark = err.Error() // a broken database can still be replaced
	}
	return nil
}
