package restic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// errLocked reports that another restic uses the repository.
var errLocked = errors.New("the repository is locked")

// errIncomplete reports a snapshot without files that restic could not read.
var errIncomplete = errors.New("some files could not be read")

// fault is a failure of restic that has a next step. Older releases exit with 1 for all of
// them, so they are known by their text, too.
type fault struct {
	exit  int      // since restic 0.17
	texts []string // of older releases
	err   error
	next  string
}

var faults = []fault{
	{11, []string{"unable to create lock", "is already locked"}, errLocked,
		"wait for the other restic; restic unlock removes the lock of one that was killed on another machine"},
	{10, []string{"Is there a repository at the following location", "unable to open config file"}, errors.New("the repository does not exist"),
		"make it by restic init, at the place that store in [backup] names"},
	{12, []string{"wrong password or no key found"}, errors.New("the password is wrong"),
		"see password_file in [backup]"},
	{-1, []string{"an empty password is not a password", "Resolving password failed"}, errors.New("the password can't be read"),
		"see password_file in [backup]"},
	{incompleteExit, nil, errIncomplete,
		"make them readable, and back up again"},
}

// explain returns the error of a restic that exited with a status, with the next step.
func (r *Repository) explain(exit int, failed *process.Error) error {
	text := message(failed.Output)
	if process.Missing(failed.Err) {
		return tenants.WithHint(fmt.Errorf("%w", failed), "install restic, such as by apt-get install restic")
	}
	for _, f := range faults {
		if exit == f.exit || contains(text, f.texts) {
			return tenants.WithHint(fmt.Errorf("restic, repository %s: %w: %s", r.Location, f.err, text), f.next)
		}
	}
	if text == "" {
		text = failed.Err.Error()
	}
	return tenants.WithHint(fmt.Errorf("restic, repository %s: %s", r.Location, text), "wikictl doctor says whether the repository can be reached")
}

func contains(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// message returns what restic printed, on one line. With --json it prints an object a line.
func message(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		var m struct {
			Type    string `json:"message_type"`
			Message string `json:"message"`
			Item    string `json:"item"`
			Error   struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		switch {
		case json.Unmarshal([]byte(line), &m) != nil:
			words = append(words, line)
		case m.Type == "error":
			words = append(words, m.Item, m.Error.Message)
		case m.Type == "exit_error":
			words = append(words, m.Message)
		}
	}
	return tenants.OneLine(strings.Join(words, " "))
}
