package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// prepared holds the goldens, the lists of settings, and the message caches of the wikis
// that most tests define: a farm's first run needs several seconds of processor time to
// make them. Their names identify their contents, so that each farm takes what it needs.
var prepared struct {
	once sync.Once
	dir  string // empty if it could not be made
}

// preparedFolders are the folders below a farm's state that are copied.
var preparedFolders = []string{"goldens", "l10n"}

// newFarm starts a farm that has what was prepared.
func newFarm(t *testing.T) *farm {
	t.Helper()
	f := newEmptyFarm(t)
	prepared.once.Do(func() { prepare(t) })
	if prepared.dir == "" {
		t.Fatal("the goldens of the tests' wikis could not be made: see the first test that failed")
	}
	must(t, os.MkdirAll(f.state("."), 0o755))
	for _, folder := range preparedFolders {
		f.shell("cp", "-a", filepath.Join(prepared.dir, folder), f.state(folder))
	}
	return f
}

// prepare makes one farm with a wiki of each kind, and keeps what it made.
func prepare(t *testing.T) {
	t.Helper()
	f := newEmptyFarm(t)
	demo := map[string]string{}
	for _, name := range []string{"alpha", "beta", "gamma"} {
		demo[name] = f.read("tenants/" + name + ".toml")
	}
	f.define(2)
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+f.read("tenants/w1.toml"))
	for name, text := range demo {
		f.write("tenants/"+name+".toml", text)
	}
	f.run("create", "--all")
	dir, err := os.MkdirTemp(needs.Parent(), "wk")
	must(t, err)
	for _, folder := range preparedFolders {
		f.shell("cp", "-a", f.state(folder), filepath.Join(dir, folder))
	}
	prepared.dir = dir
}
