package cli

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/wikictl/manual"
	"wikictl/tenants/audit/rules"
)

// calls are the command lines that a text shows, in `code` or as lines of their own.
var calls = regexp.MustCompile("`wikictl ([^`\n]+)`|(?m)^(?:    |\t)(?:\\$ )?wikictl ([^#|\n]+)")

// Every command line that the manual and README.md show is one that there is: its
// command, its flags, and the topic that it asks for.
func TestManualShowsExistingCommands(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"README.md": string(readme)}
	for _, page := range manual.Pages() {
		texts[page.Topic] = page.Text
	}
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	seen := 0
	for name, text := range texts {
		for _, m := range calls.FindAllStringSubmatch(text, -1) {
			seen++
			if wrong := noSuchCall(a.command(), strings.Fields(m[1]+m[2])); wrong != "" {
				t.Errorf("%s: %q: there is no %s", name, strings.TrimSpace(m[0]), wrong)
			}
		}
	}
	if seen < 60 {
		t.Errorf("%d command lines were found", seen)
	}
}

// A rule of audit that sends its reader to the manual names a page that there is.
func TestRulesNamePages(t *testing.T) {
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	named := 0
	for _, r := range rules.All() {
		if call, ours := strings.CutPrefix(r.Reference, "wikictl "); ours {
			named++
			if wrong := noSuchCall(a.command(), strings.Fields(call)); wrong != "" {
				t.Errorf("%s: there is no %s", r.ID, wrong)
			}
		}
	}
	if named < 20 {
		t.Errorf("%d rules name a page", named)
	}
}

// noSuchCall returns the first word of a command line that the program does not know, or
// nothing.
func noSuchCall(program *cli.App, words []string) string {
	flags, commands := program.Flags, program.Commands
	flags = slices.Concat(flags, []cli.Flag{cli.HelpFlag, cli.VersionFlag})
	named := false
	for i, word := range words {
		if word == "--" {
			return ""
		}
		if word == "help" && !named {
			return noSuchTopic(program, words[i+1:])
		}
		if name, isFlag := flagName(word); isFlag {
			if flagNamed(flags, name) == nil {
				return word
			}
			continue
		}
		if at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(word) }); at >= 0 {
			named = true
			flags, commands = slices.Concat(flags, commands[at].Flags), commands[at].Subcommands
		} else if !named && !(i > 0 && takesNext(flags, words[i-1])) {
			return word
		}
	}
	return ""
}

func noSuchTopic(program *cli.App, words []string) string {
	for _, word := range words {
		_, isTopic := manual.Find(word)
		if !isTopic && program.Command(word) == nil && strings.ToUpper(word) != word {
			return word
		}
	}
	return ""
}
