package audit

import (
	"wikictl/templates/deploy"
	"wikictl/tenants/backup"
)

// lookAtBackups lists a tenant's dumps, and reads the latest as a whole unless it
// has to be quick.
func (s *diskState) lookAtBackups(dir string, quick bool) (err error) {
	if s.backups, err = backup.List(dir); err != nil {
		return err
	}
	for _, path := range s.backups.Half {
		if deploy.Abandoned(path) {
			s.halfDumps = append(s.halfDumps, path)
		}
	}
	if len(s.backups.Dumps) == 0 {
		return nil
	}
	latest, err := backup.Open(s.backups.Dumps[0])
	if err != nil {
		s.damaged = err
		return nil
	}
	s.latest = latest
	if !quick {
		s.damaged = latest.Verify()
	}
	return nil
}
