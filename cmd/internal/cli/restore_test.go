package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
)

// The file of a backup is known by its whole path: the run that finishes an interrupted
// restore may be in another folder.
func TestBackupIsKnownByItsWholePath(t *testing.T) {
	want := filepath.Join(t.TempDir(), "away", "w0.tar.zst")
	t.Chdir(filepath.Dir(filepath.Dir(want)))
	if _, err := backupOf(t.Context(), &tenants.Farm{}, "w0", "away/w0.tar.zst"); err == nil || !strings.Contains(err.Error(), "there is no file "+want) {
		t.Errorf("got %v, want %s in it", err, want)
	}
}

// The latest backup is not chosen where a clock was ahead.
func TestLatestBackupAfterAClockWasAhead(t *testing.T) {
	f := &tenants.Farm{State: t.TempDir()}
	dir := f.Layout().ArchivesOf("w0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(run string, taken time.Time) {
		t.Helper()
		a := &archive.Archive{File: archive.FileOf(dir, run)}
		a.Name, a.Run, a.Taken = "w0", run, taken
		if err := os.WriteFile(a.File, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := a.Describe(); err != nil {
			t.Fatal(err)
		}
	}
	put("20260101-000000-aaaaaa", time.Now())
	if b, err := backupOf(t.Context(), f, "w0", ""); err != nil || b == nil {
		t.Fatal(b, err)
	}
	ahead := "20270101-000000-bbbbbb"
	put(ahead, time.Now().Add(24*time.Hour))
	if b, err := backupOf(t.Context(), f, "w0", ""); b != nil || err == nil || !strings.Contains(err.Error(), ahead) {
		t.Errorf("it chose %v: %v", b, err)
	}
	if b, err := backupOf(t.Context(), f, "w0", ahead); err != nil || b == nil {
		t.Errorf("a chosen one: %v", err)
	}
}
