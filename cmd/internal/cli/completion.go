package cli

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/wikictl/manual"
	"wikictl/tenants"
)

// The scripts for bash and zsh call the program for every completion, with a flag that the
// library answers. The script for fish contains the commands and flags, as written by the
// library, and calls the program only for names.
var (
	//go:embed completion/wikictl.bash
	bashCompletion string
	//go:embed completion/wikictl.zsh
	zshCompletion string
	//go:embed completion/wikictl.fish
	fishNames string
)

func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a script that completes wikictl's words in bash, zsh or fish", ArgsUsage: "bash|zsh|fish",
		Description: about(`
			Completes commands, flags, tenants, rules of audit and topics of the manual. For bash put the example into
			~/.bashrc. For zsh write the script to a file named _wikictl in a folder of $fpath. For fish write it to
			~/.config/fish/completions/wikictl.fish.
		`, "source <(wikictl completion bash)"),
		Action: func(c *cli.Context) error {
			script, err := a.completion(c.Args().First())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.stdout, script)
			return err
		},
		BashComplete: a.completing(func() []string { return []string{"bash", "zsh", "fish"} }),
	}
}

// completion returns the script for a shell.
func (a *app) completion(shell string) (string, error) {
	switch shell {
	case "bash":
		return bashCompletion, nil
	case "zsh":
		return zshCompletion, nil
	case "fish":
		list, err := a.command().ToFishCompletion()
		return list + fishNames, err
	}
	return "", usagef("there is no completion for %q; name bash, zsh or fish", shell)
}

// completeCommands lists the commands, and after help also the topics of the manual.
func (a *app) completeCommands(c *cli.Context) {
	cli.DefaultAppComplete(c)
	if c.Args().First() != "help" {
		return
	}
	for _, page := range manual.Pages() {
		fmt.Fprintln(a.stdout, page.Topic)
	}
}

// completeNames completes names of the farm's tenants.
func (a *app) completeNames(c *cli.Context) {
	a.complete(c, func(f *tenants.Farm) []string { return tenants.NamesOf(f.Tenants) })
}

// complete lists words of the farm, or flags. It lists no words of a farm with mistakes.
func (a *app) complete(c *cli.Context, words func(*tenants.Farm) []string) {
	a.completing(func() []string {
		f, err := readFarm(c)
		if err != nil {
			return nil
		}
		return words(f)
	})(c)
}

// completing returns a function that lists words, or the flags of a command if a flag is being
// typed.
func (a *app) completing(words func() []string) cli.BashCompleteFunc {
	return func(c *cli.Context) {
		if typesFlag(os.Args) {
			cli.DefaultCompleteWithFlags(c.Command)(c)
			return
		}
		for _, word := range words() {
			fmt.Fprintln(a.stdout, word)
		}
	}
}

// typesFlag reports whether the word being completed begins a flag.
func typesFlag(args []string) bool {
	return len(args) > 2 && strings.HasPrefix(args[len(args)-2], "-")
}
