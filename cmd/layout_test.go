// Package cmd_test holds the architecture: who may import what.
package cmd_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// only names the packages that may import something; tests are not looked at.
var only = map[string][]string{
	"database/sql":                    {"wikictl/migrations", "wikictl/tenants/mariadb"},
	"github.com/go-sql-driver/mysql":  {"wikictl/tenants/mariadb"},
	"github.com/urfave/cli/v2":        {"wikictl/cmd/internal/cli"},
	"github.com/pelletier/go-toml/v2": {"wikictl/tenants"},
	"text/template":                   {"wikictl/templates"},
	"html/template":                   {"wikictl/cmd/internal/ui"},
	"text/template/parse":             {"wikictl/templates"},
	"os/signal":                       {"wikictl/cmd/internal/cli", "wikictl/cmd/testbed"},
	"github.com/vbauerster/mpb/v8":    {"wikictl/cmd/internal/ui"},
	"os/exec":                         {"wikictl/cmd/internal/stack", "wikictl/cmd/testbed", "wikictl/php", "wikictl/templates/deploy", "wikictl/tenants", "wikictl/tenants/mariadb", "wikictl/tenants/process"},
}

// order is the direction of imports: a package may only import those of lower
// rank.
var order = [][]string{
	{"wikictl/tenants", "wikictl/tenants/fleet", "wikictl/tenants/process", "wikictl/migrations"},
	{"wikictl/templates", "wikictl/tenants/mariadb", "wikictl/php"},
	{"wikictl/templates/deploy"},
	{"wikictl/tenants/host"},
	{"wikictl/tenants/audit", "wikictl/tenants/provision", "wikictl/migrations/upgrade"},
	{"wikictl/cmd/internal/stack", "wikictl/cmd/internal/ui"},
	{"wikictl/cmd/internal/cli"},
	{"wikictl/cmd/wikictl", "wikictl/cmd/testbed"},
}

type listed struct {
	ImportPath string
	Imports    []string
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
			if allowed, held := only[imported]; held && !slices.Contains(allowed, p.ImportPath) {
				t.Errorf("%s imports %s, which only %v may", p.ImportPath, imported, allowed)
			}
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
