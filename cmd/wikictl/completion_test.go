package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// shells are scripts that print, in the farm's folder, what the Tab key would offer after the
// words of a line. The last word is the one being typed.
var shells = map[string]string{
	"bash": `source <(wikictl completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wikictl; printf '%s\n' "${COMPREPLY[@]}"`,
	// Zsh's own functions need a terminal. The script prints the words that they would get.
	"zsh": `compdef() { :; }; _files() { :; }; _describe() { print -l -- "${(@P)2}" | sed "s/:.*//" | grep -e "^${words[CURRENT]}"; }
		source <(wikictl completion zsh); words=("$@"); CURRENT=$#; _wikictl`,
	"fish": `wikictl completion fish | source; complete -C (string join ' ' -- $argv) | string replace -r '\t.*' ''`,
}

// Each shell completes commands, flags, tenants, rules, topics and shells.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(self, filepath.Join(dir, "wikictl")))
	for name, text := range map[string]string{
		"wikictl.toml": shortFarm, "a.t.toml": tenantNamed("alpha"), "b.t.toml": tenantNamed("alto"),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for shell, script := range shells {
		needs.Program(t, shell)
		for _, c := range []struct {
			line string // a space at its end begins a new word
			want []string
		}{
			{"wikictl undel", []string{"undelete"}},
			{"wikictl show al", []string{"alpha", "alto"}},
			{"wikictl show alpha alt", []string{"alto"}},
			{"wikictl create --dry", []string{"--dry-run"}},
			{"wikictl upgrade --max-f", []string{"--max-failures"}},
			{"wikictl server sta", []string{"start", "status"}},
			{"wikictl explain raw-h", []string{"raw-html"}},
			{"wikictl metrics das", []string{"dashboard"}},
			{"wikictl metrics --text", []string{"--textfile"}},
			{"wikictl extensions fetch --upd", []string{"--update"}},
			{"wikictl help troub", []string{"troubleshooting"}},
			{"wikictl completion z", []string{"zsh"}},
		} {
			words := strings.Split(c.line, " ")
			args := append([]string{"-c", script, shell}, words...)
			if shell == "fish" {
				args = append([]string{"--no-config", "-c", script}, words...)
			}
			cmd := exec.Command(shell, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
			out, err := cmd.CombinedOutput()
			got := strings.Fields(string(out))
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, c.want) {
				t.Errorf("%s: %s: %v %q", shell, c.line, err, out)
			}
		}
	}
}

// shortFarm is a farm whose codebase is missing: its tenants have names all the same.
const shortFarm = `
state = "state"
tenants = ["*.t.toml"]
[codebases."1.43"]
path = "missing"
[servers.main]
managed = true
[defaults]
codebase = "1.43"
server = "main"
skins = ["Vector"]
`

func tenantNamed(name string) string {
	return "name = \"" + name + "\"\nhosts = [\"" + name + ".localhost\"]\nsitename = \"" + name + "\"\n"
}
