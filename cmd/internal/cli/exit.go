package cli

import (
	"errors"
	"fmt"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// version is the program's.
const version = "0.1.0"

// Exit codes, as README.md states them.
const (
	exitDone        = 0
	exitFound       = 1
	exitFailed      = 2
	exitUsage       = 64
	exitLocked      = 75
	exitDefinitions = 78
	exitInterrupted = 130
)

// exitHelp ends the long help of every command.
const exitHelp = `Exit codes: 0 done, 1 something found, 2 a tenant failed or another error,
64 wrong usage, 75 locked by another run, 78 the farm's files are wrong, 130 interrupted.`

var (
	errInterrupted = errors.New("interrupted; run the same command again to finish")
	// errSilent wraps errors whose story was told already.
	errSilent = errors.New("told already")
	errFound  = fmt.Errorf("something was found: %w", errSilent)
	errPart   = fmt.Errorf("a tenant failed: %w", errSilent)
)

// usage is an error in how a command was called.
type usage struct{ message string }

func (u usage) Error() string { return u.message }

func usagef(format string, args ...any) error { return usage{fmt.Sprintf(format, args...)} }

// exitCode maps every error to its exit code.
func exitCode(err error) int {
	var (
		problems tenants.Problems
		locked   *mariadb.LockedError
		busy     *deploy.BusyError
		wrong    usage
	)
	switch {
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &problems):
		return exitDefinitions
	case errors.As(err, &locked), errors.As(err, &busy):
		return exitLocked
	case errors.As(err, &wrong), errors.Is(err, tenants.ErrSelect):
		return exitUsage
	case errors.Is(err, errFound):
		return exitFound
	}
	return exitFailed
}

// describe is what the terminal shows of an error.
func describe(err error) string {
	var problems tenants.Problems
	if errors.As(err, &problems) {
		noun := "mistakes"
		if len(problems) == 1 {
			noun = "mistake"
		}
		return ui.Clean(fmt.Sprintf("%s\n%d %s in the farm's files; nothing was changed", problems.Error(), len(problems), noun))
	}
	return ui.Clean("wikictl: " + err.Error())
}
