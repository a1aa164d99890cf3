package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A run whose terminal goes, or whose output nobody reads any more, finishes the wiki
// that it is changing.
func TestNobodyListens(t *testing.T) {
	f := newFarm(t)
	f.define(1)
	f.exits(0, "create", "--all")
	for _, hangUp := range []bool{true, false} {
		gate := filepath.Join(t.TempDir(), "gate")
		cmd := f.with(event{"w0", "maintenance", "after", "hold=" + gate}, "upgrade", "--force", "--backup", "none", "w0")
		read, write, err := os.Pipe()
		must(t, err)
		cmd.Stdout, cmd.Stderr = write, write
		must(t, cmd.Start())
		write.Close()
		for {
			if _, err := os.Stat(gate + ".held"); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		read.Close()
		if hangUp {
			must(t, cmd.Process.Signal(syscall.SIGHUP))
		}
		must(t, os.WriteFile(gate, nil, 0o644))
		cmd.Wait()
		if cmd.ProcessState.ExitCode() < 0 {
			t.Errorf("hung up %v: it ended by %v", hangUp, cmd.ProcessState)
		}
		f.exits(0, "plan")
		if open := f.sql("SELECT run FROM wikictl.upgrade WHERE ended IS NULL"); len(open) > 0 {
			t.Errorf("hung up %v: open is %v", hangUp, open)
		}
	}
}
