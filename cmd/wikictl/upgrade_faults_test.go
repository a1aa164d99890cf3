package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fault is one way for an upgrade to fail.
type fault struct {
	name  string
	cause func(f *farm, db string) (undo func())
	says  string // the report
	early bool   // it fails before anything is changed
}

func nothing() {}

// The first is by whose settings the messages of all would be built.
var faults = []fault{
	{"broken settings", throwIn("wgExtensionFunctions", "broken settings"), "broken settings", true},
	{"index dropped", func(f *farm, db string) func() {
		f.sql("DROP INDEX el_index ON " + db + ".externallinks")
		return nothing
	}, "el_index", false},
	{"table locked", lockTable, "did not end within 15s", false},
	{"fatal error", throwIn("wgHooks.LoadExtensionSchemaUpdates", "broken extension"), "broken extension", false},
	{"full disk", fullDisk, "no space left on device", false},
	{"connection killed", killUpdater, "update.php", false},
}

// throwIn has a tenant's settings throw an error when MediaWiki calls them.
func throwIn(setting, text string) func(*farm, string) func() {
	return func(f *farm, db string) func() {
		file := "tenants/" + strings.TrimPrefix(db, "wiki_") + ".toml"
		f.write(file, f.read(file)+setting+" = [{ php = \"static function () { throw new Error( '"+text+"' ); }\" }]\n")
		return nothing
	}
}

// lockTable has another client hold a table, which is not wikictl's to end, until the
// database is about to be restored.
func lockTable(f *farm, db string) func() {
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, db, "-e", "LOCK TABLES user READ; DO SLEEP(300)")
	must(f.t, cmd.Start())
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		defer cmd.Wait()
		defer cmd.Process.Kill()
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			if len(f.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DROP DATABASE%"+db+"%' AND STATE LIKE 'Waiting%'")) > 0 {
				return
			}
		}
	})
	return func() { close(stop); wait.Wait() }
}

// fullDisk has a tenant's dump find a full disk, which still had room when that was looked
// for; where none may be mounted, the kernel's file that is always full.
func fullDisk(f *farm, db string) func() {
	name := strings.TrimPrefix(db, "wiki_")
	folder := f.state("backups/" + name)
	must(f.t, os.MkdirAll(folder, 0o700))
	if err := syscall.Mount("none", folder, "tmpfs", 0, "size=8m"); err != nil {
		return f.whenDumped(name, func(run string) error { return os.Symlink("/dev/full", filepath.Join(folder, run+".sql.zst.half")) })
	}
	ended := f.whenDumped(name, func(string) error {
		if err := os.WriteFile(filepath.Join(folder, "filler"), make([]byte, 16<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("the disk is not full: %w", err)
		}
		return nil
	})
	return func() { ended(); syscall.Unmount(folder, 0) }
}

// whenDumped does something when the next run is about to dump a tenant.
func (f *farm) whenDumped(tenant string, do func(run string) error) func() {
	gate := filepath.Join(f.t.TempDir(), "gate")
	f.t.Setenv(hookVariable, event{tenant, "backup", "before", "hold=" + gate}.String())
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			if _, err := os.Stat(gate + ".held"); err == nil {
				break
			}
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
		run := f.sql("SELECT id FROM wikictl.run WHERE finished IS NULL ORDER BY started DESC LIMIT 1")[0]
		if err := errors.Join(do(run), os.WriteFile(gate, nil, 0o600)); err != nil {
			f.t.Error(err)
		}
	})
	return func() { close(stop); wait.Wait() }
}

// killUpdater ends the updater's connection whenever it is amid changing a table,
// which another client's lock makes long enough.
func killUpdater(f *farm, db string) func() {
	unlock := lockTable(f, db)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			for _, id := range f.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + db + "_schema' AND STATE LIKE 'Waiting%'") {
				printedRows(f.private().Socket, "KILL "+id) // it may have ended meanwhile
			}
		}
	})
	return func() { close(stop); wait.Wait(); unlock() }
}

// A wiki whose upgrade fails is as before, to the last row, and the others are upgraded.
func TestFailedUpgradeIsUndone(t *testing.T) {
	f := newFarm(t)
	f.define(len(faults) + *soundWikis)
	f.run("create", "--all")
	for i := range len(faults) + *soundWikis {
		f.client(fmt.Sprint("w", i)).edit("Page", fmt.Sprint("text of ", i))
	}
	f.want143()
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	var before []string
	for i, fault := range faults {
		undo := fault.cause(f, fmt.Sprint("wiki_w", i))
		t.Cleanup(undo)
		before = append(before, f.dump(fmt.Sprint("wiki_w", i)))
	}
	events := filepath.Join(f.demo.Dir, "events.json")
	cmd := f.command("--format", "json", "upgrade", "--all", "--max-failures", "100%", "--timeout", "15s", "--jobs", "4", "--events", events)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	type outcome struct{ Name, Status, Error string }
	var document struct {
		Counts  struct{ Done, Failed int }
		Tenants []outcome
	}
	must(t, json.Unmarshal(out, &document))
	if document.Counts.Done != *soundWikis || document.Counts.Failed != len(faults) {
		t.Errorf("%s", out)
	}
	for i, fault := range faults {
		at := slices.IndexFunc(document.Tenants, func(x outcome) bool { return x.Name == fmt.Sprint("w", i) })
		got := document.Tenants[at]
		if fault.early != (got.Status == "failed") || !strings.HasPrefix(got.Status, "failed") || !strings.Contains(got.Error, fault.says) {
			t.Errorf("%s: %+v", fault.name, got)
		}
		if after := f.dump(fmt.Sprint("wiki_w", i)); after != before[i] {
			t.Errorf("%s: the database is not as before:\n%.3000s", fault.name, cmp.Diff(strings.Split(before[i], "\n"), strings.Split(after, "\n")))
		}
		c := f.client(got.Name)
		if v := c.version(); v != "MediaWiki 1.39.17" {
			t.Errorf("%s: %s is %s", fault.name, got.Name, v)
		}
		c.edit("After", "it was put back")
	}
	slow := slices.IndexFunc(faults, func(x fault) bool { return x.name == "table locked" })
	if meanwhile := f.during(events, fmt.Sprint("w", slow), "update.php"); meanwhile == 0 {
		t.Errorf("the slow wiki w%d held the others up", slow)
	}
}

// during counts what others began or ended while a tenant was at a step, from a file of
// events.
func (f *farm) during(events, tenant, step string) (others int) {
	text, err := os.ReadFile(events)
	must(f.t, err)
	at := false
	for line := range strings.Lines(string(text)) {
		var event struct{ Tenant, Step string }
		must(f.t, json.Unmarshal([]byte(line), &event))
		switch {
		case event.Tenant == tenant:
			at = event.Step == step
		case at:
			others++
		}
	}
	return others
}
