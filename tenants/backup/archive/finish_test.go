package archive

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Archives of a killed backup are removed if they are incomplete, and count if they are whole.
func TestFinish(t *testing.T) {
	dir := t.TempDir()
	file := FileOf(dir, "20260101-000000-abcdef")
	m := &Manifest{Name: "a", Database: "wiki_a", Version: "1.43.0", Run: "20260101-000000-abcdef", Taken: time.Unix(1e9, 0)}
	if err := Write(file, m, []Part{{Name: ReadmeMember, Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	damaged := FileOf(dir, "20260102-000000-abcdef")
	for _, path := range []string{damaged, file + halfEnding, described(file) + halfEnding} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Finish(dir); err != nil {
		t.Fatal(err)
	}
	all, err := List(dir)
	if err != nil || len(all) != 1 || all[0].File != file {
		t.Error(all, err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 3 {
		t.Error(left)
	}
	if err := Finish(filepath.Join(dir, "nowhere")); err != nil {
		t.Error(err)
	}
}

// A snapshot's run is known until it described it. The next one knows that it was killed.
func TestUndescribed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	const killed, ended, now = "20260101-000000-abcdef", "20260102-000000-abcdef", "20260103-000000-abcdef"
	for _, run := range []string{killed, ended} {
		if err := Begin(dir, run); err != nil {
			t.Fatal(err)
		}
	}
	a := &Archive{File: FileOf(dir, ended), Snapshot: "0123456789"}
	a.Run = ended
	if err := a.Describe(); err != nil {
		t.Fatal(err)
	}
	if notes, _ := filepath.Glob(filepath.Join(dir, ended+".*")); len(notes) != 1 {
		t.Error("of a described snapshot there are", notes)
	}
	if err := Begin(dir, now); err != nil {
		t.Fatal(err)
	}
	if all, gone := Undescribed(dir), Killed(dir); !slices.Equal(all, []string{now, killed}) || !slices.Equal(gone, []string{killed}) {
		t.Error(all, gone)
	}
	if err := errors.Join(Forget(dir, killed), Forget(dir, now)); err != nil || len(Undescribed(dir)) > 0 {
		t.Error(Undescribed(dir), err)
	}
}
