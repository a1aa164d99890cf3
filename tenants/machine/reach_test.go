package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// A folder that PHP's or nginx's user can't enter bars the tenants that need it, with the
// folder and a hint; doctor and the preflights have the same answer.
func TestReach(t *testing.T) {
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
	code := filepath.Join(open, "code")
	if err := os.MkdirAll(filepath.Join(code, "includes"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(code, "includes", "Defines.php"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, state, code, php, pool, nginx, key, mode, hint string }{
		{"all open", open, open, "nobody", "", "nobody", "", "", ""},
		{"the state folder is not made yet", filepath.Join(shut, "in", "state"), open, "nobody", "", "", "state", shut + " has mode 0700", "chmod o+x " + shut},
		{"codebase", open, filepath.Join(shut, "code"), "nobody", "", "", "codebases.x", shut + " has mode 0700", "chmod o+x " + shut},
		{"only nginx", open, filepath.Join(shut, "code"), "", "", "nobody", "codebases.x", shut + " has mode 0700", "chmod o+x " + shut},
		{"user of its own pool", open, filepath.Join(shut, "code"), "root", "nobody", "", "codebases.x", shut + " has mode 0700", "chmod o+x " + shut},
		{"PHP runs as root", open, filepath.Join(shut, "code"), "root", "", "", "", "", ""},
		{"unknown user", open, filepath.Join(shut, "code"), "no-such-user", "", "", "", "", ""},
		{"code that only root reads", open, code, "nobody", "", "", "codebases.x", "Defines.php has mode 0600", "chmod -R o+rX " + code},
	}
	for _, tc := range cases {
		c := &tenants.Codebase{Name: "x", Path: tc.code}
		wiki := &tenants.Tenant{Codebase: c, Pool: tenants.Pool{User: tc.pool}}
		f := &tenants.Farm{State: tc.state, Web: tenants.Web{User: tc.php}, Tenants: []*tenants.Tenant{wiki}, Codebases: map[string]*tenants.Codebase{"x": c}}
		r := NewReach(f, tc.nginx)
		b, all := r.Of(wiki), r.All()
		if (b == nil) != (tc.key == "") || (b == nil) != (len(all) == 0) {
			t.Errorf("%s: %v, %v", tc.name, b, all)
			continue
		}
		if b == nil {
			continue
		}
		p := b.Problem(f)
		if p.Key != tc.key || !strings.Contains(p.String(), "nobody can't reach") || !strings.Contains(p.String(), tc.mode) || !strings.Contains(p.Hint, tc.hint) || all[0] != *b {
			t.Errorf("%s: %s, %v", tc.name, p, all)
		}
		if b := r.Of(&tenants.Tenant{}); b != nil {
			t.Errorf("%s: a wiki that nothing defines any more: %v", tc.name, b)
		}
	}
}
