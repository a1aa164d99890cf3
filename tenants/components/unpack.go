package components

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// unpacking writes an archive's entries below a folder, out of which nothing leads: the kernel
// and os.Root resolve no link beyond it.
type unpacking struct {
	root  *os.Root
	files int
	left  int64 // bytes that may still be written
	links []struct{ name, target string }
}

// tar writes the entries of a tar file.
func (u *unpacking) tar(ctx context.Context, t *tar.Reader) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.link()
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
		case tar.TypeDir:
			err = u.folder(h.Name)
		case tar.TypeReg:
			err = u.file(h.Name, h.FileInfo().Mode(), t)
		case tar.TypeSymlink:
			err = u.later(h.Name, h.Linkname)
		default:
			err = fmt.Errorf("%q is neither a file nor a folder nor a symbolic link", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

// zip writes the entries of a zip file.
func (u *unpacking) zip(ctx context.Context, z *zip.Reader) error {
	for _, e := range z.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := u.zipped(e); err != nil {
			return err
		}
	}
	return u.link()
}

func (u *unpacking) zipped(e *zip.File) error {
	mode := e.Mode()
	switch {
	case e.Flags&1 != 0:
		return fmt.Errorf("%q is encrypted", e.Name)
	case strings.HasSuffix(e.Name, "/") || mode.IsDir():
		return u.folder(e.Name)
	case mode&fs.ModeSymlink == 0 && !mode.IsRegular():
		return fmt.Errorf("%q is neither a file nor a folder nor a symbolic link", e.Name)
	}
	r, err := e.Open()
	if err != nil {
		return fmt.Errorf("%q: %w", e.Name, err)
	}
	defer r.Close()
	if mode&fs.ModeSymlink == 0 {
		return u.file(e.Name, mode, r)
	}
	target, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return err
	}
	return u.later(e.Name, string(target))
}

// local is the name of an entry below the folder.
func local(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || clean == ".." || strings.HasPrefix(clean, "../"):
		return "", fmt.Errorf("the name %q leads out of the folder", name)
	case strings.Contains("/"+name+"/", "/../"):
		return "", fmt.Errorf("the name %q has .. in it", name)
	}
	return clean, nil
}

// count bounds the number of entries.
func (u *unpacking) count() error {
	if u.files++; u.files > maxFiles {
		return errTooLarge
	}
	return nil
}

func (u *unpacking) folder(name string) error {
	clean, err := local(name)
	if err := errors.Join(err, u.count()); err != nil {
		return err
	}
	return u.root.MkdirAll(clean, 0o755)
}

func (u *unpacking) file(name string, mode fs.FileMode, from io.Reader) error {
	clean, err := local(name)
	if err := errors.Join(err, u.count()); err != nil {
		return err
	}
	if err := u.root.MkdirAll(path.Dir(clean), 0o755); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	f, err := u.root.OpenFile(clean, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(from, u.left+1))
	if u.left -= n; err == nil && u.left < 0 {
		err = errTooLarge
	}
	return errors.Join(err, f.Close())
}

// later makes a link after all files, so that no file is written through it.
func (u *unpacking) later(name, target string) error {
	clean, err := local(name)
	if err := errors.Join(err, u.count()); err != nil {
		return err
	}
	if path.IsAbs(target) || !within(path.Join(path.Dir(clean), target)) {
		return fmt.Errorf("the link %q leads out of the folder, to %q", name, target)
	}
	u.links = append(u.links, struct{ name, target string }{clean, target})
	return nil
}

// within reports whether a clean relative path stays below its folder.
func within(clean string) bool { return clean != ".." && !strings.HasPrefix(clean, "../") }

func (u *unpacking) link() error {
	for _, l := range u.links {
		if err := u.root.MkdirAll(path.Dir(l.name), 0o755); err != nil {
			return err
		}
		if err := u.root.Symlink(l.target, l.name); err != nil {
			return err
		}
	}
	return nil
}
