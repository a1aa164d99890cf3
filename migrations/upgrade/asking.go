package upgrade

import (
	"context"
	"errors"
	"sync"
)

// askLaterWithin is the longest expected read-only time, in seconds, of a wiki whose old
// pages are requested only if its new pages are bad. Such a wiki may be upgraded twice.
const askLaterWithin = 60

// probeBefore probes the wiki before the upgrade, for a comparison afterwards, unless its
// current release answered well a short time ago. The pages are a third of the time of all
// probes of a small wiki, and nearly always good: if possible, they are requested only when
// the new code's pages are bad.
func (k *task) probeBefore(ctx context.Context) error {
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
// a restore is quick and covers everything that the upgrade changes, and no page has to be
// compared by its text.
func (k *task) mayAskLater() bool {
	return k.up.o.Backup == ByDump && !k.up.o.Keep && k.plan.Seconds < askLaterWithin && len(k.tenant.Pages) == 0 &&
		len(k.further)+len(k.accounts.Sharers) == 0 && k.tenant.Owner == nil &&
		len(ownSteps(k.up.Farm, k.tenant, true))+len(ownSteps(k.up.Farm, k.tenant, false)) == 0 && !k.up.askFirst.Load()
}

// retry decides whether an upgrade that forward ended with the error why is repeated. If the
// new code's pages were bad and the old code's were never requested, retry restores the old
// state and requests them. If they are bad too, the new code is not at fault: the wiki, which
// was read-only all the time, is upgraded again from the same dump, and later wikis of the
// run have their old pages requested first.
func (k *task) retry(ctx context.Context, why error) error {
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

// firsts lets the first of several equal jobs end before the others begin. The first request
// to new code compiles it, which takes php-fpm some seconds; requests that begin at the same
// time would each compile it.
type firsts struct {
	mu    sync.Mutex
	ended map[string]chan struct{}
}

// enter returns at once to the first caller with a key; other callers with that key wait
// until the first one has called leave, or until ctx ends.
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
