package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"wikictl/cmd/wikictl/manual"
)

// description returns the part of wikictl's help after its commands: the topics of the
// manual.
func description() string {
	var b strings.Builder
	b.WriteString("wikictl help COMMAND says what a command does, its flags and exit codes.\n" +
		"wikictl help TOPIC prints a page of the manual:\n")
	for _, page := range manual.Pages() {
		fmt.Fprintf(&b, "\n  %-16s %s", page.Topic, page.Title)
	}
	return b.String()
}

// help prints a page of the manual, or the output of COMMAND --help; without a word, that
// of --help. It is not a command of the library, because a command named help would lose
// its own flag.
func (a *app) help(ctx context.Context, words []string) error {
	if len(words) == 1 {
		if page, found := manual.Find(words[0]); found {
			_, err := io.WriteString(a.stdout, page.Text)
			return err
		}
	}
	return a.run(ctx, slices.Concat([]string{"wikictl"}, words, []string{"--help"}))
}
