package machine

import (
	"context"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/restic"
)

// Restic describes the program restic and a farm's repository of backups.
type Restic struct {
	Version string // empty: the program is missing or reports none
	Older   bool   // than wikictl is tested with
	Err     error  // why the repository can't be used; nil: it can
}

// resticPatience is how long to wait for the repository.
const resticPatience = 20 * time.Second

// readRestic reads the state of a farm's repository; nil if it has none.
func readRestic(ctx context.Context, f *tenants.Farm) *Restic {
	if f.Backup.Restic == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resticPatience)
	defer cancel()
	found := &Restic{}
	if found.Version, found.Older, found.Err = restic.Version(ctx); found.Err != nil {
		return found
	}
	r, err := restic.Open(f.Backup, f.Layout().ResticCache())
	if err == nil {
		err = r.Reach(ctx)
	}
	found.Err = err
	return found
}

// backups checks the repository of restic. A missing program is a finding of programs.
func (j *checker) backups() {
	r := j.facts.Restic
	if r == nil || j.facts.Programs[restic.Program] == "" {
		return
	}
	if r.Older {
		j.say("restic", Error, "backup.store", "restic is %s, and wikictl needs %d.%d or newer", r.Version, restic.Oldest[0], restic.Oldest[1]).Hint = "install a newer one, such as from restic's releases, before it in PATH"
		return
	}
	if r.Err != nil {
		found := j.say("restic", Error, "backup.store", "")
		found.Message, found.Hint = tenants.SplitHint(r.Err)
		return
	}
	j.say("restic", OK, "backup.store", "restic %s reaches %s", r.Version, j.farm.Backup.Restic)
}
