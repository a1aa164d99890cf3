package upgrade

import (
	"context"
	"errors"
	"sync"
)

// askLaterWithin is the longest read-only time, in seconds, of a wiki whose pages are
// requested of the old code only if those of the new code are bad: it may have to be
// upgraded twice.
const askLaterWithin = 60

// lookBefore probes the wiki before the upgrade, for a comparison afterwards, unless its
// current release answered well a short time ago. Its pages cost a third of what is asked
// of a small wiki, and nearly always they are good: so they are left until they matter.
func (k *task) lookBefore(ctx context.Context) error {
	set := k.plan.row.ComponentSet
	known, err := k.up.Remembered(k.tenant, set, k.tenant.Pages)
	if k.known = known; known || err != nil {
		return err
	}
	if k.mayAskLater() {
		if k.unasked, err = k.up.BeforeItself(ctx, k.tenant, set); k.unasked || err != nil {
			return err
		}
	}
	_, _, err = k.up.Before(ctx, k.tenant, set, k.tenant.Pages...)
	return err
}

// mayAskLater reports whether the old code's pages can be requested after the new code's:
// there is a quick way back that reaches everything that the upgrade changes, and no page
// has to be compared by its text.
func (k *task) mayAskLater() bool {
	return k.up.o.Backup == ByDump && !k.up.o.Keep && k.plan.Seconds < askLaterWithin && len(k.tenant.Pages) == 0 &&
		len(k.further)+len(k.accounts.Sharers) == 0 && k.tenant.Owner == nil &&
		len(ownSteps(k.up.Farm, k.tenant, true))+len(ownSteps(k.up.Farm, k.tenant, false)) == 0 && !k.up.askFirst.Load()
}

// again continues after the error of forward. If it is the first one about pages that were
// not requested before, again restores the old state and requests them there: pages that
// were bad as well are no reason to stay, so the wiki is upgraded again, from the same dump,
// as it was read-only all the time. Later wikis of the run are asked first then.
func (k *task) again(ctx context.Context, why error) error {
	if !k.unasked || !k.worse || ctx.Err() != nil || k.wayBack(k.now) != nil {
		return why
	}
	k.unasked, k.now.Error = false, why.Error()
	if err := k.revert(ctx); err != nil {
		return errors.Join(why, err)
	}
	bad := false
	err := k.held(ctx, "before", func() error {
		_, before, err := k.up.Before(ctx, k.tenant, k.now.OldSet)
		bad = before.Bad()
		return err
	})
	if err != nil || !bad {
		return errors.Join(why, err)
	}
	k.up.askFirst.Store(true)
	k.reverted, k.worse, k.now.Error = false, false, ""
	k.tables, k.pure, k.remarks = nil, false, k.remarks[:k.earlier]
	return k.change(ctx)
}

// revert restores the database and the release from before the upgrade in k.now, unless
// that was done. The wiki stays read-only.
func (k *task) revert(ctx context.Context) error {
	if k.reverted {
		return nil
	}
	err := k.each(ctx, []step{
		{"restoring", func() error { return k.restoring(ctx) }},
		{"maintenance", func() error { return k.shut(ctx, "put back to MediaWiki "+k.now.OldVersion) }},
		{"restore", func() error { return k.restore(ctx, k.now.Backup) }},
		{"old release", func() error { return k.serveOld(ctx) }},
	})
	k.reverted = err == nil
	return err
}

// firsts lets the first of several equal jobs end before the others begin. The first page
// of new code compiles it, which takes php-fpm some seconds; processes that begin at the
// same time would each do so.
type firsts struct {
	mu    sync.Mutex
	ended map[string]chan struct{}
}

// enter waits for the first caller with this key to call the function that it got, or for
// the end of ctx.
func (f *firsts) enter(ctx context.Context, key string) (leave func()) {
	f.mu.Lock()
	ended, known := f.ended[key]
	if !known {
		if f.ended == nil {
			f.ended = map[string]chan struct{}{}
		}
		ended = make(chan struct{})
		f.ended[key] = ended
	}
	f.mu.Unlock()
	if !known {
		return sync.OnceFunc(func() { close(ended) })
	}
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return func() {}
}
