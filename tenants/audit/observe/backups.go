package observe

import (
	"errors"
	"io/fs"

	"wikictl/templates/deploy"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
)

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

// inspectArchives finds a tenant's latest backup, and reads all of an archive unless quick.
func (s *Wiki) inspectArchives(dir string, quick bool) (err error) {
	s.Archive, err = archive.Latest(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err == nil && s.Archive != nil && s.Archive.Snapshot == "" && !quick {
		_, err = archive.Extract(s.Archive.File, "", nil)
	}
	if err != nil {
		s.Damaged = errors.Join(s.Damaged, err)
	}
	return nil
}
