package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants/wiki"
)

// What the probe finds out about a wiki beside its name: the address that it takes
// itself to have, who answers by its other host names, and whether it is read-only.
func TestProbeComparesMore(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.exits(0, "create", "--all")
	base := fmt.Sprintf("http://127.0.0.1:%d", f.demo.Web.Port)
	whole := f.read("tenants/w0.toml")

	f.write("tenants/w0.toml", whole+"wgUrlProtocols = [\"appstream:\"]\n")
	f.wants(f.fails("apply", "w0"), "failed (restored)", `main page at "http:http://w0.localhost`, "wgUrlProtocols")
	f.write("tenants/w0.toml", whole)
	f.exits(0, "plan")

	f.write("tenants/w0.toml", strings.Replace(whole, `["w0.localhost"]`, `["w0.localhost", "also.localhost"]`, 1))
	f.serve("also.localhost", "", `location / { return 200 "another"; }`, "another")
	f.wants(f.fails("apply", "w0"), "failed (restored)", "request also.localhost")
	f.write("tenants/w0.toml", whole)

	f.writes("w1", base)
	f.write("tenants/w1.toml", f.read("tenants/w1.toml")+"wgGroupPermissions.\"*\".read = false\n")
	f.exits(0, "apply", "w1")
	f.writes("w1", base)
}

// writes has the probe tell a wiki that can be written from one that is read-only,
// and change nothing in it.
func (f *farm) writes(name, base string) {
	f.t.Helper()
	changes := "SELECT COUNT(*) FROM wiki_" + name + ".revision UNION ALL SELECT COUNT(*) FROM wiki_" + name + ".logging"
	before := f.sql(changes)
	if err := wiki.RefusesEdits(f.t.Context(), base, name+".localhost"); err == nil {
		f.t.Errorf("%s can be written, and the probe takes it to be read-only", name)
	}
	if after := f.sql(changes); !slices.Equal(after, before) {
		f.t.Errorf("%s has %v, and had %v before the probe", name, after, before)
	}
	file := f.state("wikis/" + name + "/read-only")
	must(f.t, os.WriteFile(file, []byte("for a test"), 0o644))
	if err := wiki.RefusesEdits(f.t.Context(), base, name+".localhost"); err != nil {
		f.t.Error(err)
	}
	must(f.t, os.Remove(file))
}

// fails runs wikictl, wants exit code 2, and returns all that it printed.
func (f *farm) fails(args ...string) string {
	f.t.Helper()
	out, err := f.command(args...).CombinedOutput()
	if code(err) != 2 {
		f.t.Fatalf("wikictl %v: %v, want exit code 2\n%s", args, err, out)
	}
	return string(out)
}
