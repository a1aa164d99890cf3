package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/wikictl/manual"
)

// walk calls do for each command and subcommand, with the words that call it.
func walk(commands []*cli.Command, before []string, do func(c *cli.Command, words []string)) {
	for _, c := range commands {
		words := append(slices.Clone(before), c.Name)
		do(c, words)
		walk(c.Subcommands, words, do)
	}
}

func called(t *testing.T, args ...string) string {
	t.Helper()
	var out, stderr strings.Builder
	if code := Main(append([]string{"wikictl"}, args...), strings.NewReader(""), &out, &stderr); code != 0 {
		t.Errorf("wikictl %v: exit %d: %s", args, code, stderr.String())
	}
	return out.String()
}

// The help of every command ends with exit codes and one example of it, and is the
// same however it is asked for.
func TestHelp(t *testing.T) {
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	all := called(t, "--help")
	if called(t, "help") != all || called(t) != all {
		t.Error("wikictl, wikictl help and wikictl --help differ")
	}
	walk(a.commands(), nil, func(c *cli.Command, words []string) {
		line := strings.Join(words, " ")
		help := called(t, append(words, "--help")...)
		example := "Example: wikictl " + line
		if line == "completion" {
			example = "Example: source <(wikictl completion bash)"
		}
		if !strings.Contains(help, "Exit codes: 0 done") || !strings.Contains(help, example) || !strings.Contains(help, c.Usage) {
			t.Errorf("%s --help: %s", line, help)
		}
		for _, f := range c.Flags {
			if name := f.Names()[0]; !strings.Contains(help, "--"+name) {
				t.Errorf("%s --help lacks --%s", line, name)
			}
		}
		if got := called(t, append([]string{"help"}, words...)...); got != help {
			t.Errorf("help %s differs from %[1]s --help: %s", line, got)
		}
		if got := called(t, append(words, "--help", "alpha")...); got != help {
			t.Errorf("%s --help alpha: %s", line, got)
		}
		if len(words) == 1 && !strings.Contains(all, c.Name) {
			t.Errorf("wikictl --help lacks %s", c.Name)
		}
	})
}

// wikictl help lists the topics of the manual and prints each; none is called as a command.
func TestTopics(t *testing.T) {
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	all := called(t, "help")
	for _, page := range manual.Pages() {
		if got := called(t, "help", page.Topic); got != page.Text {
			t.Errorf("help %s: %s", page.Topic, got)
		}
		if !strings.Contains(all, page.Topic) || !strings.Contains(all, page.Title) {
			t.Errorf("help lacks %s", page.Topic)
		}
		if a.command().Command(page.Topic) != nil {
			t.Errorf("%s is a topic and a command", page.Topic)
		}
	}
}

// A tenant may be called as any word of the command line is.
func TestNamesMayBeWords(t *testing.T) {
	a := &app{stdout: io.Discard, stderr: io.Discard, interrupts: &interrupts{}}
	names := []string{"h", "v", "version", "alpha", "all", "where", "dry-run"}
	walk(a.commands(), nil, func(c *cli.Command, _ []string) { names = append(names, c.Name) })
	taking := 0
	for _, command := range a.commands() {
		if !strings.Contains(command.ArgsUsage, "NAME") {
			continue
		}
		taking++
		for _, name := range names {
			for _, args := range [][]string{{name}, {name, "alpha"}, {"alpha", name}} {
				app := a.command()
				var got []string
				one := app.Command(command.Name)
				one.Action = func(c *cli.Context) error { got = c.Args().Slice(); return nil }
				err := app.Run(append([]string{"wikictl", command.Name}, args...))
				if err != nil || !slices.Equal(got, args) {
					t.Errorf("%s %v worked on %v, %v", command.Name, args, got, err)
				}
			}
		}
	}
	if taking < 9 {
		t.Errorf("%d commands take names", taking)
	}
}
