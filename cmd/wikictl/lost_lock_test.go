package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// A run whose lock is lost, at whatever step, leaves the wiki to the run that took
// over, and says so: it runs no updater on an open wiki and restores nothing. A lock
// of the farm's files is waited for, and undoes nothing.
func TestLocksThatAreLostOrBusy(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.run("create", "w0", "w1", "w2")
	f.want143()
	for wiki, step := range map[string]string{"w0": "update.php", "w1": "switch"} {
		f.losesItsLock(wiki, step)
	}
	free := f.busyFiles()
	upgrade := f.waiting("upgrade", "w2")
	free()
	if out, code := upgrade.end(); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	f.client("w2").edit("After", "it is open")

	free = f.busyFiles()
	create := f.waiting("create", "w3")
	must(t, create.cmd.Process.Signal(os.Interrupt))
	if out, code := create.end(); code != 130 || !strings.Contains(out, "another run is writing the farm's files") {
		t.Errorf("exit %d: %s", code, out)
	}
	free()
	f.run("create", "w3")
	f.client("w3").edit("After", "it is made")
}

func (f *farm) losesItsLock(wiki, step string) {
	t := f.t
	out, code := f.held(wiki, step, "before", func() {
		f.sql("KILL " + f.sql("SELECT IS_USED_LOCK('wikictl/wiki_" + wiki + "')")[0])
		f.run("upgrade", wiki)
		f.client(wiki).edit("Meanwhile", "acknowledged")
	}, "upgrade", wiki)
	if code != 2 || !strings.Contains(out, "the locks of this run were lost") || strings.Contains(out, "read-only until") {
		t.Errorf("%s: exit %d: %s", step, code, out)
	}
	if n := f.sql("SELECT COUNT(*) FROM wiki_" + wiki + ".page WHERE page_title = 'Meanwhile'")[0]; n != "1" {
		t.Errorf("%s: the run that lost its lock took back an edit", step)
	}
	if logs, _ := filepath.Glob(f.state("logs/" + wiki + "/*-update.php.log")); len(logs) != 1 {
		t.Errorf("%s: the updater ran %d times", step, len(logs))
	}
	c := f.client(wiki)
	if v := c.version(); !strings.HasPrefix(v, "MediaWiki 1.43") {
		t.Errorf("%s: %s is served", step, v)
	}
	c.edit("After", "it is open")
}

// busyFiles holds the lock of the farm's files, as another run that writes them.
func (f *farm) busyFiles() (free func()) {
	l := flock.New(f.state("run/deploy.lock"))
	if got, err := l.TryLock(); !got {
		f.t.Fatal(err)
	}
	must(f.t, os.WriteFile(l.Path(), []byte("pid 7\n"), 0o600))
	return func() { l.Unlock() }
}

// waiting is a wikictl that was seen to wait for the farm's files.
type waiting struct {
	cmd    *exec.Cmd
	output *strings.Builder
	rest   chan struct{}
}

func (f *farm) waiting(args ...string) waiting {
	f.t.Helper()
	w := waiting{f.command(args...), &strings.Builder{}, make(chan struct{})}
	out, err := w.cmd.StderrPipe()
	must(f.t, err)
	must(f.t, w.cmd.Start())
	lines := bufio.NewScanner(out)
	for waits := false; !waits; {
		if !lines.Scan() {
			f.t.Fatalf("wikictl %v did not wait: %s", args, w.output)
		}
		fmt.Fprintln(w.output, lines.Text())
		waits = strings.Contains(lines.Text(), "waiting for another run (pid 7)")
	}
	go func() {
		defer close(w.rest)
		for lines.Scan() {
			fmt.Fprintln(w.output, lines.Text())
		}
	}()
	return w
}

// end waits for it and returns what it printed, and its exit code.
func (w waiting) end() (string, int) {
	<-w.rest
	w.cmd.Wait()
	return w.output.String(), w.cmd.ProcessState.ExitCode()
}
