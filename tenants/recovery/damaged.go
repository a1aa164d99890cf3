package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
)

// storesAnew sets damaged content of the farm's own store aside, and adds the command that
// stores it anew from the named wiki to the error.
func (r *recovery) storesAnew(err error, name string) error {
	var damaged *archive.DamageError
	if !errors.As(err, &damaged) || damaged.Store != r.store {
		return err
	}
	if err := r.store.SetAside(damaged.Damage); err != nil {
		return errors.Join(damaged, err)
	}
	return tenants.WithHint(err, fmt.Sprintf("run wikictl backup %s: it stores the file anew from the wiki; older backups lack the file if the wiki has changed it", name))
}

// checkWanted reads the content of the uploads to be written. With SkipDamaged it omits those
// that are damaged or missing, and records them as lost.
func (r *restoration) checkWanted(ctx context.Context, files []archive.Upload) error {
	r.Lost = nil
	err := r.store.CheckAll(ctx, files)
	var damaged *archive.DamageError
	switch {
	case !errors.As(err, &damaged):
		return err
	case r.Of != "":
		return r.storesAnew(err, r.Of)
	case !r.SkipDamaged:
		return tenants.WithHint(err, fmt.Sprintf("wikictl restore %s --skip-damaged restores all others, and --from takes another backup", r.tenant.Name))
	}
	r.Lost = damaged.Paths()
	r.want = r.want.Without(r.Lost)
	return nil
}

// checkKept reads the stored copies of uploads that the restore removes from the wiki, and stores
// damaged ones anew from the wiki. Uploads that an interrupted restore has removed already exist
// only as copies.
func (r *restoration) checkKept(ctx context.Context) error {
	removed := archive.Missing(r.have, r.want)
	err := r.recovery.store.CheckAll(ctx, removed)
	var damaged *archive.DamageError
	if !errors.As(err, &damaged) {
		return err
	}
	if err := r.recovery.store.SetAside(damaged.Damage); err != nil {
		return err
	}
	half := r.Layout.HalfArchive(r.tenant.Name)
	defer os.RemoveAll(half)
	_, err = r.recovery.store.Keep(ctx, r.Layout.Images(r.tenant.Name), filepath.Join(half, r.RunID, "uploads"), r.have)
	if err != nil || r.Phase != beginning {
		return err
	}
	return r.recovery.store.CheckAll(ctx, removed)
}
