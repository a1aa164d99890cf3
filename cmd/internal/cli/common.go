package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/tenants"
)

// farmFlag selects the farm. It is accepted before and after the command.
func farmFlag() cli.Flag {
	return &cli.StringFlag{Name: "farm", Usage: "folder of " + tenants.FarmFile + " (default: the nearest one upwards)", EnvVars: []string{"WIKICTL_FARM"}}
}

// formatFlag selects the format of the result; the first is the default.
func formatFlag(formats ...string) cli.Flag {
	last := len(formats) - 1
	words := strings.Join(formats[:last], ", ") + " or " + formats[last]
	return &cli.StringFlag{Name: "format", Usage: "print the result as " + words, Value: formats[0], Action: func(_ *cli.Context, v string) error {
		if !slices.Contains(formats, v) {
			return usagef("--format %q is not %s", v, words)
		}
		return nil
	}}
}

// about returns the long help of a command: a text, whose indentation it removes, the exit codes
// and an example.
func about(text, example string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimLeft(line, "\t")
	}
	return strings.Join(lines, "\n") + "\n\n" + exitHelp + "\n\nExample: " + example
}

// dryRunFlag shows what a command would do, such as "what would be created".
func dryRunFlag(what string) cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "show " + what + " and change nothing"}
}

// yesFlag skips a question; usage says which.
func yesFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "yes", Usage: usage}
}

// jobsFlag bounds how many wikis a command works on concurrently.
func jobsFlag(usual int) cli.Flag {
	return &cli.IntFlag{Name: "jobs", Usage: "how many wikis to work on at once", Value: usual}
}

// common sets the properties that all commands and subcommands share. It removes the
// library's own help command, which would otherwise shadow a tenant of that name.
func (a *app) common(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
		c.Before = checkWords
		if namesTenants(c) && c.BashComplete == nil {
			c.BashComplete = a.completeNames
		}
		if readsFarm(c) {
			c.Flags = append(c.Flags, farmFlag())
		}
		if printsResult(c) && flagNamed(c.Flags, "format") == nil {
			c.Flags = append(c.Flags, formatFlag("text", "json"))
		}
		for _, f := range c.Flags {
			if b, is := f.(*cli.BoolFlag); is {
				b.DisableDefaultText = true
			}
		}
		a.common(c.Subcommands)
	}
	return commands
}

// readsFarm reports whether a command works on a farm.
func readsFarm(c *cli.Command) bool {
	return len(c.Subcommands) == 0 && !slices.Contains([]string{"completion", "demo", "explain", "man"}, c.Name)
}

// namesTenants reports whether the arguments of a command are names of the farm's tenants. Those of
// purge are names of removed ones.
func namesTenants(c *cli.Command) bool {
	return strings.Contains(c.ArgsUsage, "NAME") && c.Name != "purge"
}

// printsResult reports whether a command can print JSON.
func printsResult(c *cli.Command) bool {
	return len(c.Subcommands) == 0 && !slices.Contains([]string{"completion", "demo", "man", "metrics"}, c.Name)
}

// checkWords refuses names for a command without arguments, and formats that it can't
// print.
func checkWords(c *cli.Context) error {
	if len(c.Command.Subcommands) > 0 {
		return nil
	}
	if c.Args().Present() && c.Command.ArgsUsage == "" {
		return usagef("%s takes no names, but was given %q", callOf(c), c.Args().First())
	}
	if flagNamed(c.Command.Flags, "format") == nil && c.String("format") != "text" {
		return usagef("%s does not print %s", callOf(c), c.String("format"))
	}
	return nil
}

// usageError turns the parser's errors into exit code 64.
func usageError(c *cli.Context, err error, _ bool) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return usagef("%s", err)
	}
	var names []string
	for _, f := range c.Command.Flags {
		names = append(names, "--"+f.Names()[0])
	}
	hint := cmp.Or(tenants.DidYouMean("--"+name, slices.Values(names)), c.Command.HelpName+" --help lists the flags")
	return tenants.WithHint(usagef("there is no flag --%s", name), hint)
}

// noCommand returns the error for an unknown command.
func noCommand(c *cli.Context) error {
	word, names := c.Args().First(), []string{}
	for _, command := range c.App.Commands {
		names = append(names, command.Name)
	}
	hint := cmp.Or(tenants.DidYouMean(word, slices.Values(names)), "wikictl help lists them")
	return tenants.WithHint(usagef("there is no command %q", word), hint)
}

// subcommandHelp is the action of a command that only has subcommands: it prints its help, or
// refuses a word that is none of them. hint says how to list them.
func subcommandHelp(hint string) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Present() {
			return tenants.WithHint(usagef("there is no command %s %s", c.Command.Name, c.Args().First()), hint)
		}
		return cli.ShowSubcommandHelp(c)
	}
}

// callOf returns the words of the current command, such as "server status".
func callOf(c *cli.Context) string {
	_, words, _ := strings.Cut(c.Command.HelpName, " ")
	return words
}

// under puts flags under a heading of a command's help.
func under(heading string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			f.Category = heading
		case *cli.StringFlag:
			f.Category = heading
		case *cli.IntFlag:
			f.Category = heading
		case *cli.DurationFlag:
			f.Category = heading
		}
	}
	return flags
}
