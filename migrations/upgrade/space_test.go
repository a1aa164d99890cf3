package upgrade

import (
	"os"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// A wiki whose dump finds no room is blocked alone. What a blocked wiki would have taken is not
// taken from the others.
func TestSpaceIsCheckedForEachWiki(t *testing.T) {
	f := &tenants.Farm{State: t.TempDir()}
	p := &Plan{Tenants: []*Planned{{Name: "small", Bytes: 4 << 20}, {Name: "large", Bytes: 1 << 62}, {Name: "grown", Bytes: 1}, {Name: "little", Bytes: 4 << 20}, {Name: "odd", Bytes: 1}, {Name: "locked", Bytes: 4 << 20, Problems: []string{"it is locked"}}}}
	if err := os.MkdirAll(f.State+"/backups", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere/at/all", f.Layout().Backups("odd")); err != nil {
		t.Fatal(err)
	}
	p.checkSpace(f.Layout(), map[string]ledger.Upgrade{"grown": {BackupBytes: 1 << 61}})
	for i, want := range []string{"", "its dump may need", "its dump may need", "", "is a dangling link", "it is locked"} {
		if got := strings.Join(p.Tenants[i].Problems, "; "); (got == "") != (want == "") || !strings.Contains(got, want) || want != "it is locked" && p.Tenants[i].own != len(p.Tenants[i].Problems) {
			t.Errorf("%s: %q, want %q", p.Tenants[i].Name, got, want)
		}
	}
	if p.Space != 2<<20 || p.Free <= 0 {
		t.Errorf("%d bytes of %d are to be taken", p.Space, p.Free)
	}
}
