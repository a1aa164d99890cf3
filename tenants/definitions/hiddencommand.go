package definitions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// secretKeys are the keys of a table below [secrets] of wikictl.toml.
var secretKeys = []Key{
	{Name: "command", Type: Texts, Required: true, Example: `["pass", "show", "smtp"]`, Doc: "A command that prints the value of { secret = \"…\" } of this name, in place of a file in the folder secrets."},
}

// secretLimit is the time limit of a command that prints a secret.
const secretLimit = 30 * time.Second

// readSecretCommands reads the commands that print secrets. They are allowed only in
// wikictl.toml, because the user of wikictl, often root, runs them, and other people may
// write definitions of tenants.
func (l *loader) readSecretCommands(s *section) {
	l.printed = map[string]func() (string, error){}
	s.each("secrets", func(name string, at tenants.Position, sub *section) {
		command := sub.texts("command")
		sub.end()
		switch {
		case !secretName.MatchString(name):
			sub.report(at, "", `such as [secrets.smtp]`, "the secret's name %q can't be one", name)
		case len(command) == 0 && sub.table["command"].Data == nil:
			sub.report(at, "command", `such as command = ["pass", "show", "smtp"]`, "is missing")
		case len(command) > 0:
			dir := l.farm.Dir
			l.printed[name] = sync.OnceValues(func() (string, error) { return printedSecret(name, dir, values(command)) })
		}
	})
}

// printedSecret runs a command once and returns its output without the newline at its
// end. No error contains the output.
func printedSecret(name, dir string, command []string) (string, error) {
	at := func(format string, args ...any) error {
		return fmt.Errorf("the command of [secrets.%s], %s, %s", name, command[0], fmt.Sprintf(format, args...))
	}
	program := command[0]
	if strings.Contains(program, "/") && !filepath.IsAbs(program) {
		program = filepath.Join(dir, program)
	}
	program, err := process.Find(program)
	if err != nil {
		return "", at("can't be run: %s", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), secretLimit)
	defer cancel()
	out := &bounded{}
	_, err = process.Run(ctx, process.Program{Name: program, Args: command[1:], Dir: dir, Env: process.Inherited(), Stdout: out})
	value := strings.TrimSuffix(strings.TrimSuffix(out.String(), "\n"), "\r")
	switch {
	case ctx.Err() != nil:
		return "", at("took longer than %s", secretLimit)
	case out.full:
		return "", at("printed more than 64 KiB")
	case err != nil:
		return "", fmt.Errorf("%w; it is the command of [secrets.%s] in %s", err, name, tenants.FarmFile)
	case value == "":
		return "", at("printed nothing")
	case !utf8.ValidString(value):
		return "", at("printed text that is not UTF-8")
	}
	return value, nil
}

// bounded keeps a program's output up to the size of a secret. The buffer is not
// embedded: io.Copy would bypass Write.
type bounded struct {
	kept bytes.Buffer
	full bool
}

// String returns the output.
func (b *bounded) String() string { return b.kept.String() }

// Write keeps a part of the output.
func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxSecret {
		b.full = true
		return 0, errors.New("too much output")
	}
	return b.kept.Write(p)
}
