package definitions

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wikictl/cmd/wikictl/manual"
)

// definition matches code that begins with a table or a key of TOML.
var definition = regexp.MustCompile(`^(\[+[a-z_.]+\]+\n|[a-z_]+ +=)`)

// pieces returns the code of a page that is TOML: fenced or indented.
func pieces(text string) (list []string) {
	var piece strings.Builder
	fenced := false
	end := func() {
		if definition.MatchString(piece.String()) {
			list = append(list, piece.String())
		}
		piece.Reset()
	}
	for line := range strings.Lines(text) {
		indented, code := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			end()
		case fenced:
			piece.WriteString(line)
		case code:
			piece.WriteString(indented)
		default:
			end()
		}
	}
	end()
	return list
}

// Every piece of a definition that the manual shows loads, in wikictl.toml or in a
// tenant's file. TestManualLoads loads the files that it shows as a whole.
func TestManualPiecesLoad(t *testing.T) {
	const (
		farm   = "state = \"state\"\ntenants = [\"tenants/*.toml\"]\nallow_php = true\n[codebases.\"1.43\"]\npath = \"none\"\n[servers.main]\nmanaged = true\n[defaults]\ncodebase = \"1.43\"\nserver = \"main\"\nskins = [\"Vector\"]\n"
		web    = "[web]\npools = true\nuser = \"www-data\"\n"
		tenant = "name = \"one\"\nhosts = [\"one.example\"]\nsitename = \"One\"\n"
		portal = "\n[namespaces.portal]\nnumber = 3000\n"
		pool   = "name = \"pool\"\nhosts = [\"pool.example\"]\nsitename = \"Pool\"\n"
	)
	seen := 0
	for _, page := range manual.Pages() {
		for _, piece := range pieces(page.Text) {
			if strings.Contains(piece, "# required: everything that wikictl writes is below it") {
				continue
			}
			seen++
			var mistakes []string
			for _, files := range []map[string]string{
				{"wikictl.toml": farm + piece, "tenants/one.toml": tenant},
				{"wikictl.toml": farm + web, "tenants/one.toml": tenant + piece + portal},
			} {
				files["tenants/pool.toml"], files["templates/targets.tmpl"] = pool, ""
				dir := written(t, files)
				if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "secrets/smtp"), []byte("x\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := Load(dir); err != nil {
					mistakes = append(mistakes, err.Error())
				}
			}
			if len(mistakes) == 2 {
				t.Errorf("%s:\n%s\nin wikictl.toml: %s\nin a tenant's file: %s", page.Topic, piece, mistakes[0], mistakes[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("the manual has %d pieces of definitions", seen)
	}
}
