package recovery

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
	"wikictl/tenants/disk"
)

// KeepSnapshots deletes the farm's own snapshots that [keep] does not keep, those of killed runs,
// and descriptions of snapshots that are gone, and returns a line that describes what it deleted, or "".
func KeepSnapshots(ctx context.Context, f *tenants.Farm, farm string, now time.Time) (line string, err error) {
	r, err := repositoryOf(f)
	if err != nil || r == nil || farm == "" {
		return "", err
	}
	notes := killedRuns(f.Layout())
	found, err := r.Snapshots(ctx, restic.Tag("farm", farm))
	if err != nil {
		return "", err
	}
	whole := described(found, f.Layout())
	gone := expiredSnapshots(whole, f.Keep.Backups, now)
	if err := r.Forget(ctx, append(undescribed(found, whole, notes, now), gone...)); err != nil {
		return "", err
	}
	if len(gone) > 0 {
		line = fmt.Sprintf("removed, as [keep] says: %d snapshots of %s", len(gone), r.Location)
	}
	found = slices.DeleteFunc(found, func(s restic.Snapshot) bool { return slices.Contains(gone, s.ID) })
	return line, errors.Join(forgetDescriptions(f, found), forgetNotes(f.Layout(), notes))
}

// expiredSnapshots returns the ids of a farm's snapshots, newest first, that the rules do not
// keep, and of incomplete ones.
func expiredSnapshots(found []restic.Snapshot, rules tenants.KeepBackups, now time.Time) (gone []string) {
	wikis := map[string][]*archive.Archive{}
	seen := map[[2]string]bool{}
	for _, s := range found {
		if seen[[2]string{s.Wiki, s.Run}] {
			gone = append(gone, s.ID)
			continue
		}
		seen[[2]string{s.Wiki, s.Run}] = true
		a := &archive.Archive{Snapshot: s.ID}
		a.Taken = s.Taken
		wikis[s.Wiki] = append(wikis[s.Wiki], a)
	}
	for _, list := range wikis {
		for _, a := range archive.Expired(list, rules, 0, now) {
			gone = append(gone, a.Snapshot)
		}
	}
	slices.Sort(gone)
	return gone
}

// forgetDescriptions removes descriptions of snapshots that the repository no longer has.
func forgetDescriptions(f *tenants.Farm, found []restic.Snapshot) error {
	exists := map[[2]string]bool{}
	for _, s := range found {
		exists[[2]string{s.Wiki, s.Run}] = true
	}
	all, failed := archive.All(f.Layout().Archives())
	for _, a := range all {
		if a.Snapshot == "" || a.Repository != f.Backup.Restic || exists[[2]string{a.Name, a.Run}] {
			continue
		}
		failed = errors.Join(failed, disk.IgnoreAbsent(archive.Remove(a.File)))
	}
	return failed
}

// described returns the snapshots without those that a run of this state folder began and did not
// describe: they may be incomplete.
func described(found []restic.Snapshot, l tenants.Layout) []restic.Snapshot {
	begun := map[string][]string{}
	return slices.DeleteFunc(slices.Clone(found), func(s restic.Snapshot) bool {
		if _, read := begun[s.Wiki]; !read && tenants.ValidName(s.Wiki) {
			begun[s.Wiki] = archive.Undescribed(l.ArchivesOf(s.Wiki))
		}
		return slices.Contains(begun[s.Wiki], s.Run)
	})
}

// abandoned is the age from which a snapshot without a description is that of a killed run, also
// of a removed wiki, whose next backup would say so.
const abandoned = 7 * 24 * time.Hour

// killedRuns returns the killed runs that began a snapshot, by wiki.
func killedRuns(l tenants.Layout) map[string][]string {
	runs := map[string][]string{}
	dirs, _ := filepath.Glob(l.ArchivesOf("*"))
	for _, dir := range dirs {
		runs[filepath.Base(dir)] = archive.Killed(dir)
	}
	return runs
}

// undescribed returns the ids of snapshots that are not whole and whose run was killed.
func undescribed(found, whole []restic.Snapshot, killed map[string][]string, now time.Time) (ids []string) {
	for _, s := range found {
		if !slices.Contains(whole, s) && (slices.Contains(killed[s.Wiki], s.Run) || now.Sub(s.Taken) > abandoned) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// forgetNotes removes the notes of killed runs, whose snapshots are gone.
func forgetNotes(l tenants.Layout, killed map[string][]string) (failed error) {
	for wiki, runs := range killed {
		for _, run := range runs {
			failed = errors.Join(failed, archive.Forget(l.ArchivesOf(wiki), run))
		}
	}
	return failed
}
