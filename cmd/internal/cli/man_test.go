package cli

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/testbed/needs"
	"wikictl/cmd/wikictl/manual"
)

// shown returns a man page as man shows it, with its lines joined.
func shown(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("mandoc", "-T", "utf8", "-W", "error", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", path, err, out)
	}
	return strings.Join(strings.Fields(overstrike.ReplaceAllString(string(out), "")), " ")
}

// overstrike is a letter that another one replaces, which makes that bold or underlined.
var overstrike = regexp.MustCompile(".\x08")

// man writes a page for each command with its flags and its example, one for each topic,
// and an overview of both.
func TestMan(t *testing.T) {
	needs.Program(t, "mandoc")
	dir := filepath.Join(t.TempDir(), "share/man")
	called(t, "man", dir)
	page := func(name string, section string) string {
		return shown(t, filepath.Join(dir, "man"+section, name+"."+section))
	}
	overview := page("wikictl", "1")
	a := &app{stdout: io.Discard, interrupts: &interrupts{}}
	walk(a.commands(), nil, func(c *cli.Command, words []string) {
		text := page("wikictl-"+strings.Join(words, "-"), "1")
		_, example, _ := strings.Cut(c.Description, "\nExample: ")
		for _, want := range append([]string{c.Usage, example}, flagNames(c)...) {
			if !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("the page of %v lacks %q: %s", words, want, text)
			}
		}
		if len(words) == 1 && !strings.Contains(overview, "wikictl-"+c.Name+"(1)") {
			t.Errorf("the overview lacks %s", c.Name)
		}
	})
	for _, topic := range manual.Pages() {
		if text := page("wikictl-"+topic.Topic, "7"); !strings.Contains(text, topic.Title) || len(text) < len(topic.Text)/3 {
			t.Errorf("the page of %s: %s", topic.Topic, text)
		}
		if !strings.Contains(overview, "wikictl-"+topic.Topic+"(7)") {
			t.Errorf("the overview lacks %s", topic.Topic)
		}
	}
	if files, err := os.ReadDir(filepath.Join(dir, "man7")); err != nil || len(files) != len(manual.Pages()) {
		t.Errorf("%d pages of topics: %v", len(files), err)
	}
}

func flagNames(c *cli.Command) (names []string) {
	for _, f := range c.VisibleFlags() {
		names = append(names, "--"+f.Names()[0])
	}
	return names
}

// A table that man would cut becomes a list; others, and code, stay as they are.
func TestNarrowed(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct{ name, text, want string }{
		{"narrow", "a\n\n| n | m |\n| --- | --- |\n| 1 | 2 |\n", "a\n\n| n | m |\n| --- | --- |\n| 1 | 2 |\n"},
		{"wide", "a\n\n| n | m | o |\n| --- | --- | --- |\n| 1 | " + long + " | 3 |\n\nb", "a\n\n1\n: " + long + ". 3\n\n\nb"},
		{"at the end", "| n | m |\n| --- | --- |\n| `1` | " + long + long + " |", "`1`\n: " + long + long + "\n"},
	} {
		if got := narrowed(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := raised("## a\n\n```\n## b\n```\n### c"); got != "# a\n\n```\n## b\n```\n## c" {
		t.Errorf("raised: %q", got)
	}
}
