package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// A folder that PHP's or nginx's user can't enter blocks the tenants that need it, with the
// folder and a hint.
func TestBarred(t *testing.T) {
	needs.Root(t, "servers of another user")
	dir := needs.Folder(t)
	shut, open := filepath.Join(dir, "shut"), filepath.Join(dir, "open")
	for path, mode := range map[string]os.FileMode{shut: 0o700, filepath.Join(shut, "code"): 0o755, open: 0o755} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct{ name, state, code, php, pool, nginx, key string }{
		{"all open", open, open, "nobody", "", "nobody", ""},
		{"the state folder is not made yet", filepath.Join(shut, "in", "state"), open, "nobody", "", "", "state"},
		{"codebase", open, filepath.Join(shut, "code"), "nobody", "", "", "codebases.x"},
		{"only nginx", open, filepath.Join(shut, "code"), "", "", "nobody", "codebases.x"},
		{"user of its own pool", open, filepath.Join(shut, "code"), "root", "nobody", "", "codebases.x"},
		{"PHP runs as root", open, filepath.Join(shut, "code"), "root", "", "", ""},
		{"unknown user", open, filepath.Join(shut, "code"), "no-such-user", "", "", ""},
	}
	gone := &webSide{farm: &tenants.Farm{State: filepath.Join(shut, "in"), Web: tenants.Web{User: "nobody"}}, asked: map[[2]string]*tenants.Problem{}}
	if p := gone.barred(&tenants.Tenant{}); p != nil {
		t.Errorf("a wiki that nothing defines any more: %s", p)
	}
	for _, tc := range cases {
		f := &tenants.Farm{State: tc.state, Web: tenants.Web{User: tc.php}}
		wiki := &tenants.Tenant{Codebase: &tenants.Codebase{Name: "x", Path: tc.code}, Pool: tenants.Pool{User: tc.pool}}
		w := &webSide{farm: f, worker: tc.nginx, asked: map[[2]string]*tenants.Problem{}}
		p := w.barred(wiki)
		switch {
		case (p == nil) != (tc.key == ""):
			t.Errorf("%s: %v", tc.name, p)
		case p != nil && (p.Key != tc.key || !strings.Contains(p.String(), "nobody can't reach") || !strings.Contains(p.String(), shut+" has mode 0700") || p.Hint == ""):
			t.Errorf("%s: %s", tc.name, p)
		}
	}
}
