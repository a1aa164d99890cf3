package recovery

import (
	"context"
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
	"wikictl/tenants/session"
)

// PurgeBackups deletes all backups of a wiki that is neither defined nor in the ledger any more,
// and the uploads that no other backup has. It waits for runs that use the archives. It can be
// repeated after an interruption.
func PurgeBackups(ctx context.Context, h *session.Host, name string) error {
	if h.Farm.Tenant(name) != nil {
		return tenants.WithHint(fmt.Errorf("a file defines %s, so its backups are still needed", name), "remove that file first")
	}
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	if _, found, err := l.Tenant(ctx, name); err != nil || found {
		if err == nil {
			err = tenants.WithHint(fmt.Errorf("the wiki %s still exists, so its backups are still needed", name), "wikictl plan shows what apply would do with it")
		}
		return err
	}
	if err := forgetSnapshots(ctx, h, name); err != nil {
		return err
	}
	store := archive.NewStore(h.Layout.Archives())
	release, err := store.Alone(ctx)
	if err != nil {
		return err
	}
	defer release()
	list, err := archive.List(h.Layout.ArchivesOf(name))
	if err != nil {
		return err
	}
	if err := store.Discard(list); err != nil {
		return err
	}
	if err := archive.RemoveFolder(h.Layout.ArchivesOf(name)); err != nil {
		return err
	}
	_, err = store.Sweep(ctx)
	return err
}

// forgetSnapshots deletes the farm's own snapshots of a wiki.
func forgetSnapshots(ctx context.Context, h *session.Host, name string) error {
	r, err := repositoryOf(h.Farm)
	if err != nil || r == nil {
		return err
	}
	found, err := r.Snapshots(ctx, restic.Tag("farm", h.FarmID()), restic.Tag("wiki", name))
	if err != nil {
		return err
	}
	ids := make([]string, len(found))
	for i, s := range found {
		ids[i] = s.ID
	}
	return r.Forget(ctx, ids)
}
