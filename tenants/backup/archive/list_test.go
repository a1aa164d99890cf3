package archive

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/tenants/disk"
)

// A description that can't be read hides neither the other backups of the wiki nor those
// of other wikis, and the archive beside it is still of use.
func TestDamagedDescription(t *testing.T) {
	dir := t.TempDir()
	file, _ := keep(t, dir, t.TempDir(), Uploads{})
	good, err := Find(file)
	must(t, err)
	must(t, good.Describe())
	for name, spoil := range map[string]func(path string) error{
		"text":   func(path string) error { return os.WriteFile(path, []byte("{ junk"), 0o600) },
		"FIFO":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		bad := FileOf(filepath.Join(dir, "wikis", strings.ToLower(name)), run)
		must(t, os.MkdirAll(filepath.Dir(bad), 0o755))
		must(t, os.Link(file, bad))
		must(t, spoil(described(bad)))
		if _, err := Latest(filepath.Dir(bad)); err == nil || !strings.Contains(err.Error(), "restore --from "+bad) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if all, err := All(dir); len(all) != 1 || err == nil {
			t.Errorf("%s: %v, %v", name, all, err)
		}
		must(t, os.Rename(described(bad), filepath.Join(dir, name)))
		if _, err := Find(bad); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An archive that is no regular file is refused at once.
func TestArchiveIsNoRegularFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "x"+ending)
	must(t, syscall.Mkfifo(fifo, 0o600))
	if _, err := Find(fifo); !errors.Is(err, disk.ErrIrregular) {
		t.Error(err)
	}
}
