package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// seen is what a command's action was called with.
type seen struct {
	Command string
	Flags   map[string]string
	Names   []string
}

// parse runs a command line with all actions replaced, and returns what was called.
func parse(args ...string) (got *seen, err error) {
	a := &app{stdout: io.Discard, stderr: io.Discard, interrupts: &interrupts{}}
	program := a.command()
	walk(program.Commands, nil, func(command *cli.Command, _ []string) {
		command.Before = nil
		command.Action = func(c *cli.Context) error {
			got = &seen{Command: c.Command.FullName(), Flags: map[string]string{}, Names: c.Args().Slice()}
			for _, context := range c.Lineage() {
				for _, name := range context.LocalFlagNames() {
					got.Flags[name] = fmt.Sprint(context.Value(name))
				}
			}
			return nil
		}
	})
	err = program.Run(arrange(program, append([]string{"wikictl"}, args...)))
	return got, err
}

// sampleOf is a value that a flag takes; empty for one that takes none.
func sampleOf(f cli.Flag) string {
	if f.Names()[0] == "format" {
		return "json"
	}
	switch f.(type) {
	case *cli.BoolFlag:
		return ""
	case *cli.IntFlag:
		return "-3"
	case *cli.DurationFlag:
		return "5s"
	}
	return "--all"
}

// Flags of every command stand before or after its names, or before the command itself
// where they are those of the program; "--" ends them.
func TestFlagsStandAnywhere(t *testing.T) {
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	flags := 0
	walk(a.commands(), nil, func(c *cli.Command, words []string) {
		if len(c.Subcommands) > 0 {
			return
		}
		for _, f := range c.Flags {
			name, value := f.Names()[0], sampleOf(f)
			flags++
			spaced, joined := []string{"--" + name}, []string{"--" + name + "=" + value}
			if value == "" {
				joined, value = []string{"-" + name}, "true"
			} else {
				spaced = append(spaced, value)
			}
			want := &seen{Command: words[len(words)-1], Flags: map[string]string{name: value}, Names: []string{"alpha", "beta"}}
			for _, flag := range [][]string{spaced, joined} {
				for _, line := range [][]string{
					slices.Concat(words, flag, want.Names),
					slices.Concat(words, want.Names, flag),
					slices.Concat(words, want.Names[:1], flag, want.Names[1:]),
					slices.Concat(words, flag, []string{"--"}, want.Names),
					slices.Concat(words, want.Names[:1], flag, []string{"--"}, want.Names[1:]),
				} {
					same(t, want, line)
				}
				for at := range words {
					if name == "farm" || name == "format" || at > 0 {
						same(t, want, slices.Concat(words[:at], flag, words[at:], want.Names))
					}
				}
			}
		}
		same(t, &seen{Command: words[len(words)-1], Flags: map[string]string{}, Names: []string{"--all", "-", "--"}}, slices.Concat(words, []string{"--", "--all", "-", "--"}))
	})
	if flags < 80 {
		t.Errorf("%d flags were tried", flags)
	}
}

func same(t *testing.T, want *seen, line []string) {
	t.Helper()
	got, err := parse(line...)
	if err != nil {
		t.Errorf("wikictl %q: %v", line, err)
	} else if d := cmp.Diff(want, got); d != "" {
		t.Errorf("wikictl %q:\n%s", line, d)
	}
}

func TestArrange(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"show alpha --origin", "show --origin -- alpha"},
		{"--farm d show alpha", "show --farm d -- alpha"},
		{"--farm d completion bash", "--farm d completion -- bash"},
		{"--farm a show --farm b", "show --farm a --farm b --"},
		{"create --jobs -3 alpha", "create --jobs -3 -- alpha"},
		{"create alpha --jobs", "create --jobs"}, // the parser says that the value is missing
		{"--farm", "--farm"},
		{"report - --html - alpha", "report --html - -- - alpha"},
		{"list --where --all alpha", "list --where --all -- alpha"},
		{"list --where=--all alpha --all", "list --where=--all --all -- alpha"},
		{"list alpha --unknown x", "list --unknown -- alpha x"},
		{"list list -- list --all", "list -- list list --all"},
		{"server status --format json", "server status --format json --"},
		{"--format json server status", "server status --format json --"},
		{"server help", "server -- help"},
		{"--help show alpha", "show --help -- alpha"},
		{"--version list", "--version list --"},
		{"help show", "help show"},
		{"nothing --of the sort", "nothing --of the sort"},
		{"--format json", "--format json"},
		{"", ""},
		{"show alpha --origin --generate-bash-completion", "show alpha --origin --generate-bash-completion"},
	} {
		a := &app{stdout: io.Discard, interrupts: &interrupts{}}
		got := arrange(a.command(), append([]string{"wikictl"}, strings.Fields(tc.line)...))
		if want := append([]string{"wikictl"}, strings.Fields(tc.want)...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tc.line, got, want)
		}
	}
}
