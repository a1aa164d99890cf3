package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A web server that would not serve a new wiki is reported before anything of it is made,
// with what to do.
func TestNothingUnservedIsMade(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	conf := filepath.Join(f.demo.Web.Dir, "nginx.conf")
	data, err := os.ReadFile(conf)
	must(t, err)
	include := "include " + f.state("vhosts") + "/*.conf;"
	if strings.Count(string(data), include) != 1 {
		t.Fatalf("%s", data)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", f.demo.Web.Port)
	for _, tc := range []struct{ name, instead, want string }{
		{"no include", "", "add the line " + include + " inside http { } of " + conf},
		{"another default server", include + " server { listen " + listen + " default_server; }", "remove the word default_server there"},
	} {
		must(t, os.WriteFile(conf, []byte(strings.Replace(string(data), include, tc.instead, 1)), 0o644))
		for _, args := range [][]string{{"plan"}, {"create", "--dry-run", "alpha"}, {"create", "alpha"}, {"apply", "alpha"}} {
			out, err := f.command(args...).CombinedOutput()
			if code(err) != 2 || !strings.Contains(string(out), tc.want) {
				t.Errorf("%s: %v: exit %d: %s", tc.name, args, code(err), out)
			}
		}
		if made, _ := filepath.Glob(f.state("secrets/*")); len(made) > 0 {
			t.Errorf("%s: %v", tc.name, made)
		}
	}
	must(t, os.WriteFile(conf, data, 0o644))
	if out, err := f.command("plan").CombinedOutput(); code(err) != 1 {
		t.Errorf("as it was: %v: %s", err, out)
	}
}
