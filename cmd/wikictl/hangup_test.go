package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A run that loses its terminal, or the reader of its output, finishes the wiki that it is
// changing. An administrator's umask, strict or lax, changes no mode that matters.
func TestClosedTerminal(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.masked("077", "create", "--all")
	f.client("w0").edit("Masked", "of a wiki that the web server may enter")
	f.masked("000", "backup", "w0")
	f.masked("000", "apply", "--all")
	f.lax()
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

// masked runs wikictl with another umask.
func (f *farm) masked(mask string, args ...string) {
	f.t.Helper()
	cmd := f.command(args...)
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", "umask " + mask + ` && exec "$@"`, "sh"}, cmd.Args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("with umask %s wikictl %v: %v\n%s", mask, args, err, out)
	}
}

// lax finds files and folders of the state folder that everyone may write, besides the
// database server's.
func (f *farm) lax() {
	f.t.Helper()
	must(f.t, filepath.WalkDir(f.state(""), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if path == f.state("servers") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err == nil && info.Mode()&0o002 != 0 && d.Type() != fs.ModeSocket {
			f.t.Errorf("%s has mode %o", path, info.Mode())
		}
		return err
	}))
}
