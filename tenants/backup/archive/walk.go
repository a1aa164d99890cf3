package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// walk calls a function for each file, link and folder in an upload folder, a folder before what is
// in it, and not for the content of one for which it returns fs.SkipDir. It skips those that
// the wiki removes meanwhile. Names may be any bytes, which io/fs refuses.
func walk(ctx context.Context, root *os.Root, do func(name string, e fs.DirEntry) error) error {
	return walkIn(ctx, root, ".", do)
}

func walkIn(ctx context.Context, root *os.Root, dir string, do func(name string, e fs.DirEntry) error) error {
	entries, err := entriesOf(root, dir)
	if err != nil && dir != "." {
		return disk.IgnoreAbsent(err)
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := path.Join(dir, e.Name())
		err := do(name, e)
		if err == nil && e.IsDir() {
			err = walkIn(ctx, root, name, do)
		}
		if err != nil && !(e.IsDir() && errors.Is(err, fs.SkipDir)) {
			return err
		}
	}
	return nil
}

// noteIrregular notes a FIFO, a socket or a device of an upload folder, not a folder.
func (u *Uploads) noteIrregular(name string, e fs.DirEntry) {
	if !e.IsDir() {
		u.Irregular = append(u.Irregular, name)
	}
}

// Omitted says which files of an upload folder a backup omits because they are FIFOs, sockets or
// devices; empty if there are none.
func (u Uploads) Omitted() string {
	if len(u.Irregular) == 0 {
		return ""
	}
	return "a backup omits what is a FIFO, a socket or a device in the upload folder: " + NameSome(u.Irregular)
}

// entriesOf reads a folder, sorted by name.
func entriesOf(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}
