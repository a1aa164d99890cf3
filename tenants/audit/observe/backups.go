package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
)

// Repository describes the content of restic's repository of [backup].
type Repository struct {
	Snapshots map[string]bool // by id; nil if it was not read
	Fault     error           // why it could not be read
}

// repositoryTimeout is the time limit for listing snapshots: restic itself would wait long for a
// repository on another machine.
const repositoryTimeout = time.Minute

// inspectRepository lists the snapshots of the farm's repository, if it has one, unless the
// audit is quick. For a user who may not read its password the result is empty.
func inspectRepository(ctx context.Context, w Scope) (r Repository) {
	if w.Quick {
		return r
	}
	repository, err := restic.Open(w.Farm.Backup, w.Farm.Layout().ResticCache())
	if err != nil || repository == nil {
		r.Fault = err
		if errors.Is(err, fs.ErrPermission) {
			r.Fault = nil
		}
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, repositoryTimeout)
	defer cancel()
	found, err := repository.Snapshots(ctx)
	if err != nil {
		return Repository{Fault: err}
	}
	r.Snapshots = map[string]bool{}
	for _, s := range found {
		r.Snapshots[s.ID] = true
	}
	return r
}

// inspectBackups lists a tenant's dumps, and verifies the latest unless quick.
func (s *Wiki) inspectBackups(dir string, quick bool) (err error) {
	if s.Backups, err = backup.List(dir); err != nil {
		return err
	}
	for _, path := range s.Backups.Half {
		if deploy.Abandoned(path) {
			s.HalfDumps = append(s.HalfDumps, path)
		}
	}
	if len(s.Backups.Dumps) == 0 {
		return nil
	}
	latest, err := backup.Open(s.Backups.Dumps[0])
	if err != nil {
		s.Damaged = err
		return nil
	}
	s.Latest = latest
	if !quick {
		s.Damaged = latest.Verify()
	}
	return nil
}

// inspectArchives finds a tenant's latest backup. Unless quick, it reads the whole archive, and
// the sizes of its uploads in the store.
func (s *Wiki) inspectArchives(dir string, quick bool) (err error) {
	s.Archive, err = archive.Latest(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err == nil && s.Archive != nil && s.Archive.Snapshot == "" && !quick {
		_, err = archive.Extract(s.Archive.File, "", nil)
		if err == nil {
			err = lacking(s.Archive)
		}
	}
	if err != nil {
		s.Damaged = errors.Join(s.Damaged, err)
	}
	return nil
}

// lacking returns an error if uploads of a backup are missing in the store, or have another size
// in it. It reads no content.
func lacking(a *archive.Archive) error {
	uploads, err := archive.UploadsOf(a.File)
	if err != nil {
		return err
	}
	store := archive.StoreOf(a.File)
	lacks := store.Lacks(uploads.Files)
	if len(lacks) == 0 {
		return nil
	}
	paths := make([]string, len(lacks))
	for i, u := range lacks {
		paths[i] = u.Path
	}
	return fmt.Errorf("of the latest backup, %s, %d of %d uploads are missing in %s or have another size: %s",
		a.File, len(lacks), len(uploads.Files), store.Folder(), archive.NameSome(paths))
}
