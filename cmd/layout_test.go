// Package cmd_test holds the architecture: who may import what.
package cmd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// only names the packages that may import something; it ignores tests.
var only = map[string][]string{
	"database/sql":                    {"wikictl/migrations", "wikictl/tenants/ledger", "wikictl/tenants/mariadb"},
	"github.com/go-sql-driver/mysql":  {"wikictl/tenants/mariadb"},
	"github.com/urfave/cli/v2":        {"wikictl/cmd/internal/cli"},
	"github.com/pelletier/go-toml/v2": {"wikictl/tenants/definitions", "wikictl/tenants/secrets", "wikictl/tenants/session"},
	"text/template":                   {"wikictl/templates"},
	"html/template":                   {"wikictl/cmd/internal/page", "wikictl/templates"},
	"text/template/parse":             {"wikictl/templates"},
	"os/signal":                       {"wikictl/cmd/internal/cli", "wikictl/cmd/testbed"},
	"github.com/vbauerster/mpb/v8":    {"wikictl/cmd/internal/ui"},
	"os/exec":                         {"wikictl/cmd/testbed", "wikictl/cmd/testbed/needs", "wikictl/tenants/definitions", "wikictl/tenants/process"}, // definitions only look for php

	"github.com/cpuguy83/go-md2man/v2/md2man": {"wikictl/cmd/internal/cli"},

	"github.com/prometheus/client_golang/prometheus":          {"wikictl/tenants/metrics"},
	"github.com/prometheus/client_golang/prometheus/promhttp": {"wikictl/tenants/metrics"},
}

// order is the direction of imports: a package may only import those of lower
// rank.
var order = [][]string{
	{"wikictl/cmd/testbed/needs", "wikictl/cmd/wikictl/manual"}, // the first is of tests only
	{"wikictl/tenants/disk", "wikictl/tenants/secrets"},
	{"wikictl/tenants"},
	{"wikictl/tenants/mediawiki"},
	{"wikictl/tenants/fleet", "wikictl/tenants/mask", "wikictl/tenants/plan", "wikictl/tenants/process", "wikictl/tenants/wiki", "wikictl/php/fpm", "wikictl/migrations", "wikictl/migrations/upgrade/ahead", "wikictl/migrations/upgrade/losses", "wikictl/migrations/upgrade/forecast"},
	{"wikictl/templates/escape"},
	{"wikictl/migrations/farmsql", "wikictl/tenants/definitions", "wikictl/templates", "wikictl/tenants/backup", "wikictl/tenants/backup/archive", "wikictl/tenants/backup/restic", "wikictl/tenants/mariadb/schema", "wikictl/php"},
	{"wikictl/tenants/mariadb", "wikictl/templates/deploy/permissions"},
	{"wikictl/tenants/ledger", "wikictl/templates/deploy", "wikictl/tenants/machine", "wikictl/tenants/components"},
	{"wikictl/tenants/session"},
	{"wikictl/tenants/audit", "wikictl/tenants/audit/observe"},
	{"wikictl/tenants/audit/rules"},
	{"wikictl/tenants/audit/repair", "wikictl/tenants/maintenance", "wikictl/tenants/provision", "wikictl/tenants/recovery", "wikictl/tenants/staging", "wikictl/migrations/upgrade"},
	{"wikictl/tenants/metrics"},
	{"wikictl/cmd/internal/demo", "wikictl/cmd/internal/ui"},
	{"wikictl/cmd/internal/page"},
	{"wikictl/cmd/internal/cli"},
	{"wikictl/cmd/wikictl", "wikictl/cmd/testbed"},
}

type listed struct {
	ImportPath, Name, Doc string
	Imports               []string
}

func packages(t *testing.T) []listed {
	out, err := exec.Command("go", "list", "-json", "wikictl/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestEffectsHaveTheirPlace(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if imported == "testing" && p.ImportPath != "wikictl/cmd/testbed/needs" {
				t.Errorf("%s imports %s, which only tests and what they share may", p.ImportPath, imported)
			}
			if allowed, held := only[imported]; held && !slices.Contains(allowed, p.ImportPath) {
				t.Errorf("%s imports %s, which only %v may", p.ImportPath, imported, allowed)
			}
		}
	}
}

// calls names the packages that may call a function.
var calls = map[string][]string{
	"syscall.Kill":        {"tenants/process"},
	"unix.Kill":           {"tenants/process"},
	"os.FindProcess":      {},
	"os.StartProcess":     {},
	"syscall.ForkExec":    {},
	"exec.Command":        {"tenants/process", "cmd/testbed"},
	"exec.CommandContext": {"cmd/testbed"},
	"context.Background":  {"cmd/internal/cli", "cmd/testbed", "tenants/definitions"}, // the last for commands that print secrets, which are read wherever a value is needed
	"context.TODO":        {},
}

// changers may change files and folders: those that deploy, those that keep files of their
// own (dumps, archives, a private server, logs and locks of runs, sockets of children), and
// what the demo and the tests set up.
var changers = []string{
	"cmd/internal/demo", "cmd/testbed", "cmd/testbed/needs", "migrations/upgrade", "php", "templates/deploy", "templates/deploy/permissions", "tenants/backup", "tenants/backup/archive", "tenants/backup/restic", "tenants/components",
	"tenants/disk", "tenants/maintenance", "tenants/mariadb", "tenants/process", "tenants/provision", "tenants/recovery", "tenants/session",
}

// changes are the functions by which they do.
var changes = []string{
	"os.Chmod", "os.Chown", "os.Create", "os.CreateTemp", "os.Lchown", "os.Link", "os.Mkdir", "os.MkdirAll", "os.MkdirTemp", "os.OpenFile",
	"os.Remove", "os.RemoveAll", "os.Rename", "os.Symlink", "os.Truncate", "os.WriteFile",
}

// callers are the packages that may call a function; held reports whether it is one of those
// that the test restricts.
func callers(function string) (allowed []string, held bool) {
	if slices.Contains(changes, function) {
		return changers, true
	}
	allowed, held = calls[function]
	return allowed, held
}

// Files are changed, and contexts begin, in few places. Programs are started and signalled
// in one, which refuses ids that stand for many processes: in Go by syscall.Kill, in PHP by
// posix_kill.
func TestCallsHaveTheirPlace(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		switch {
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			for _, call := range called(t, path) {
				if allowed, held := callers(call); held && !slices.Contains(allowed, folder) {
					t.Errorf("%s calls %s, which only %v may", path, call, allowed)
				} else if held {
					seen++
				}
			}
		case strings.HasSuffix(path, ".php"):
			code, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, function := range []string{"posix_kill", "pcntl_exec", "proc_open", "shell_exec"} {
				want := map[bool]int{true: 1}[function == "posix_kill" && path == "../php/server.php"]
				if got := bytes.Count(code, []byte(function+"(")); got != want {
					t.Errorf("%s calls %s %d times, want %d", path, function, got, want)
				}
			}
		}
		return nil
	})
	if err != nil || seen < 50 {
		t.Errorf("%d calls were seen: %v", seen, err)
	}
}

// Tests skip by one package, which says so and fails them under CI. Only a test that is
// a child of another one skips by itself.
func TestSkipsHaveTheirPlace(t *testing.T) {
	allowed := map[string]bool{"../cmd/testbed/needs/needs.go": true, "../templates/deploy/kill_test.go": true}
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		for _, call := range called(t, path) {
			switch _, function, _ := strings.Cut(call, "."); function {
			case "Skip", "Skipf", "SkipNow":
				seen++
				if !allowed[filepath.ToSlash(path)] {
					t.Errorf("%s calls %s: skip by cmd/testbed/needs", path, call)
				}
			}
		}
		return nil
	})
	if err != nil || seen < 3 {
		t.Errorf("%d calls were seen: %v", seen, err)
	}
}

// called lists what a file calls, as package.function.
func called(t *testing.T, path string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := s.X.(*ast.Ident); ok {
				names = append(names, from.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return names
}

// Every package says in its first sentence what it has or does.
func TestPackagesAreDescribed(t *testing.T) {
	for _, p := range packages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " // as the name of the program follows
		}
		if p.Name != "" && p.ImportPath != "wikictl/cmd" && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: its comment begins with %.40q, want %q", p.ImportPath, p.Doc, want)
		}
	}
}

func TestImportsGoOneWay(t *testing.T) {
	rank := map[string]int{}
	for i, level := range order {
		for _, name := range level {
			rank[name] = i
		}
	}
	for _, p := range packages(t) {
		own, known := rank[p.ImportPath]
		if !known && p.ImportPath != "wikictl/cmd" {
			t.Errorf("%s has no place in the order", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if other, ours := rank[imported]; ours && other > own {
				t.Errorf("%s imports %s, which stands above it", p.ImportPath, imported)
			}
		}
	}
}
