package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// result runs wikictl and returns standard output, standard error and the exit code.
func (f *farm) result(args ...string) (out, story string, code int) {
	f.t.Helper()
	cmd := f.command(args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return string(text), stderr.String(), cmd.ProcessState.ExitCode()
}

// The exit code of a dry run is that of its plan; a failure outweighs a lock; and render reports
// the changes that it makes.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	f.exits(1, "create", "--all", "--dry-run")
	f.exits(1, "plan")
	f.exits(0, "create", "w0", "w1")
	f.sql("CREATE USER wiki_w2@localhost")
	f.wants(f.exits(2, "create", "--all", "--dry-run"), "blocked w2: the account wiki_w2")
	f.exits(0, "create", "--dry-run", "w0", "w1")
	f.wants(f.exits(2, "plan"), "blocked w2")
	f.exits(2, "apply", "--all", "--dry-run")
	f.exits(0, "plan", "w0", "w1")
	f.sql("DROP USER wiki_w2@localhost")
	takesNothing(f)
	f.exits(1, "apply", "--all", "--dry-run")
	f.exits(2, "rollback", "--dry-run", "w0") // it was never upgraded
	f.exits(0, "upgrade", "--dry-run", "w0")
	renders(f)
	f.exits(1, "--format", "json", "upgrade", "--dry-run", "--force", "w0")
	for _, args := range [][]string{{"status"}, {"list"}, {"plan"}, {"render", "--diff", "w0", "w1"}, {"audit", "--quick"}, {"audit", "--list-rules"},
		{"explain", "raw-html"}, {"upgrade", "--dry-run", "--force", "w0"}, {"rollback", "--dry-run", "w0"}, {"create", "--dry-run", "w2"},
		{"apply", "--dry-run", "--all"}, {"report", "--quick", "--html", f.demo.Dir + "/farm.html"}, {"audit", "--fix", "--dry-run"}, {"apply", "w0"}} {
		f.snake(args...)
	}
}

// takesNothing has another program's database where w2 would be made, and a file where its
// uploads would be: dry runs say so, and the refused create leaves both as they are.
func takesNothing(f *farm) {
	f.sql("CREATE DATABASE wiki_w2; CREATE TABLE wiki_w2.mine (id INT); INSERT INTO wiki_w2.mine VALUES (7)")
	must(f.t, os.MkdirAll(f.state("wikis/w2/images"), 0o755))
	f.write("state/wikis/w2/images/theirs.txt", "theirs")
	for _, args := range [][]string{{"create", "--dry-run", "w2"}, {"plan", "w2"}, {"create", "w2"}, {"apply", "w2"}} {
		if out, story, code := f.result(args...); code != 2 || !strings.Contains(out+story, "wiki_w2 exists on server main with 1 tables that wikictl did not make") {
			f.t.Errorf("%v: exit code %d\n%s%s", args, code, out, story)
		}
	}
	if got := f.sql("SHOW TABLES FROM wiki_w2; SELECT id FROM wiki_w2.mine; SELECT User FROM mysql.user WHERE User LIKE 'wiki\\_w2%'"); strings.Join(got, " ") != "mine 7" {
		f.t.Errorf("of the other program there is %v", got)
	}
	if text := f.read("state/wikis/w2/images/theirs.txt"); text != "theirs" {
		f.t.Errorf("the file that was there is %q", text)
	}
	f.sql("DROP DATABASE wiki_w2")
	f.shell("rm", "-r", f.state("wikis/w2"))
}

// renders changes two tenants, one of which PHP can't read.
func renders(f *farm) {
	for _, name := range []string{"tenants/w0.toml", "tenants/w1.toml"} {
		text := strings.Replace(f.read(name), `"Wiki `, `"Rendered `, 1)
		if strings.Contains(name, "w1") {
			text += "wgSitenameWrong = { php = \"1 +\" }\n"
		}
		f.write(name, text)
	}
	var d struct {
		Counts  struct{ Done, Change, Unchanged, Failed int }
		Tenants []struct {
			Name, Status, Error string
			Entries             []struct{ Kind, What, Diff string }
		}
	}
	must(f.t, json.Unmarshal([]byte(f.exits(1, "--format", "json", "render", "--diff", "w0")), &d))
	if d.Counts.Change != 1 || d.Tenants[0].Name != "w0" || len(d.Tenants[0].Entries) != 2 || !strings.Contains(d.Tenants[0].Entries[0].Diff, "Rendered 0") {
		f.t.Errorf("%+v", d)
	}
	farm := f.read("wikictl.toml")
	f.write("wikictl.toml", regexp.MustCompile(`(?m)^check .*`).ReplaceAllLiteralString(farm, `check = ["false"]`))
	out, story, code := f.result("render", "--write", "w0")
	if code != 2 || out != "" {
		f.t.Errorf("%d %q %s", code, out, story)
	}
	f.write("wikictl.toml", farm)
	out, code = f.held("w0", "accounts", "before", func() {
		if out, story, code := f.result("apply", "w0", "w1"); code != 2 {
			f.t.Errorf("w0 is locked and w1 is wrong: exit code %d\n%s%s", code, out, story)
		}
		f.exits(75, "apply", "w0")
	}, "apply", "w0")
	if code != 0 {
		f.t.Error(out)
	}
	text := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", strings.Replace(text, `"Rendered `, `"Written `, 1))
	out, story, code = f.result("--format", "json", "render", "--write", "w0", "w1")
	must(f.t, json.Unmarshal([]byte(out), &d))
	if code != 2 || d.Counts.Done != 1 || d.Counts.Failed != 1 || len(d.Tenants) != 2 || d.Tenants[1].Status != "failed" || d.Tenants[1].Error == "" {
		f.t.Errorf("%d %s", code, out)
	}
	f.wants(story, "done      w0", "failed    w1")
	f.wants(f.exits(0, "render", "--write", "w0"), "render: no changes, 1 unchanged")
	f.wants(f.exits(0, "status"), "render ")
	f.write("tenants/w1.toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "1 +", "1 + 1"))
}

// snake wants a document whose keys are lower_snake_case, and whose times are RFC
// 3339 or null.
func (f *farm) snake(args ...string) {
	f.t.Helper()
	out, story, _ := f.result(append([]string{"--format", "json"}, args...)...)
	var v any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		f.t.Errorf("%v: %v\n%s%s", args, err, out, story)
		return
	}
	key := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				if !key.MatchString(k) || k == "valid" {
					f.t.Errorf("%v: key %q", args, k)
				}
				if e == "0001-01-01T00:00:00Z" {
					f.t.Errorf("%v: %s is no time and not null", args, k)
				}
				walk(e)
			}
		}
	}
	walk(v)
	_ = os.Remove(filepath.Join(f.demo.Dir, "farm.html"))
}
