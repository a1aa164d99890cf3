package main

import (
	"os"
	"strings"
	"testing"
)

// A plan names the real reason of a block: a damaged secrets file is not reported as a wrong
// password, nor a failed run as an interrupted one.
func TestPlanTellsReasons(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	if _, code := f.struck(event{"w2", "seed", "before", "fail"}, "create", "--all"); code != 2 {
		t.Error(code)
	}
	f.wants(f.exits(1, "plan"), "make w2: ", `began it and failed at "seed": planted by a test`)
	if _, code := f.struck(event{"w2", "seed", "before", "kill"}, "create", "w2"); code != -1 {
		t.Error(code)
	}
	f.wants(f.exits(1, "plan"), "began it, and is active or was interrupted")
	f.exits(0, "create", "w2")
	damagedSecrets(f)
}

// damagedSecrets has text that is no TOML, and then a folder, in place of w0's secrets.
func damagedSecrets(f *farm) {
	path, kept := f.state("secrets/w0.toml"), f.state("kept")
	says := "restore " + path
	must(f.t, os.Rename(path, kept))
	for _, damage := range []func() error{
		func() error { return os.WriteFile(path, []byte("web_password = \x00\x01"), 0o600) },
		func() error { return os.WriteFile(path, []byte("web_password = \"x\"\n"), 0o600) },
		func() error { return os.Mkdir(path, 0o700) },
	} {
		must(f.t, os.RemoveAll(path))
		must(f.t, damage())
		out := f.exits(2, "plan")
		f.wants(out, "blocked w0: ", "its secrets can't be read", says, "2 unchanged")
		if strings.Contains(out, "does not have the password") {
			f.t.Error(out)
		}
	}
	f.wants(f.exits(2, "upgrade", "--dry-run", "--all"), "blocked w0: ", says)
	f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "Wiki 1", "Wiki 1!", 1))
	out, story, code := f.result("apply", "--all")
	if code != 2 {
		f.t.Error(code)
	}
	f.wants(out+story, "apply: 1 done", says)
	file := f.read("tenants/w0.toml")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.wants(f.exits(1, "plan"), "can't be removed: its secrets can't be read", says)
	f.write("tenants/w0.toml", file)
	must(f.t, os.RemoveAll(path))
	must(f.t, os.Rename(kept, path))
	f.wants(f.exits(0, "plan"), "no changes")
}
