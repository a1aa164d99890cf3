package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// wait is how long Tidy waits for users of the archives. Later runs try again.
const wait = 100 * time.Millisecond

// Tidy removes backups and uploads according to [keep], and returns a line about the removed
// ones, or "".
func Tidy(ctx context.Context, h *session.Host, now time.Time) (line string, err error) {
	store := archive.NewStore(h.Layout.Archives())
	if _, err := os.Stat(h.Layout.Archives()); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	release, err := store.Alone(waiting)
	if err != nil {
		return "", nil
	}
	defer release()
	if age := h.Farm.Keep.Temporary; age > 0 {
		if err := forgetHalf(h.Layout, now.Add(-age)); err != nil {
			return "", err
		}
	}
	if age := h.Farm.Keep.Removed; age > 0 {
		if err := store.ForgetAside(now.Add(-age)); err != nil {
			return "", err
		}
	}
	restoring, err := forgetRestored(ctx, h, now)
	if err != nil || restoring { // an interrupted restore needs its backup
		return "", err
	}
	gone, unread := expired(h.Layout, h.Farm.Keep, now)
	if err := store.Discard(gone); err != nil {
		return "", errors.Join(unread, err)
	}
	bytes, err := store.Sweep(ctx)
	for _, a := range gone {
		bytes += a.Bytes
	}
	if len(gone) > 0 {
		line = fmt.Sprintf("removed, as [keep] says: %d backups, %d MB", len(gone), bytes>>20)
	}
	return line, errors.Join(unread, err)
}

// forgetHalf removes folders of incomplete backups that were last written before a time. The
// next backup of a wiki removes younger ones, but a removed wiki has no next backup.
func forgetHalf(l tenants.Layout, before time.Time) error {
	found, err := filepath.Glob(l.HalfArchive("*"))
	if err != nil {
		return err
	}
	for _, dir := range found {
		info, err := os.Stat(dir)
		if err == nil && info.ModTime().Before(before) {
			err = os.RemoveAll(dir)
		}
		if disk.IgnoreAbsent(err) != nil {
			return err
		}
	}
	return nil
}

// stale is the age from which the folder of a restore counts as abandoned.
const stale = time.Hour

// forgetRestored removes folders of restores that were killed after their last step, and
// reports whether another restore is unfinished.
func forgetRestored(ctx context.Context, h *session.Host, now time.Time) (unfinished bool, err error) {
	found, _ := filepath.Glob(h.Layout.Restoring("*"))
	if len(found) == 0 {
		return false, nil
	}
	_, rows, err := h.ReadLedger(ctx)
	if err != nil {
		return false, err
	}
	for _, dir := range found {
		info, err := os.Stat(dir)
		switch {
		case rows[filepath.Base(dir)].State == ledger.Recovering, err == nil && now.Sub(info.ModTime()) < stale:
			unfinished = true
		default:
			err = os.RemoveAll(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unfinished, err
		}
	}
	return unfinished, nil
}

// expired returns the readable backups of all wikis that [keep] does not keep.
func expired(l tenants.Layout, k tenants.Keep, now time.Time) (gone []*archive.Archive, err error) {
	wikis, err := disk.Folders(filepath.Dir(l.ArchivesOf("x")))
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, wiki := range wikis {
		list, err := archive.List(l.ArchivesOf(wiki))
		if err != nil { // the newest may be the one that can't be read
			failures = append(failures, err)
			continue
		}
		gone = append(gone, archive.Expired(archive.Files(list), k.Backups, k.DumpAge, now)...)
	}
	return gone, errors.Join(failures...)
}
