package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"

	"wikictl/cmd/wikictl/manual"
	"wikictl/templates/deploy"
)

func (a *app) manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", Usage: "write man pages into a folder", ArgsUsage: "DIR",
		Description: about(`
			Writes man1/wikictl.1, man1/wikictl-COMMAND.1 for each command, and man7/wikictl-TOPIC.7 for each page of
			the manual. man finds them below /usr/local/share/man; man -M DIR reads them from any other folder.
		`, "wikictl man /usr/local/share/man"),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name the folder to write man pages into, such as /usr/local/share/man")
			}
			return a.writeMan(c.Args().First())
		},
	}
}

// writeMan writes all man pages below dir.
func (a *app) writeMan(dir string) error {
	var errs []error
	for _, p := range a.manPages() {
		path := filepath.Join(dir, fmt.Sprintf("man%d", p.section), fmt.Sprintf("%s.%d", p.name, p.section))
		errs = append(errs, deploy.WriteNamedIn(path, md2man.Render([]byte(p.markdown())), 0o644))
	}
	return errors.Join(errs...)
}

// manPage is one man page before it is rendered.
type manPage struct {
	name    string // such as "wikictl-show"
	section int    // 1 for commands, 7 for topics
	about   string // a phrase, for the chapter NAME
	text    string // the other chapters in Markdown, with first-level headings
}

// markdown returns the page in the form that md2man renders.
func (p manPage) markdown() string {
	return fmt.Sprintf("%% %s %d \"\" \"wikictl %s\" \"wikictl\"\n\n# NAME\n\n%s - %s\n\n%s",
		p.name, p.section, version, p.name, p.about, p.text)
}

// manPages returns the page of the program, and those of all commands and topics.
func (a *app) manPages() []manPage {
	program := a.command()
	pages := []manPage{manOfProgram(program)}
	pages = append(pages, manOfCommands(program.Commands, "wikictl")...)
	for _, page := range manual.Pages() {
		pages = append(pages, manOfTopic(page))
	}
	return pages
}

func manOfProgram(program *cli.App) manPage {
	var b strings.Builder
	b.WriteString("# SYNOPSIS\n\n**wikictl** [*options*] *command* [*options*] [*name*...]\n\n# DESCRIPTION\n\n" +
		"Provisions, serves, upgrades and audits many MediaWiki wikis from TOML definitions.\n\n# COMMANDS\n\n")
	for _, c := range program.VisibleCommands() {
		writeTerm(&b, "wikictl-"+c.Name+"(1)", c.Usage)
	}
	b.WriteString("# TOPICS\n\n")
	for _, page := range manual.Pages() {
		writeTerm(&b, "wikictl-"+page.Topic+"(7)", page.Title)
	}
	writeFlags(&b, program.VisibleFlags())
	b.WriteString("# EXIT STATUS\n\nSee **wikictl-exit-codes**(7).\n")
	return manPage{name: "wikictl", section: 1, about: program.Usage, text: b.String()}
}

// manOfCommands returns a page for each command; before are the words that precede its name.
func manOfCommands(commands []*cli.Command, before string) []manPage {
	var pages []manPage
	for _, c := range commands {
		call := before + " " + c.Name
		var b strings.Builder
		fmt.Fprintf(&b, "# SYNOPSIS\n\n**%s** [*options*] %s\n\n", call, literal(c.ArgsUsage))
		about, example, _ := strings.Cut(c.Description, "\nExample: ")
		if about != "" {
			fmt.Fprintf(&b, "# DESCRIPTION\n\n%s\n\n", literal(about))
		}
		writeFlags(&b, c.VisibleFlags())
		if example != "" {
			fmt.Fprintf(&b, "# EXAMPLE\n\n    %s\n\n", example)
		}
		b.WriteString("# SEE ALSO\n\n**wikictl**(1)\n")
		pages = append(pages, manPage{name: strings.ReplaceAll(call, " ", "-"), section: 1, about: c.Usage, text: b.String()})
		pages = append(pages, manOfCommands(c.Subcommands, call)...)
	}
	return pages
}

func manOfTopic(page manual.Page) manPage {
	_, text, _ := strings.Cut(page.Text, "\n")
	return manPage{
		name: "wikictl-" + page.Topic, section: 7, about: page.Title,
		text: "# DESCRIPTION\n" + narrowed(raised(text)) + "\n# SEE ALSO\n\n**wikictl**(1)\n",
	}
}

// writeFlags writes a chapter on flags, with their help texts.
func writeFlags(b *strings.Builder, flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	b.WriteString("# OPTIONS\n\n")
	for _, f := range flags {
		names, usage, _ := strings.Cut(f.String(), "\t")
		writeTerm(b, names, usage)
	}
}

// writeTerm writes a term and its meaning.
func writeTerm(b *strings.Builder, term, meaning string) {
	fmt.Fprintf(b, "**%s**\n: %s\n\n", literal(term), literal(meaning))
}

// literal escapes the special characters of Markdown.
func literal(text string) string { return markdownSigns.ReplaceAllString(text, `\$0`) }

var markdownSigns = regexp.MustCompile("[][\\\\*_`<>|#]")

// raised raises each heading of a Markdown text by a level, for the chapters of a man
// page. It keeps comments in code blocks.
func raised(text string) string {
	lines := strings.Split(text, "\n")
	code := false
	for i, line := range lines {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if !code && strings.HasPrefix(line, "##") {
			lines[i] = line[1:]
		}
	}
	return strings.Join(lines, "\n")
}

// terminal is the width of a page in man, in characters.
const terminal = 78

// narrowed replaces tables that are wider than a terminal by lists of terms, as man does
// not wrap tables.
func narrowed(text string) string {
	var out, table []string
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "|") {
			table = append(table, line)
			continue
		}
		out = append(out, terms(table)...)
		table = nil
		out = append(out, line)
	}
	return strings.Join(append(out, terms(table)...), "\n")
}

// terms returns the lines of a table or, if they are too wide, a list with the first
// column as terms.
func terms(table []string) []string {
	if !slices.ContainsFunc(table, func(line string) bool { return utf8.RuneCountInString(line) > terminal }) {
		return table
	}
	var list []string
	for _, line := range table[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		for i, c := range cells {
			cells[i] = strings.TrimSpace(c)
		}
		list = append(list, cells[0], ": "+strings.Join(cells[1:], ". "), "")
	}
	return list
}
