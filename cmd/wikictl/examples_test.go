package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// examples returns the example that ends the help of each command, by the words that call
// it.
func (f *farm) examples(words ...string) map[string]string {
	f.t.Helper()
	found := map[string]string{}
	help := f.exits(0, append([]string{"help"}, words...)...)
	if _, example, has := strings.Cut(help, "Example: "); has {
		found[strings.Join(words, " ")], _, _ = strings.Cut(example, "\n")
	} else if len(words) > 0 {
		f.t.Errorf("help %v has no example", words)
	}
	_, commands, _ := strings.Cut(help, "\nCOMMANDS:\n")
	commands, _, _ = strings.Cut(commands, "\n\n")
	for _, line := range strings.Split(commands, "\n") {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" || strings.HasSuffix(name, ":") {
			continue
		}
		for call, example := range f.examples(append(slices.Clone(words), name)...) {
			found[call] = example
		}
	}
	return found
}

// types runs a line as a person types it into bash, in a new folder.
func (f *farm) types(line string, codes ...int) (out string) {
	f.t.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = f.t.TempDir()
	cmd.Env = append(os.Environ(), "WIKICTL_FARM="+f.demo.Dir, "PATH="+filepath.Dir(f.program)+":"+os.Getenv("PATH"))
	text, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		f.t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		f.t.Errorf("%s: exit code %d, want %v\n%s", line, code, codes, text)
	}
	return string(text)
}

// Every example of the help works as printed, on a wiki from its creation to its removal. A wiki
// that another run has locked is named, with exit code 75. A rollback does not change wikis
// without an upgrade to undo.
func TestExamples(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	must(t, os.Rename(f.demo.Dir+"/tenants/w0.toml", f.demo.Dir+"/tenants/btrfs.toml"))
	f.write("tenants/btrfs.toml", strings.Replace(strings.ReplaceAll(f.read("tenants/btrfs.toml"), "w0", "btrfs"), "sitename", "classes = [\"handbook\"]\nsitename", 1))
	f.write("classes/handbook.toml", "language = \"en\"\n")
	examples := f.examples()
	take := func(command string) string {
		example := examples[command]
		if example == "" {
			t.Fatalf("%s has no example: %v", command, examples)
		}
		delete(examples, command)
		return example
	}
	take("demo") // it installs packages
	f.types(strings.Replace(take("man"), "/usr/local/share/", "", 1), 0)
	f.types(take("server start"), 0)
	f.types(take("create"), 0)
	f.nothingToUndo(2)
	f.want143()
	out, code := f.held("btrfs", "switch", "before", func() {
		f.wants(f.types("wikictl upgrade --all", 75), "btrfs: it is locked by ")
		f.wants(f.types("wikictl upgrade btrfs --skip-blocked", 75), "upgrade: 0 done", "1 blocked")
		f.types("wikictl upgrade btrfs --dry-run", 2)
	}, strings.Fields(take("upgrade"))[1:]...)
	if code != 0 {
		t.Errorf("the example of upgrade: exit code %d\n%s", code, out)
	}
	f.types(take("rollback"), 1)
	f.types("wikictl rollback --all --yes", 0)
	f.nothingToUndo(2)
	f.removed("btrfs")
	f.defineRemoved("btrfs")
	f.wants(f.types("wikictl undelete --all --dry-run", 1), "undelete btrfs: database wiki_btrfs on server main", "undelete: 1 to bring back, 0 unchanged")
	f.types(take("undelete"), 0)
	f.wants(f.types("wikictl undelete --where name=btrfs", 0), "undelete: no changes, 0 unchanged")
	f.types(take("backup"), 0)
	f.types(take("restore"), 1)
	f.write("tenants/staging.toml", strings.ReplaceAll(f.read("tenants/btrfs.toml"), "btrfs", "staging"))
	f.types(take("clone"), 1)
	f.types(take("stage"), 1)
	must(t, os.Remove(f.demo.Dir+"/tenants/staging.toml"))
	f.types(take("delete"), 1)
	stop := take("server stop")
	for command, example := range examples {
		codes := map[string][]int{"apply": {0, 1}, "audit": {0, 1}, "doctor": {0, 1, 2}, "plan": {0, 1}}[command]
		f.types(example, append(codes, 0)...)
	}
	f.types(stop, 0)
}

// nothingToUndo wants a rollback of all wikis to leave them as they are.
func (f *farm) nothingToUndo(wikis int) {
	f.t.Helper()
	f.wants(f.types("wikictl rollback --all --yes", 0), fmt.Sprintf("rollback: no changes, %d unchanged", wikis))
	f.wants(f.types("wikictl rollback --where name=btrfs --dry-run", 0), "rollback: no changes, 1 unchanged")
	f.types("wikictl rollback btrfs --dry-run", 2)
}
