package cli

import (
	"errors"
	"fmt"
	"os"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Exit codes, as in the manual (wikictl help exit-codes).
const (
	exitDone        = 0
	exitFound       = 1
	exitFailed      = 2
	exitUsage       = 64
	exitLocked      = 75
	exitDefinitions = 78
	exitInterrupted = 130
)

// exitHelp is in the long help of every command.
const exitHelp = `Exit codes: 0 done, 1 something found, or to do in a dry run, 2 a tenant failed or is blocked, or another error,
64 wrong usage, 75 locked by another run, 78 mistakes in the farm's files, 130 interrupted.`

var (
	errInterrupted = errors.New("interrupted; run the same command again to finish")
	errNotBegun    = errors.New("interrupted; nothing was begun")
	// errReported wraps errors that have been printed already.
	errReported = errors.New("already reported")
	errFound    = fmt.Errorf("something was found: %w", errReported)
	errPart     = fmt.Errorf("a tenant failed: %w", errReported)
)

// partFailed returns the error of a run in which a part failed, or nil without failures.
func partFailed(failures []error) error {
	if len(failures) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", errPart, errors.Join(failures...))
}

// usage is an error in the command line.
type usage struct{ message string }

func (u usage) Error() string { return u.message }

func usagef(format string, args ...any) error { return usage{fmt.Sprintf(format, args...)} }

// exitCode maps every error to its exit code. It descends a tree of errors to its failures. If
// they differ in kind, the run failed: codes such as "try again later" and "correct the files"
// are returned only if they hold for every failure.
func exitCode(err error) int {
	if errors.Is(err, errInterrupted) || errors.Is(err, errNotBegun) {
		return exitInterrupted
	}
	code, known := verdict(err)
	if !known {
		return exitFailed
	}
	return code
}

// verdict returns the exit code of one tree of errors. known reports whether it contains
// a failure or a finding: errReported and errPart are neither.
func verdict(err error) (code int, known bool) {
	switch err.(type) {
	case tenants.Problems:
		return exitDefinitions, true
	case *mariadb.LockedError, *deploy.BusyError:
		return exitLocked, true
	case usage:
		return exitUsage, true
	}
	switch err {
	case errReported, errPart:
		return exitDone, false
	case errFound:
		return exitFound, true
	case tenants.ErrSelect:
		return exitUsage, true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return verdict(inner)
		}
	case interface{ Unwrap() []error }:
		return joint(e.Unwrap())
	}
	return exitFailed, true
}

// joint returns the exit code of joined errors. Problems of a tenant in a run that
// changed other tenants are that tenant's failure.
func joint(errs []error) (code int, known bool) {
	part := false
	for _, err := range errs {
		if err == errPart {
			part = true
			continue
		}
		one, counts := verdict(err)
		if part && one == exitDefinitions {
			one = exitFailed
		}
		switch {
		case !counts:
		case !known || code == exitFound:
			code, known = one, true
		case one != exitFound && one != code:
			code = exitFailed
		}
	}
	if len(errs) == 0 {
		return exitFailed, true
	}
	return code, known
}

// dryRunError returns the error of a command that only showed its plan: for exit code 2 if a
// tenant is blocked, for 1 if the plan has work, otherwise nil.
func dryRunError(differs, blocked bool) error {
	switch {
	case blocked:
		return errPart
	case differs:
		return errFound
	}
	return nil
}

// describe formats an error for the terminal.
func describe(err error) string {
	var problems tenants.Problems
	if errors.As(err, &problems) {
		noun := "mistakes"
		if len(problems) == 1 {
			noun = "mistake"
		}
		return ui.Clean(fmt.Sprintf("%s\n%d %s in the farm's files; nothing was changed", problems.Error(), len(problems), noun))
	}
	var call *os.SyscallError
	if errors.As(err, &call) && call.Syscall == "getwd" {
		err = tenants.WithHint(err, "the current folder was removed: cd to another one")
	}
	return ui.Clean("wikictl: " + mariadb.WithRoom(err).Error())
}
