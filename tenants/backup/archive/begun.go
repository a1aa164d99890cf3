package archive

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"wikictl/tenants/disk"
)

// Suffixes of notes, after the run's id: of a run that makes a snapshot, and of one that was
// killed before the snapshot was described.
const (
	begunEnding  = ".begun"
	killedEnding = ".killed"
)

// Begin notes durably in a wiki's folder of archives that a run makes a snapshot of the wiki. The
// snapshot is no backup until it is described, as the run may be killed after an incomplete one.
// No other run may make one: those that are noted were killed.
func Begin(dir, run string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, old := range noted(dir, begunEnding) {
		if err := os.Rename(filepath.Join(dir, old+begunEnding), filepath.Join(dir, old+killedEnding)); err != nil {
			return err
		}
	}
	if err := writeDurable(filepath.Join(dir, run+begunEnding), nil); err != nil {
		return err
	}
	return disk.SyncFolder(dir)
}

// Undescribed returns the runs that began a snapshot and did not describe it, by the notes in a
// wiki's folder of archives.
func Undescribed(dir string) []string { return append(noted(dir, begunEnding), Killed(dir)...) }

// Killed returns those of Undescribed that were killed.
func Killed(dir string) []string { return noted(dir, killedEnding) }

// noted returns the runs with a note, and without a description.
func noted(dir, ending string) (runs []string) {
	notes, _ := filepath.Glob(filepath.Join(dir, "*"+ending))
	for _, note := range notes {
		run := strings.TrimSuffix(filepath.Base(note), ending)
		if _, err := os.Lstat(described(FileOf(dir, run))); err != nil {
			runs = append(runs, run)
		}
	}
	return runs
}

// Forget removes the note of a run, once it is described or nothing of it is left.
func Forget(dir, run string) error {
	note := filepath.Join(dir, run)
	return errors.Join(disk.IgnoreAbsent(os.Remove(note+begunEnding)), disk.IgnoreAbsent(os.Remove(note+killedEnding)))
}
