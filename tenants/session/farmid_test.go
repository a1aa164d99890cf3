package session

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"wikictl/tenants"
)

// A state folder serves one folder of definitions: not a second checkout, and not a copy of
// both, but the same folder by another name.
func TestIdentityOfOtherDefinitions(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	f := &tenants.Farm{Dir: dir, State: filepath.Join(dir, "state")}
	if i, err := identify(f); err != nil || i.ID != "" {
		t.Errorf("a farm that has none: %v, %v", i, err)
	}
	data, err := newIdentity(dir).Encode()
	if err == nil {
		err = errors.Join(os.Mkdir(f.State, 0o755), os.WriteFile(f.Layout().Identity(), data, 0o644), os.Symlink(dir, filepath.Join(other, "link")))
	}
	if err != nil {
		t.Fatal(err)
	}
	for place, mine := range map[string]bool{dir: true, filepath.Join(other, "link"): true, other: false, filepath.Join(dir, "gone"): false} {
		f.Dir = place
		if i, err := identify(f); errors.Is(err, ErrOtherFolder) == mine || i.ID == "" {
			t.Errorf("from %s: %v, %v", place, i, err)
		}
	}
}
