package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Damage is an upload whose content in the store is missing or is not as it was written.
type Damage struct {
	Upload
	Reason string
}

// DamageError lists the damaged uploads of a backup.
type DamageError struct {
	Store  Store
	Damage []Damage
}

// mostNamed is the number of damaged uploads that an error names.
const mostNamed = 10

// Error names the store, the number of damaged uploads, and the first of them.
func (e *DamageError) Error() string {
	named := make([]string, min(len(e.Damage), mostNamed))
	for i := range named {
		named[i] = fmt.Sprintf("the upload %s: %s", e.Damage[i].Path, e.Damage[i].Reason)
	}
	return fmt.Sprintf("damaged or missing in %s: %s%s", e.Store.Folder(), strings.Join(named, "; "), unnamed(len(e.Damage)))
}

// Paths returns the paths of the damaged uploads.
func (e *DamageError) Paths() []string {
	paths := make([]string, len(e.Damage))
	for i, d := range e.Damage {
		paths[i] = d.Path
	}
	return paths
}

// unnamed says how many uploads of n are not named.
func unnamed(n int) string {
	if n <= mostNamed {
		return ""
	}
	return fmt.Sprintf("; and %d others, %d in all", n-mostNamed, n)
}

// NameSome joins the first of some paths, and says how many others are not named.
func NameSome(paths []string) string {
	return strings.Join(paths[:min(len(paths), mostNamed)], ", ") + unnamed(len(paths))
}

// Without returns a list of uploads without some files.
func (u Uploads) Without(paths []string) Uploads {
	u.Files = slices.DeleteFunc(slices.Clone(u.Files), func(f Upload) bool { return slices.Contains(paths, f.Path) })
	return u
}

// CheckAll reads content of the store, and compares it with its names. The error is a
// *DamageError if content is missing or damaged.
func (s Store) CheckAll(ctx context.Context, files []Upload) error {
	reasons := map[string]string{}
	var damage []Damage
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		reason, checked := reasons[f.SHA256]
		if !checked {
			var err error
			if reason, err = s.check(f); err != nil {
				return fmt.Errorf("the content of the upload %s: %w", f.Path, err)
			}
			reasons[f.SHA256] = reason
		}
		if reason != "" {
			damage = append(damage, Damage{f, reason})
		}
	}
	if damage == nil {
		return nil
	}
	return &DamageError{s, damage}
}

// check reads content, and returns why it is damaged; "" if it is as it was written.
func (s Store) check(u Upload) (reason string, err error) {
	f, err := os.OpenFile(s.Path(u.SHA256), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "it is missing", nil
	}
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err = io.Copy(h, f); err != nil {
		return unreadable(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != u.SHA256 {
		return fmt.Sprintf("%s: its SHA-256 is %s", s.Path(u.SHA256), got), nil
	}
	return "", nil
}

// unreadable returns the reason of damage by an error of the disk, or by something else in the
// place of a file, and any other error as it is.
func unreadable(err error) (reason string, other error) {
	for _, damage := range []error{syscall.EIO, syscall.ELOOP, syscall.EISDIR} {
		if errors.Is(err, damage) {
			return err.Error(), nil
		}
	}
	return "", err
}

// aside returns the folder of damaged content that was moved out of the way.
func (s Store) aside() string { return filepath.Join(s.dir, "damaged") }

// SetAside moves damaged content to the folder damaged beside files, so that the next backup of
// a wiki that still has the upload stores it anew.
func (s Store) SetAside(damage []Damage) error {
	for _, d := range damage {
		if reason, err := s.check(d.Upload); err != nil || reason == "" { // another run stored it anew
			continue
		}
		if err := os.MkdirAll(s.aside(), 0o700); err != nil {
			return err
		}
		to := filepath.Join(s.aside(), d.SHA256)
		err := os.Rename(s.Path(d.SHA256), to)
		if err == nil {
			now := time.Now()
			err = os.Chtimes(to, now, now) // ForgetAside counts from now on
		}
		if disk.IgnoreAbsent(err) != nil {
			return err
		}
	}
	return nil
}

// ForgetAside deletes damaged content that was set aside before a time.
func (s Store) ForgetAside(before time.Time) error {
	return s.removeAside(func(e fs.DirEntry) bool {
		info, err := e.Info()
		return err == nil && info.ModTime().Before(before)
	})
}

// removeAside deletes damaged content for which gone is true.
func (s Store) removeAside(gone func(fs.DirEntry) bool) error {
	entries, err := os.ReadDir(s.aside())
	if err != nil {
		return disk.IgnoreAbsent(err)
	}
	for _, e := range entries {
		if !gone(e) {
			continue
		}
		if err := disk.IgnoreAbsent(os.Remove(filepath.Join(s.aside(), e.Name()))); err != nil {
			return err
		}
	}
	return nil
}
