package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// young is the age up to which every backup stays.
const young = 24 * time.Hour

// Expired returns the archives of a wiki, newest first, that are neither young nor kept
// by the rules. The newest always stays. Archives made by other commands than backup stay
// for the duration others; 0: forever. One with a date after now stays, as a wrong clock may have
// dated it, and takes the place of no other.
func Expired(list []*Archive, rules tenants.KeepBackups, others time.Duration, now time.Time) (gone []*Archive) {
	periods := []*period{
		{left: rules.Daily, name: func(t time.Time) string { return t.Format(time.DateOnly) }},
		{left: rules.Weekly, name: func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, "-", week) }},
		{left: rules.Monthly, name: func(t time.Time) string { return t.Format("2006-01") }},
	}
	newest := true
	for _, a := range list {
		age := now.Sub(a.Taken)
		if age < 0 {
			continue
		}
		if a.Before != "" {
			if others > 0 && age > others {
				gone = append(gone, a)
			}
			continue
		}
		kept := newest || age < young
		newest = false
		for _, p := range periods {
			kept = p.takes(a.Taken.UTC()) || kept
		}
		if !kept {
			gone = append(gone, a)
		}
	}
	return gone
}

// period keeps the newest archive of each day, week or month, up to a number of them.
type period struct {
	left int64
	name func(time.Time) string
	last string
}

// takes reports whether an archive is the newest of its period. Archives come newest
// first.
func (p *period) takes(taken time.Time) bool {
	name := p.name(taken)
	if p.left <= 0 || name == p.last {
		return false
	}
	p.last = name
	p.left--
	return true
}

// unswept returns the path of a file that exists while the store may have content that no
// archive lists.
func (s Store) unswept() string { return filepath.Join(s.dir, "unswept") }

// Discard deletes archives. Their uploads stay in the store until Sweep.
func (s Store) Discard(list []*Archive) error {
	if len(list) == 0 {
		return nil
	}
	if err := writeDurable(s.unswept(), nil); err != nil {
		return err
	}
	for _, a := range list {
		if err := Remove(a.File); err != nil {
			return err
		}
	}
	return nil
}

// Sweep deletes content that no archive lists, also what was set aside, if archives were
// discarded since the last Sweep. The caller has exclusive use of the store. If an archive
// can't be read, all content stays.
func (s Store) Sweep(ctx context.Context) (bytes int64, err error) {
	if _, err := os.Stat(s.unswept()); err != nil {
		return 0, disk.IgnoreAbsent(err)
	}
	named, err := s.named(ctx)
	if err != nil {
		return 0, err
	}
	err = filepath.WalkDir(filepath.Join(s.dir, "files"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(disk.IgnoreAbsent(err), context.Cause(ctx))
		}
		if !e.Type().IsRegular() || named[e.Name()] {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		bytes += info.Size()
		return os.Remove(path)
	})
	if err == nil {
		err = s.removeAside(func(e fs.DirEntry) bool { return !named[e.Name()] })
	}
	if err != nil {
		return bytes, err
	}
	return bytes, os.Remove(s.unswept())
}

// named returns the checksums that archives list.
func (s Store) named(ctx context.Context) (map[string]bool, error) {
	named := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(s.dir, "wikis", "*", "*"+ending))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		u, err := UploadsOf(file)
		if err != nil {
			return nil, err
		}
		for _, f := range u.Files {
			named[f.SHA256] = true
		}
	}
	return named, nil
}
