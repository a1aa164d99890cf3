package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run that loses its locks on one server continues with the wikis of the others.
func TestLostLocksAreOneServers(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	socket, _ := f.addServer("other")
	must(t, os.Chmod(filepath.Dir(socket), 0o755)) // php-fpm's workers enter it
	f.write("tenants/w1.toml", "server = \"other\"\n"+f.read("tenants/w1.toml"))
	f.exits(0, "create", "--all")
	f.want143()
	dir := t.TempDir()
	gates := map[string]string{"w0": filepath.Join(dir, "w0"), "w1": filepath.Join(dir, "w1")}
	cmd := f.with(event{"w0", "update.php", "before", "hold=" + gates["w0"] + ",w1:update.php:before:hold=" + gates["w1"]}, "upgrade", "--all", "--jobs", "2")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	for _, gate := range gates {
		f.comes(gate+".held", ended)
	}
	holder, err := printedRows(socket, "SELECT IS_USED_LOCK('wikictl/wiki_w1')")
	must(t, err)
	_, err = printedRows(socket, "KILL "+holder)
	must(t, err)
	must(t, exec.Command("touch", gates["w1"]).Run())
	// It notices before w0 continues.
	for deadline := time.Now().Add(time.Minute); len(f.sql("SELECT 'x' FROM wikictl.step WHERE tenant = 'w1' AND step = 'update.php' AND error IS NOT NULL")) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the loss was not noticed")
		}
	}
	must(t, exec.Command("touch", gates["w0"]).Run())
	<-ended
	f.wants(output.String(), "upgrade: 1 done, 0 unchanged, 1 failed", "the locks of this run were lost")
	f.exits(0, "upgrade", "--all")
	for _, name := range []string{"w0", "w1"} {
		f.client(name).edit("After", "it is open")
	}
}

// comes waits for a file that a held run makes.
func (f *farm) comes(path string, ended chan error) {
	f.t.Helper()
	for exec.Command("test", "-e", path).Run() != nil {
		select {
		case err := <-ended:
			f.t.Fatalf("the run ended before it made %s: %v", path, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
