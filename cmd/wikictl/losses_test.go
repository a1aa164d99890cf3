package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// badBlock is of an account, and has the user id 0, as data of about 2006 to 2011 may.
	badBlock = `INSERT INTO ipblocks (ipb_address, ipb_user, ipb_by_actor, ipb_reason_id, ipb_timestamp, ipb_expiry, ipb_range_start, ipb_range_end) VALUES
		('Spamuser', 0, 1, 1, '20110101000000', 'infinity', '', '')`
	// goodBlocks are of an address and of a range.
	goodBlocks = `INSERT INTO ipblocks (ipb_address, ipb_user, ipb_by_actor, ipb_reason_id, ipb_timestamp, ipb_expiry, ipb_range_start, ipb_range_end) VALUES
		('192.0.2.1', 0, 1, 1, '20110101000000', 'infinity', 'C0000201', 'C0000201'), ('198.51.100.0/24', 0, 1, 1, '20110101000000', 'infinity', 'C6336400', 'C63364FF')`
	// oddLinks have a protocol that MediaWiki does not know by default.
	oddLinks = `INSERT INTO externallinks (el_from, el_to, el_index, el_index_60) VALUES
		(1, 'appstream:org.example.App', 'x', 'x'), (1, 'appstream:org.example.Other', 'x', 'x'), (1, 'https://example.org/', 'https://org.example./', 'https://org.example./')`
)

// result is one tenant of a run's document.
type result struct {
	Name, Status string
	Losses       []struct {
		Table, What, Backup string
		Rows                int64
	}
	Remarks []string
}

// results runs a command and returns what became of each tenant.
func (f *farm) results(args ...string) map[string]result {
	f.t.Helper()
	cmd := f.command(append([]string{"--format", "json"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	var document struct{ Tenants []result }
	if err := json.Unmarshal(out, &document); err != nil {
		f.t.Fatalf("%v: %v\n%s%s", args, err, out, stderr.String())
	}
	all := map[string]result{}
	for _, r := range document.Tenants {
		all[r.Name] = r
	}
	return all
}

// lossesOf returns the messages of audit about losses of a tenant's upgrades.
func (f *farm) lossesOf(tenant string) (messages []string) {
	for _, found := range f.audit("--quick", tenant) {
		if found.Rule == "upgrade-losses" {
			messages = append(messages, found.Message)
		}
	}
	return messages
}

// Content that MediaWiki's updater drops is reported by the run, in text and JSON, and by audit
// and report until it is acknowledged, also after an interruption of the run. The dump with that
// content stays. A wiki that lost nothing is not reported.
func TestUpgradeReportsLosses(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.run("create", "--all")
	f.sql("USE wiki_w0; " + badBlock + "; " + goodBlocks + "; " + oddLinks)
	f.sql("USE wiki_w1; " + goodBlocks + "; CREATE VIEW names AS SELECT page_title FROM page; CREATE VIEW blocked AS SELECT ipb_user FROM ipblocks")
	f.sql("CREATE TRIGGER wiki_w1.counts AFTER DELETE ON wiki_w1.ipblocks FOR EACH ROW SET @deleted = 1")
	f.client("w1").edit("Summaries", "and [[links]] to https://example.org/ and [https://example.net/a?b=c d]")
	f.sql("USE wiki_w2; " + goodBlocks + "; " + badBlock + "; ALTER TABLE ipblocks ADD x_seen INT")
	f.sql("USE wiki_w3; " + badBlock + "; CREATE TABLE guestbook (id INT PRIMARY KEY)")
	f.want143()

	// The run was killed after the updater of w2 had ended; w2 has no dump to go back to.
	f.struck(event{"w2", "account", "before", "kill"}, "upgrade", "--backup", "none", "w2")
	out := f.results("upgrade", "w0", "w1", "w2")
	if l := out["w1"].Losses; len(l) != 2 || l[0].What != "update.php left the trigger counts without a table or a column that it needs" || !strings.Contains(l[1].What, "the view blocked") {
		t.Errorf("w1 lost nothing else, and yet %+v", l)
	}
	ids := strings.Join(f.sql("SELECT el_id FROM wiki_w0.externallinks WHERE el_to_domain_index = '' ORDER BY el_id"), ", ")
	l := out["w0"].Losses
	if len(l) != 2 || l[0].What != "update.php left 2 external links without a domain and an address (el_id "+ids+")" || l[0].Rows != 2 ||
		l[1].What != "update.php left out 1 block (ipb_id 1)" || l[1].Table != "ipblocks" {
		t.Errorf("of w0: %+v", l)
	}
	if l := out["w2"].Losses; len(l) != 2 || !strings.HasSuffix(l[0].What, "the table ipblocks, which had 3 rows: x_seen") ||
		!strings.HasPrefix(l[1].What, "update.php left out 1 block") || l[1].Backup != "" {
		t.Errorf("of w2, whose run was interrupted: %+v", l)
	}
	f.lossOfAnInterruptedRun()
	f.lossesStand(l[0].Backup)
	f.lossesAreUndone()
	f.wants(f.run("losses", "--acknowledge", "--all"), "losses: 7 acknowledged")
	f.wants(f.run("losses"), "losses: none that is not acknowledged")
	f.wants(f.run("losses", "--acknowledged", "w0"), "w0: update.php left out 1 block (ipb_id 1)", "acknowledged by ")
	if found := f.lossesOf("w0"); found != nil {
		t.Errorf("acknowledged, and yet audit says %q", found)
	}
}

// lossOfAnInterruptedRun: w3's run is killed when its losses are noted already.
func (f *farm) lossOfAnInterruptedRun() {
	f.t.Helper()
	f.struck(event{"w3", "switching", "after", "kill"}, "upgrade", "w3")
	f.wants(f.run("upgrade", "w3"), "w3: done, but update.php left out 1 block (ipb_id 1)", "wikictl losses --acknowledge w3")
	if found := f.lossesOf("w3"); len(found) != 1 {
		f.t.Errorf("w3: %q", found)
	}
}

// lossesStand checks that each reading command reports the losses of w0, and that the dump
// named backup is kept.
func (f *farm) lossesStand(backup string) {
	f.t.Helper()
	found := f.lossesOf("w0")
	if len(found) != 2 || !slices.ContainsFunc(found, func(m string) bool {
		return strings.Contains(m, "left out 1 block (ipb_id 1)") && strings.Contains(m, backup)
	}) {
		f.t.Errorf("audit says of w0 %q", found)
	}
	f.wants(f.exits(1, "losses"), "w0: update.php left out 1 block (ipb_id 1)", backup, "w2: ", "no dump from before")
	f.run("report", "--quick", "--html", filepath.Join(f.demo.Dir, "farm.html"))
	f.wants(f.read("farm.html"), "left out 1 block (ipb_id 1)")
	// All that [keep] does not keep goes, and an upgrade later this is no way back any more.
	f.write("wikictl.toml", f.read("wikictl.toml")+"\n[keep]\ndumps = 1\ndump_age = \"1d\"\n")
	lastYear := time.Now().AddDate(-1, 0, 0)
	old := regexp.MustCompile(`\.sql\.zst$`)
	must(f.t, filepath.WalkDir(filepath.Join(f.demo.Dir, "state/backups"), func(path string, d os.DirEntry, err error) error {
		if err == nil && old.MatchString(path) {
			err = os.Chtimes(path, lastYear, lastYear)
		}
		return err
	}))
	f.run("upgrade", "--force", "w0")
	if _, err := os.Stat(backup); err != nil {
		f.t.Errorf("the dump that has what was lost: %v", err)
	}
}

// lossesAreUndone: a rollback brings lost content back, and undoing the rollback loses it again.
func (f *farm) lossesAreUndone() {
	f.t.Helper()
	f.run("rollback", "--yes", "w3")
	if found := f.lossesOf("w3"); found != nil {
		f.t.Errorf("w3 was put back, and yet %q", found)
	}
	undone := f.sql("SELECT undone_by FROM wikictl.upgrade WHERE tenant = 'w3' AND undone_by IS NOT NULL")[0]
	f.run("rollback", "--yes", "--to", undone, "w3")
	if found := f.lossesOf("w3"); len(found) != 1 {
		f.t.Errorf("w3 was upgraded again by its dump: %q", found)
	}
}
