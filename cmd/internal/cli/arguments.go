package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// completionFlag ends the arguments when a shell asks for completions.
const completionFlag = "--generate-bash-completion"

// arrange moves the flags of a command before its names, because the parser stops at the
// first name. A flag before the command moves behind it if the command accepts it. Words
// that call no command are returned unchanged.
func arrange(program *cli.App, args []string) []string {
	if len(args) == 0 || args[len(args)-1] == completionFlag {
		return args
	}
	l := commandLine{flags: slices.Concat(program.Flags, []cli.Flag{cli.HelpFlag, cli.VersionFlag}), commands: program.Commands}
	l.read(args[1:])
	if l.command == nil {
		return args
	}
	outer, inner := []string{}, []string{}
	for _, f := range l.given {
		if f.before && flagNamed(l.command.Flags, f.name) == nil && f.name != "help" && f.name != "h" {
			outer = append(outer, f.words...)
		} else {
			inner = append(inner, f.words...)
		}
	}
	if l.short {
		return slices.Concat(args[:1], outer, l.words, inner)
	}
	return slices.Concat(args[:1], outer, l.words, inner, []string{"--"}, l.names)
}

// payloadMark marks, in a command's usage, that the command passes the words after "--" on.
const payloadMark = " -- "

// cutPayload splits off the words after "--" for commands that pass them on, such as to a
// script. given reports whether the arguments contain "--".
func cutPayload(program *cli.App, args []string) (own, payload []string, given bool) {
	if len(args) == 0 || args[len(args)-1] == completionFlag {
		return args, nil, false
	}
	l := commandLine{flags: slices.Concat(program.Flags, []cli.Flag{cli.HelpFlag, cli.VersionFlag}), commands: program.Commands}
	l.read(args[1:])
	if !l.cut || l.command == nil || !strings.Contains(l.command.ArgsUsage, payloadMark) {
		return args, nil, false
	}
	return args[:len(args)-len(l.after)-1], l.after, true
}

// commandLine is the result of arrange's parser.
type commandLine struct {
	flags    []cli.Flag     // accepted by the commands read so far
	commands []*cli.Command // that may follow the commands read so far

	command *cli.Command // the innermost one
	words   []string     // the words that call it
	given   []givenFlag
	names   []string
	short   bool     // the last flag lacks its value; the library's parser reports that
	cut     bool     // the arguments contain "--"
	after   []string // the words after "--"
}

// givenFlag is a flag with its value.
type givenFlag struct {
	name   string
	words  []string
	before bool // it precedes all commands
}

// read sorts the arguments into words of a command, flags and names.
func (l *commandLine) read(args []string) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		name, isFlag := flagName(word)
		switch {
		case word == "--":
			l.cut, l.after = true, args
			l.names = append(l.names, args...)
			return
		case isFlag:
			given := givenFlag{name: name, words: []string{word}, before: l.command == nil}
			if takes := takesNext(l.known(), word); takes && len(args) == 0 {
				l.short = true
			} else if takes {
				given.words = append(given.words, args[0])
				args = args[1:]
			}
			l.given = append(l.given, given)
		default:
			l.name(word)
		}
	}
}

// known returns the flags that may come next: those of the commands read so far, and those of
// subcommands, which may precede them.
func (l *commandLine) known() []cli.Flag {
	flags := l.flags
	if l.command != nil && len(l.names) == 0 {
		for _, c := range l.commands {
			flags = slices.Concat(flags, c.Flags)
		}
	}
	return flags
}

// name takes a word without dashes: as a command, if one has that name, otherwise as a name.
func (l *commandLine) name(word string) {
	for _, c := range l.commands {
		if len(l.names) == 0 && c.HasName(word) {
			l.command, l.words, l.commands = c, append(l.words, word), c.Subcommands
			l.flags = slices.Concat(c.Flags, l.flags)
			return
		}
	}
	l.names = append(l.names, word)
}

// flagName returns the name of a flag in a word. A single dash is not a flag.
func flagName(word string) (name string, isFlag bool) {
	if len(word) < 2 || word[0] != '-' {
		return "", false
	}
	name, _, _ = strings.Cut(strings.TrimPrefix(word[1:], "-"), "=")
	return name, true
}

// takesNext reports whether the argument after a flag is its value, whatever its form.
func takesNext(flags []cli.Flag, word string) bool {
	name, _ := flagName(word)
	f, documented := flagNamed(flags, name).(cli.DocGenerationFlag)
	return documented && f.TakesValue() && !strings.Contains(word, "=")
}

func flagNamed(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}
