// Package machine checks a machine for a farm: programs, a web server that includes the
// farm's virtual hosts, php-fpm, database privileges, disk space and limits. Inspect and
// ReadWeb read the machine; Check and CheckWeb are pure and return findings. The package
// writes nothing and starts no server.
package machine

import (
	"strings"

	"wikictl/tenants"
)

// Level is the severity of a finding.
type Level int

// The levels of findings.
const (
	OK      Level = iota // as a farm needs it
	Note                 // not checked, or worth knowing
	Warning              // the farm works, but badly or not for long
	Error                // wikis can't be created or served
)

// String returns the level's name in documents.
func (l Level) String() string { return [...]string{"ok", "note", "warning", "error"}[l] }

// MarshalText returns the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is the result of one check of the machine.
type Finding struct {
	Check    string           `json:"check"` // its name, such as "nginx-include"
	Level    Level            `json:"level"`
	Message  string           `json:"message"`          // a sentence without a full stop
	Repair   []string         `json:"repair,omitempty"` // commands for a shell, in order
	Hint     string           `json:"hint,omitempty"`   // the next step if there is no command
	Key      string           `json:"key,omitempty"`    // of wikictl.toml, such as "web.fpm"
	Position tenants.Position `json:"-"`                // of that key
}

// Problem returns a finding as a problem that blocks tenants.
func (f Finding) Problem() tenants.Problem {
	hint := f.Hint
	if len(f.Repair) > 0 {
		hint = strings.Join(f.Repair, " && ")
	}
	return tenants.Problem{Position: f.Position, Key: f.Key, Message: f.Message, Hint: hint}
}

// quote quotes a word for a shell (POSIX, Shell Command Language: Quoting).
func quote(word string) string {
	plain := strings.TrimFunc(word, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%=,", r)
	})
	if plain == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
