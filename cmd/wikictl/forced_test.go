package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/php"
)

// shape returns the definitions of a wiki's tables and the updates that its updater recorded, as
// a sorted list.
func (f *farm) shape(wiki string) []string {
	f.t.Helper()
	database := "wiki_" + wiki
	out, err := exec.Command("mariadb-dump", "--no-defaults", "--socket="+f.private().Socket, "--no-data", "--compact", database).Output()
	must(f.t, err)
	lines := strings.Split(number.ReplaceAllString(strings.ReplaceAll(string(out), ",\n", "\n"), ""), "\n")
	lines = append(lines, f.sql("SELECT ul_key FROM "+database+".updatelog")...)
	slices.Sort(lines)
	return lines
}

// number is the next number of a table.
var number = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// remembered returns how many answers the updater's last run for a wiki took from memory.
func (f *farm) remembered(wiki string) int {
	f.t.Helper()
	logs, err := filepath.Glob(f.state("logs/" + wiki + "/*-update.php.log"))
	must(f.t, err)
	counts, counted, err := php.ReadStatementCounts(logs[len(logs)-1])
	if err != nil || !counted {
		f.t.Fatalf("%s: %v", logs, err)
	}
	return counts.Remembered
}

// A forced upgrade asks each question once only while nothing changes: it still finds and
// makes everything that a wiki lacks.
func TestForcedUpgradeFindsWork(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), "[defaults]", "[defaults]\nextensions = [\"AbuseFilter\"]", 1))
	f.want143()
	f.run("create", "--all")
	lacks := []struct{ wiki, what string }{
		{"w1", "ALTER TABLE user DROP user_is_temp"},
		{"w2", "DELETE FROM updatelog WHERE ul_key = 'MigrateBlocks'"},
		{"w3", "DROP TABLE abuse_filter, abuse_filter_action, abuse_filter_history, abuse_filter_log"},
	}
	whole := f.shape("w0")
	for _, l := range lacks {
		f.sqlIn("wiki_"+l.wiki, l.what)
		if slices.Equal(f.shape(l.wiki), whole) {
			t.Fatalf("%s: %s did nothing", l.wiki, l.what)
		}
	}
	f.wants(f.run("upgrade", "--force", "--all"), "4 done")
	whole = f.shape("w0")
	for _, l := range lacks {
		if got := f.shape(l.wiki); !slices.Equal(got, whole) {
			t.Errorf("%s: (-want +got)\n%s", l.wiki, cmp.Diff(whole, got))
		}
	}
	if n := f.remembered("w0"); n < 100 {
		t.Errorf("%d answers of an updater without work are remembered", n)
	}
	for _, l := range lacks {
		if n := f.remembered(l.wiki); n >= f.remembered("w0") {
			t.Errorf("%s: %d answers are remembered after a change", l.wiki, n)
		}
	}
}
