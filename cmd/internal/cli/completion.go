package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// bashCompletion asks wikictl itself what may follow the words so far.
const bashCompletion = `_wikictl() {
	local words
	words=$("${COMP_WORDS[@]:0:$COMP_CWORD}" --generate-bash-completion 2>/dev/null)
	COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _wikictl wikictl
`

func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print what makes a shell complete wikictl's words", ArgsUsage: "bash",
		Description: "Completes commands, and the names of the farm's tenants.\n\n" + exitHelp + "\n\nExample: source <(wikictl completion bash)",
		Action: func(c *cli.Context) error {
			if c.Args().First() != "bash" || c.NArg() > 1 {
				return usagef("say which shell; there is only bash")
			}
			_, err := fmt.Fprint(a.stdout, bashCompletion)
			return err
		},
	}
}

// completeNames lists the farm's tenants; a farm with mistakes has none.
func (a *app) completeNames(c *cli.Context) {
	f, err := readFarm(c)
	if err != nil {
		return
	}
	for _, t := range f.Tenants {
		fmt.Fprintln(a.stdout, t.Name)
	}
}
