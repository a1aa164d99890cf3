package upgrade

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/session"
)

// prepareAll builds messages and rehearses upgrades before the first wave. If new code can't
// upgrade any wiki of a kind, prepareAll reports that once, before any wiki is changed: as a
// *BlockedError, unless SkipBlocked is set.
func (u *upgrade) prepareAll(ctx context.Context, p *Plan) error {
	warm := make(chan map[string]error, 1)
	go func() { warm <- u.warmAll(ctx, p) }()
	kinds, all := u.rehearseWhatPays(ctx, p)
	u.rehearsed, u.warm = all.byFingerprint(), <-warm
	blockAlike(p.Tenants, u.warm)
	blockBroken(kinds, all.failed)
	if ctx.Err() == nil {
		u.sayPlain(kinds, all)
	}
	if stopping := p.stopping(); len(stopping) > 0 && !u.o.SkipBlocked && ctx.Err() == nil {
		return &BlockedError{stopping}
	}
	return nil
}

// rehearseWhatPays makes the rehearsals that save more time than they take, and reads
// those of earlier runs. For a few small wikis even reading their tables would take longer.
func (u *upgrade) rehearseWhatPays(ctx context.Context, p *Plan) ([]*kind, rehearsals) {
	if u.o.Plain || u.o.Ahead == AheadOnly {
		return nil, rehearsals{}
	}
	if err := u.sweep(ctx); err != nil {
		u.Say(err.Error())
	}
	// Moving rows ahead changes the tables, so an earlier rehearsal would not apply.
	list := slices.DeleteFunc(rehearsable(p), func(j *Planned) bool { return len(j.wiki.Ahead) > 0 })
	sets, err := u.ledger.RehearsedSets(ctx)
	if err != nil {
		u.Say(err.Error())
	}
	known := slices.ContainsFunc(list, func(j *Planned) bool {
		return slices.Contains(sets, j.tenant.ComponentSet(j.tenant.Codebase))
	})
	if !known && !pays(list) {
		return nil, rehearsals{}
	}
	kinds := u.likelyKindsOf(ctx, list)
	return kinds, u.rehearse(ctx, kinds, func(k *kind) bool { return pays(k.tenants) })
}

// sayPlain reports, for each kind that is upgraded by update.php's own statements, the
// reason.
func (u *upgrade) sayPlain(kinds []*kind, all rehearsals) {
	for _, k := range kinds {
		name := k.example().Name
		err, r := all.failed[name], all.done[name]
		switch {
		case len(k.example().Problems) > 0 || errors.Is(err, fleet.ErrDrained):
		case err != nil:
			u.Say(fmt.Sprintf("the upgrade of %s was not rehearsed, and goes by update.php's own statements: %s", few(k.names()), err))
		case r != nil && !r.Joined:
			u.Say(fmt.Sprintf("the upgrade of %s goes by update.php's own statements: %s", few(k.names()), r.Why))
		}
	}
}

// namesListed is the number of tenants that a message names.
const namesListed = 3

// few joins the first names of a list and adds the number of the others.
func few(names []string) string {
	text := strings.Join(names[:min(len(names), namesListed)], ", ")
	if more := len(names) - namesListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// blockBroken blocks the tenants of kinds whose rehearsal shows that their new code is
// broken, with one message a codebase, unless they are blocked already. A kind of a single
// tenant blocks no other, because the fault may be that tenant's.
func blockBroken(kinds []*kind, failed map[string]error) {
	messages, having := map[string]string{}, map[string][]*Planned{}
	for _, k := range kinds {
		why := brokenCode(failed[k.example().Name])
		if why == "" || len(k.example().Problems) > 0 {
			continue
		}
		c := k.example().tenant.Codebase
		key := c.Name + "\n" + why
		if messages[key] == "" {
			messages[key] = fmt.Sprintf("codebase %s can't upgrade a copy of its tables: %s", c.Name, failed[k.example().Name])
		}
		having[key] = append(having[key], k.tenants...)
	}
	for key, list := range having {
		for _, j := range list {
			j.Problems = append(j.Problems, messages[key])
			if len(list) == 1 {
				j.own++
			}
		}
	}
}

// blockAlike blocks tenants whose messages the new code can't build, if several have the
// same error: then their settings are not the cause.
func blockAlike(list []*Planned, warm map[string]error) {
	having := map[string]int{}
	for _, err := range warm {
		having[err.Error()]++
	}
	for _, j := range list {
		if err := warm[j.Name]; err != nil && having[err.Error()] > 1 {
			j.Problems = append(j.Problems, err.Error())
		}
	}
}

// brokenCode returns what PHP code threw on tables without rows; empty if the code is not
// at fault: the server refused something, time or memory ran out, or it failed on some
// row.
func brokenCode(err error) string {
	var job *php.JobError
	if !errors.As(err, &job) || !strings.HasPrefix(job.Why, "exit ") {
		return ""
	}
	if environmental.MatchString(job.Tail) {
		return ""
	}
	return thrown.FindString(job.Tail)
}

var (
	// thrown matches the messages of PHP and MediaWiki for an uncaught error, such as
	// "Error: Class "X" not found" (MWExceptionRenderer, and PHP's own handler).
	thrown = regexp.MustCompile(`\b\w*(?:Error|Exception)(?: from line \d+ of \S+)?: [^|]+|\b(?:Fatal|Parse) error: [^|]+`)
	// environmental matches messages for which the code is not at fault.
	environmental = regexp.MustCompile(`Rdbms\\|DB\w*(?:Error|Exception)|Allowed memory size|Maximum execution time|No space left|mysqli_sql_exception`)
)

// Rehearse tries the planned upgrade on scratch copies of the tables, one of each kind,
// and changes no wiki. The error joins those of tenants whose upgrade would fail, each
// once.
func Rehearse(ctx context.Context, h *session.Host, p *Plan, o Options) (list []*Rehearsal, err error) {
	if stopping := p.stopping(); len(stopping) > 0 && !o.SkipBlocked {
		return nil, &BlockedError{stopping}
	}
	if len(p.Tenants) == 0 {
		return nil, nil
	}
	u := &upgrade{Host: h, o: o, sql: p.sql}
	if u.ledger, err = h.Ledger(ctx); err != nil {
		return nil, err
	}
	if ctx, err = h.Lock(ctx, serversOf(p)); err != nil {
		return nil, err
	}
	if u.run, err = h.Begin(ctx, "upgrade --rehearse", o.Observer); err != nil {
		return nil, err
	}
	defer u.clearing.Wait()
	errs := []error{u.sweep(ctx)}
	kinds, odd := u.kindsOf(ctx, rehearsable(p))
	all := u.rehearse(ctx, kinds, func(*kind) bool { return true })
	for _, k := range kinds {
		if err := all.failed[k.example().Name]; err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", few(k.names()), err))
		} else {
			list = append(list, all.done[k.example().Name])
		}
	}
	for _, j := range p.Tenants {
		switch {
		case odd[j.Name] != nil:
			errs = append(errs, fmt.Errorf("%s: not rehearsed: %w", j.Name, odd[j.Name]))
		case len(j.Problems) > 0:
			errs = append(errs, fmt.Errorf("%s: not rehearsed: %s", j.Name, strings.Join(j.Problems, "\n")))
		case j.reachesOut():
			errs = append(errs, fmt.Errorf("%s: not rehearsed: its settings name other databases, which the updater might change instead of the copy", j.Name))
		case j.Interrupted != "":
			errs = append(errs, fmt.Errorf("%s: not rehearsed: an earlier upgrade of it was interrupted; wikictl upgrade %s ends that", j.Name, j.Name))
		}
	}
	return list, errors.Join(errors.Join(errs...), context.Cause(ctx), u.run.End(ctx, nil))
}

// useRehearsal makes the updater join statements and remember answers if that was rehearsed on
// tables equal to the tenant's. It returns that rehearsal, with which the result must be
// compared, or nil. Without a rehearsal, the updater still remembers answers until it changes
// something, if the code stays the same.
func (k *task) useRehearsal(ctx context.Context, job *php.Job) *Rehearsal {
	same := !k.up.o.Plain && k.plan.row.ComponentSet == k.wanted()
	job.Statements.Remember, job.Statements.Still = same, same
	if len(k.up.rehearsed) == 0 {
		return nil
	}
	now, err := k.fingerprintNow(ctx)
	r := k.up.rehearsed[now]
	if err != nil || r == nil {
		return nil // its tables were not rehearsed, have changed since, or can't be read
	}
	if _, contradicted := k.up.contradicted.Load(r.fingerprint); contradicted {
		return nil
	}
	job.Statements.Join, job.Statements.Remember, job.Statements.Still = r.Joined, r.Joined, false
	if r.Joined {
		job.Statements.Messages = k.up.messagesOf(k.tenant)
	}
	return r
}

// messagesOf returns the folder of the messages of a tenant's new code.
func (u *upgrade) messagesOf(t *tenants.Tenant) string {
	return u.Layout.L10n(t.MessageSet(t.Codebase))
}

// fingerprintNow returns the fingerprint of the tables before the updater: as dumped
// while the wiki was read-only, or read now.
func (k *task) fingerprintNow(ctx context.Context) (string, error) {
	tables, err := k.definitions(ctx)
	if err != nil {
		return "", err
	}
	if k.pure {
		return k.up.fingerprintOf(ctx, k.server, k.tenant, tables)
	}
	return k.up.fingerprintWith(ctx, k.server, k.tenant, tables)
}

// tablesListed is the number of tables that an error names.
const tablesListed = 3

// compare verifies that the updater ended with the tables of the rehearsal. Otherwise the
// rehearsal is discarded, and this and all other wikis of its kind are upgraded by
// update.php's own statements from now on.
func (k *task) compare(ctx context.Context, r *Rehearsal) error {
	if r == nil {
		return nil
	}
	tables, err := k.definitions(ctx)
	if err != nil {
		return err
	}
	found := r.after.Differences(tables.WithoutNumbers())
	if len(found) == 0 {
		return nil
	}
	if more := len(found) - tablesListed; more > 0 {
		found = append(found[:tablesListed], fmt.Sprintf("and %d more", more))
	}
	k.up.contradicted.Store(r.fingerprint, true)
	if k.up.o.Backup == NoBackup { // it can't be restored, and only the updater knows the right result
		k.note("update.php ended with other tables than in its rehearsal, which is given up: %s", strings.Join(found, "; "))
		return k.up.ledger.DropRehearsal(ctx, r.fingerprint)
	}
	err = fmt.Errorf("update.php ended with other tables than in its rehearsal, which is given up (run it again): %s", strings.Join(found, "; "))
	return errors.Join(err, k.up.ledger.DropRehearsal(ctx, r.fingerprint))
}
