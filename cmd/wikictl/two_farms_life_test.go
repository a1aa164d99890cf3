package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// livesBeside takes a wiki of one farm through its life, and wants nothing of the other farm
// on the server to be named or touched.
func livesBeside(t *testing.T, f, g *farm) {
	others := func(args ...string) string {
		t.Helper()
		out, _ := g.command(args...).CombinedOutput()
		g.lacks(string(out), "wiki_alpha", "gone", f.demo.Dir)
		return string(out)
	}
	definition := g.read("tenants/delta.toml")
	metrics := filepath.Join(t.TempDir(), "farm.prom")
	for _, c := range [][]string{
		{"run", "--all", "--", "showSiteStats.php"},
		{"sql", "--all", "--", "SELECT DATABASE()"},
		{"jobs", "status"}, {"jobs", "run", "--all"},
		{"backup", "--all", "--verify"},
		{"restore", "delta", "--yes"},
		{"delete", "delta", "--yes"},
		{"undelete"}, {"undelete", "--all", "--dry-run"}, {"purge", "--all", "--early", "--dry-run"},
		{"metrics", "--textfile", metrics},
	} {
		others(c...)
	}
	g.wants(others("plan"), "no changes, 1 unchanged")
	text, err := os.ReadFile(metrics)
	must(t, err)
	g.lacks(string(text), "wiki_alpha", `"gone"`, f.demo.Dir)
	g.write("tenants/delta.toml", definition)
	g.wants(others("undelete", "delta"), "undelete: 1 done")
	g.wants(others("plan"), "no changes, 2 unchanged")

	thief := strings.ReplaceAll(strings.Replace(definition, `"delta"`, `"thief"`, 1), "delta.", "thief.")
	for key, c := range map[string][]string{
		"database = \"wiki_alpha\"\n":      {"clone", "delta", "thief"},
		"databases = [\"wiki_alpha\"]\n":   {"create", "thief"},
		"database = \"wiki_alpha\" # as\n": {"restore", "delta", "--as", "thief", "--yes"},
	} {
		g.write("tenants/thief.toml", key+thief)
		out, code := g.struck(event{}, c...)
		if g.wants(out, "wiki_alpha"); code == 0 {
			t.Errorf("wikictl %v: %s", c, out)
		}
	}
	must(t, os.Remove(filepath.Join(g.demo.Dir, "tenants/thief.toml")))
	if out := others("plan"); !strings.Contains(out, "2 unchanged") {
		t.Error(out)
	}
}
