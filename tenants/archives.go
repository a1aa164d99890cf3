package tenants

import "path/filepath"

// Archives is the folder of all backups. It outlives the tenants.
func (l Layout) Archives() string { return filepath.Join(l.State, "archives") }

// ArchivesOf is the folder of a tenant's backups.
func (l Layout) ArchivesOf(name string) string { return filepath.Join(l.Archives(), "wikis", name) }

// HalfArchive is the folder in which a run makes a tenant's backup.
func (l Layout) HalfArchive(name string) string { return filepath.Join(l.Archives(), "half", name) }

// Restoring is the folder of what an unfinished restore of a tenant needs.
func (l Layout) Restoring(name string) string { return filepath.Join(l.State, "restoring", name) }
