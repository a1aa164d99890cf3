package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/internal/demo"
	"wikictl/cmd/testbed/needs"
)

// A create whose PHP can't fork fails at once with the reason, and kills no other process, not
// even in the process namespace that this test gives it.
func TestCreateWhereForkFails(t *testing.T) {
	t.Parallel()
	needs.That(t, demo.Worker() != "", "a user for PHP, which needs root, is missing")
	f := newEmptyFarm(t)
	f.define(1)
	f.run("server", "start")
	php := filepath.Join(f.demo.Dir, "php")
	f.write("php", "#!/bin/sh\nexec prlimit --nproc=1: php \"$@\"\n")
	must(t, os.Chmod(php, 0o755))
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), "/1.39\"\n", fmt.Sprintf("/1.39\"\nphp = %q\n", php), 1))
	cmd := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", `
		setpriv --reuid=`+demo.Worker()+` --clear-groups sleep 1000 &
		"$0" --farm "$1" create w0
		echo "exit $?"
		kill -0 $! && echo it lives`, f.program, f.demo.Dir)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"install.php: fork: Resource temporarily unavailable (lower --jobs", "exit 2\n", "it lives\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v, it lacks %q\n%s", err, want, out)
		}
	}
	f.write("php", "#!/bin/sh\nexec php \"$@\"\n")
	f.run("create", "w0")
}
