// Package machine knows what a farm needs of the machine that it runs on: programs, a
// web server that includes its virtual hosts, php-fpm, database privileges, disk space
// and limits. Inspect and ReadWeb read the machine, Judge and JudgeWeb turn what was
// read into findings and are pure. The package writes nothing and starts no server.
package machine

import (
	"strings"

	"wikictl/tenants"
)

// Level is how bad a finding is.
type Level int

// The levels of findings.
const (
	OK      Level = iota // it is as a farm needs it
	Note                 // it could not be checked, or is worth to know
	Warning              // the farm works, but not well or not for long
	Error                // wikis can't be made or served
)

// String is the level's name in documents.
func (l Level) String() string { return [...]string{"ok", "note", "warning", "error"}[l] }

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is the result of one check of the machine.
type Finding struct {
	Check    string           `json:"check"` // its name, such as "nginx-include"
	Level    Level            `json:"level"`
	Message  string           `json:"message"`          // a sentence without a full stop
	Repair   []string         `json:"repair,omitempty"` // commands for a shell, in order
	Hint     string           `json:"hint,omitempty"`   // what to do where no command can
	Key      string           `json:"key,omitempty"`    // of wikictl.toml, such as "web.fpm"
	Position tenants.Position `json:"-"`                // of that key
}

// Problem is a finding as what stands in the way of a tenant.
func (f Finding) Problem() tenants.Problem {
	hint := f.Hint
	if len(f.Repair) > 0 {
		hint = strings.Join(f.Repair, " && ")
	}
	return tenants.Problem{Position: f.Position, Key: f.Key, Message: f.Message, Hint: hint}
}

// quote writes a word for a shell (POSIX, Shell Command Language: Quoting).
func quote(word string) string {
	plain := strings.TrimFunc(word, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%=,", r)
	})
	if plain == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
