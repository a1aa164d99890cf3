package provision

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
)

// The latest removal of a tenant is not chosen where a clock was ahead.
func TestLatestRemovalAfterAClockWasAhead(t *testing.T) {
	l := tenants.Layout{State: t.TempDir()}
	put := func(run string, removed time.Time) {
		t.Helper()
		dir := filepath.Join(l.Removed(), "w0-"+run)
		data, err := json.Marshal(Removed{Name: "w0", Run: run, Removed: removed})
		if err := errors.Join(err, os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, manifestFile), data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	put("past", time.Now().Add(-time.Hour))
	put("now", time.Now())
	if r, err := FindRemoved(l, "w0", ""); err != nil || r.Run != "now" {
		t.Fatal(r, err)
	}
	put("ahead", time.Now().Add(24*time.Hour))
	if r, err := FindRemoved(l, "w0", ""); err == nil || !strings.Contains(err.Error(), "run ahead") {
		t.Errorf("it chose %v: %v", r, err)
	}
	for _, run := range []string{"past", "now", "ahead"} {
		if r, err := FindRemoved(l, "w0", run); err != nil || r.Run != run {
			t.Errorf("run %s: %v, %v", run, r, err)
		}
	}
	d := Deletion{tenant: &tenants.Tenant{Name: "w0"}}
	if r, err := d.removal(l, filepath.Join(l.Removed(), "w0-now")); err != nil || r.Run != "now" {
		t.Errorf("what this run removed: %v, %v", r, err)
	}
	if _, err := FindRemoved(l, "w1", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
