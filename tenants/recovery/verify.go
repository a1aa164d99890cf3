package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/mariadb"
)

// sweepLimit bounds the removal of a scratch database after an interruption.
const sweepLimit = time.Minute

// verify loads the database of a backup into a scratch database, compares rows and
// checksums, and reads the content of every upload. It records the time of success.
func (k *task) verify(ctx context.Context, a *archive.Archive) (err error) {
	dir := filepath.Join(k.Layout.HalfArchive(k.tenant.Name), k.RunID+"-verify")
	defer func() { err = errors.Join(err, os.RemoveAll(k.Layout.HalfArchive(k.tenant.Name))) }()
	described := a
	if a.Snapshot != "" {
		if a, err = fetch(ctx, k.repository, a, dir+"-fetched"); err != nil {
			return err
		}
	}
	if _, err := archive.Extract(a.File, dir, archive.IsDatabase); err != nil {
		return err
	}
	if err := k.checkUploads(ctx, a); err != nil {
		return err
	}
	dump, err := backup.Find(filepath.Join(dir, "database"))
	if err != nil {
		return err
	}
	for _, one := range dump.All() {
		if err := k.loads(ctx, one); err != nil {
			return err
		}
	}
	described.Verified = time.Now().UTC().Truncate(time.Second)
	return described.Describe()
}

func (k *task) checkUploads(ctx context.Context, a *archive.Archive) error {
	store := archive.StoreOf(a.File)
	release, err := store.Use(ctx)
	if err != nil {
		return err
	}
	defer release()
	uploads, err := archive.UploadsOf(a.File)
	if err != nil {
		return err
	}
	return k.storesAnew(store.CheckAll(ctx, uploads.Files), k.tenant.Name)
}

// loads restores a dump into a scratch database and drops it. The database has this
// farm's mark and the name of a golden, so that audit finds one of a killed run.
func (k *task) loads(ctx context.Context, dump *backup.Dump) (err error) {
	scratch := dump.As(mariadb.GoldenDatabase(k.FarmID(), "verify "+k.tenant.Name))
	drop := func() error {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepLimit)
		defer cancel()
		return k.server.DropDatabase(after, scratch.Database)
	}
	defer func() { err = errors.Join(err, drop()) }()
	if err := k.server.Restore(ctx, scratch, func() error { return k.Verify(ctx, k.tenant) }); err != nil {
		return fmt.Errorf("it can't be loaded: %w", err)
	}
	return nil
}
