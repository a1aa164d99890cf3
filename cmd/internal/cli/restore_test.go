package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"wikictl/tenants"
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
