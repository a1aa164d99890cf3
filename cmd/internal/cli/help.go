package cli

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"
)

// help prints what COMMAND --help prints; without a command, what --help does. It is no
// command of the library's: for one of that name its own flag would be gone.
func (a *app) help(ctx context.Context, words []string) error {
	return a.command().RunContext(ctx, slices.Concat([]string{"wikictl"}, words, []string{"--help"}))
}

// settle sets what all commands and their subcommands have in common. The library's
// own help is a word that every command takes for itself, and so would be no tenant's
// name.
func settle(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
		settle(c.Subcommands)
	}
	return commands
}
