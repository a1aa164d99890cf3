package tenants

import "path/filepath"

// Archives returns the folder of all backups. It outlives the tenants.
func (l Layout) Archives() string { return filepath.Join(l.State, "archives") }

// ArchivesOf returns the folder of a tenant's backups.
func (l Layout) ArchivesOf(name string) string { return filepath.Join(l.Archives(), "wikis", name) }

// HalfArchive returns the folder in which a run makes a tenant's backup.
func (l Layout) HalfArchive(name string) string { return filepath.Join(l.Archives(), "half", name) }

// Restoring returns the folder of the files for an unfinished restore of a tenant.
func (l Layout) Restoring(name string) string { return filepath.Join(l.State, "restoring", name) }

// RestoreJournal returns the file that says how an unfinished restore of a tenant continues.
func (l Layout) RestoreJournal(name string) string {
	return filepath.Join(l.Restoring(name), "restore.json")
}

// ResticCache returns the folder of restic's cache.
func (l Layout) ResticCache() string { return filepath.Join(l.State, "restic") }
