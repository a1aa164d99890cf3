package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// old makes all files in a folder two years old.
func (f *farm) old(folder string) {
	f.t.Helper()
	then := time.Now().AddDate(-2, 0, 0)
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	must(f.t, err)
	for _, file := range files {
		must(f.t, os.Chtimes(file, then, then))
	}
}

// dumps are the dumps of a tenant, without their folder and endings.
func (f *farm) dumps(tenant string) []string {
	f.t.Helper()
	files, err := filepath.Glob(f.state("backups/" + tenant + "/*.json"))
	must(f.t, err)
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// copyDump makes another dump of a tenant out of its only one.
func (f *farm) copyDump(tenant, from, to string) {
	f.t.Helper()
	files, err := filepath.Glob(f.state("backups/" + tenant + "/" + from + "*"))
	must(f.t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(f.t, err)
		must(f.t, os.WriteFile(strings.Replace(file, from, to, 1), data, 0o600))
	}
}

// Files and rows that [keep] does not keep are removed at the end of a run that changed
// something. Dumps of the newest and of open upgrades stay, so that these can be put back.
func TestKeepThroughTheProgram(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("wikictl.toml", f.read("wikictl.toml")+"\n[keep]\ndumps = 1\n")
	f.exits(0, "create", "--all")
	f.want143()
	f.exits(0, "upgrade", "w0")
	if out, code := f.struck(event{"w1", "update.php", "after", "kill"}, "upgrade", "w1"); code != -1 {
		t.Fatal(code, out)
	}
	refused := f.exits(2, "delete", "w1", "--dry-run")
	f.wants(refused, "so its database may fit neither code: run wikictl upgrade w1")
	newest := map[string]string{}
	for _, tenant := range []string{"w0", "w1"} {
		list := f.dumps(tenant)
		if len(list) != 1 {
			t.Fatalf("%s has the dumps %v", tenant, list)
		}
		newest[tenant] = list[0]
		f.copyDump(tenant, list[0], "20200101-000000-old")
		f.copyDump(tenant, list[0], "20990101-000000-later") // the one that dumps = 1 keeps
		f.old(f.state("backups/" + tenant))
	}
	must(t, os.MkdirAll(f.state("logs/w0"), 0o755))
	must(t, os.WriteFile(f.state("logs/w0/old.log"), []byte("x"), 0o640))
	must(t, os.WriteFile(f.state("logs/a-stray-file"), nil, 0o640))
	f.old(f.state("logs/w0"))
	f.sql(`USE wikictl; UPDATE run SET started = started - INTERVAL 2 YEAR, finished = finished - INTERVAL 2 YEAR; UPDATE step SET ended = ended - INTERVAL 2 YEAR;
		UPDATE session SET since = since - INTERVAL 2 YEAR; UPDATE upgrade SET started = started - INTERVAL 2 YEAR, ended = ended - INTERVAL 2 YEAR;
		INSERT INTO run (id, command, holder, started, finished) VALUES ('old', 'audit', 'x', '2020-01-01', '2020-01-01'); INSERT INTO step (run, tenant, step, seconds, ended) VALUES ('old', 'w0', 'x', 1, '2020-01-01')`)
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "[settings]\n", "[settings]\nwgMaxUploadSize = 1000000\n", 1))
	// Two years without a run may be a clock that leapt.
	f.wants(f.run("apply", "w0"), "1 done", "[keep] removed nothing: the clock may be wrong", "if it is right, runs from tomorrow on")
	f.sql("UPDATE wikictl.run SET started = started - INTERVAL 2 DAY WHERE command = 'apply'")
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "1000000\n", "2000000\n", 1))
	f.wants(f.run("apply", "w0"), "1 done", "removed, as [keep] says: 2 dumps of ", " logs, ", " rows of the ledger")
	for tenant, dump := range newest {
		if got := f.dumps(tenant); len(got) != 2 || got[0] != dump {
			t.Errorf("%s has the dumps %v, want %s and a later one", tenant, got, dump)
		}
	}
	if _, err := os.Stat(f.state("logs/w0/old.log")); !os.IsNotExist(err) {
		t.Error("an old log stays:", err)
	}
	// A killed run has not ended, and keeps its session.
	left := f.sql(`SELECT COUNT(*) FROM wikictl.run WHERE id = 'old'; SELECT COUNT(*) FROM wikictl.step WHERE ended < NOW() - INTERVAL 1 YEAR;
		SELECT COUNT(*) FROM wikictl.session WHERE since < NOW() - INTERVAL 1 YEAR AND SUBSTRING_INDEX(holder, ', run ', -1) NOT IN (SELECT id FROM wikictl.run WHERE finished IS NULL); SELECT COUNT(*) FROM wikictl.upgrade`)
	if got := strings.Join(left, " "); got != "0 0 0 2" {
		t.Errorf("old runs, steps, sessions, and all upgrades: %s", got)
	}
	f.exits(0, "upgrade", "w1")
	f.exits(0, "rollback", "--yes", "w0")
}
