package upgrade

import (
	"context"
	"errors"
	"fmt"

	"wikictl/php"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// resume deals with what an earlier run left of a tenant when it was killed.
// finished says that the wiki is upgraded now; else it is as before the earlier
// run, and may still be read-only.
func (k *task) resume(ctx context.Context) (finished bool, err error) {
	row, open, err := k.ledger.OpenUpgrade(ctx, k.Name)
	if err != nil || !open {
		return false, err
	}
	k.now = row
	if err := k.server.Settle(ctx, k.tenant.Database, k.accounts.Schema.Name); err != nil {
		return false, err
	}
	if row.NewSet == k.wanted() {
		switch row.Phase {
		case mariadb.Opening:
			k.code = false
			return true, k.open(ctx, mariadb.Upgraded)
		case mariadb.Switching:
			return true, k.goOn(ctx)
		}
	}
	switch row.Phase {
	case mariadb.Begun:
		if err := mariadb.RemoveBackup(k.dumpFile(row.Run)); err != nil {
			return false, err
		}
		return false, k.open(ctx, mariadb.PutBack)
	case mariadb.Opening: // upgraded, but other code is wanted by now
		return false, k.open(ctx, mariadb.Upgraded)
	case mariadb.Reopening:
		return false, k.open(ctx, mariadb.PutBack)
	}
	return false, k.putBack(ctx)
}

// goOn ends an upgrade whose database is done.
func (k *task) goOn(ctx context.Context) error {
	if err := k.held(ctx, "read-only", func() error { return k.freeze(ctx) }); err != nil {
		return err
	}
	if err := k.finish(ctx); err != nil {
		_, err := k.fail(ctx, err)
		return err
	}
	return nil
}

// fail decides what becomes of a tenant whose upgrade failed.
func (k *task) fail(ctx context.Context, why error) (host.Status, error) {
	if lost := lostLock(ctx, why); lost != nil {
		return host.Failed, lost
	}
	if ctx.Err() != nil { // wikictl is told to end
		return host.Failed, fmt.Errorf("%w; it is read-only until wikictl upgrade is run again", why)
	}
	k.now.Error = why.Error()
	switch {
	case k.now.Phase == mariadb.Opening, k.now.Phase == mariadb.Upgraded:
		return host.Failed, fmt.Errorf("%w; it is upgraded, and opened when wikictl upgrade is run again", why)
	case k.now.Run == "": // not marked yet
		return host.Restored, why
	case k.o.Keep && k.now.Phase != mariadb.Begun:
		return host.Failed, errors.Join(fmt.Errorf("%w; it is read-only, for you to look at", why), k.phase(ctx, mariadb.Kept))
	}
	if err := k.putBack(ctx); err != nil {
		return host.Failed, fmt.Errorf("%w; and it could not be put back: %w; it is read-only until wikictl upgrade is run again", why, err)
	}
	return host.Restored, why
}

// lostLock is why, when the tenant's lock was lost: what state the tenant is in is
// for the run to say that took over. Otherwise it is nil.
func lostLock(ctx context.Context, why error) error {
	if errors.As(why, new(*mariadb.LostError)) {
		return why
	}
	if cause := context.Cause(ctx); errors.As(cause, new(*mariadb.LostError)) {
		return fmt.Errorf("%w: %w", why, cause)
	}
	return nil
}

// putBack makes the tenant what it was before the upgrade that k.now tells of.
func (k *task) putBack(ctx context.Context) error {
	changed := k.now.Phase != mariadb.Begun
	if changed && k.now.Backup == "" {
		return errors.New("there is no dump of it (--backup none)")
	}
	if changed {
		if err := k.held(ctx, "restore", func() error { return k.restore(ctx) }); err != nil {
			return err
		}
	}
	err := k.held(ctx, "old release", func() error {
		if err := k.Deploy.Switch(ctx, k.Name, k.now.OldRelease); err != nil || !changed {
			return err
		}
		_, err := k.Identify(ctx, k.tenant.Hosts[0], php.SiteInfo{DBName: k.tenant.Database, Version: k.now.OldVersion})
		return err
	})
	if err != nil {
		return err
	}
	if k.now, err = k.ledger.Unsettled(ctx, k.now); err != nil {
		return err
	}
	return k.open(ctx, mariadb.PutBack)
}

// restore replaces the database by its dump.
func (k *task) restore(ctx context.Context) error {
	if err := k.phase(ctx, mariadb.Restoring); err != nil {
		return err
	}
	if err := k.server.Freeze(ctx, k.accounts, 0); err != nil {
		return err
	}
	b, err := mariadb.OpenBackup(k.now.Backup)
	if err != nil {
		return err
	}
	if err := k.server.Restore(ctx, b, func() error { return k.Verify(ctx, k.tenant) }); err != nil {
		return err
	}
	return k.Deploy.ForgetCaches(k.Name, k.RunID)
}
