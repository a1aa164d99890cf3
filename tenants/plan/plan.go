// Package plan is what a command would do, in one form for every command: by tenant,
// what would be done and what blocks it. It is pure: it knows no server, no file and no
// terminal.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind classifies an Entry.
type Kind string

// Kinds of entries.
const (
	Make     Kind = "make"     // it is defined, and does not exist or is not finished
	Change   Kind = "change"   // files or accounts differ from the definition
	Rename   Kind = "rename"   // it exists under a name that is not defined any more
	Upgrade  Kind = "upgrade"  // only wikictl upgrade does it
	Rollback Kind = "rollback" // its last upgrade is undone
	Undelete Kind = "undelete" // it was removed and comes back
	Backup   Kind = "backup"   // a backup is made of it
	Restore  Kind = "restore"  // a backup replaces it, or makes it
	Clone    Kind = "clone"    // it is made as a copy of another
	Delete   Kind = "delete"   // it is removed, with the file that defines it
	Purge    Kind = "purge"    // what was removed of it goes for good
	Blocked  Kind = "blocked"  // nothing can be done before this is repaired
	Left     Kind = "left"     // it exists, and nothing defines it
	Remark   Kind = "remark"   // nothing is to be done, but worth knowing
)

// Entry is one thing to do about a tenant, to block it, or to know of it.
type Entry struct {
	Kind Kind   `json:"kind"`
	What string `json:"what"`           // a sentence without a full stop
	Diff string `json:"diff,omitempty"` // of a file, unified, secrets masked
}

// Tenant is one tenant that a Plan is about.
type Tenant struct {
	Name    string  `json:"name"`
	From    string  `json:"from,omitempty"` // its name in the ledger, when it is renamed
	Entries []Entry `json:"entries"`
	Details any     `json:"details,omitempty"` // figures of one command, for programs
}

// Add appends an entry.
func (t *Tenant) Add(k Kind, format string, args ...any) {
	t.Entries = append(t.Entries, Entry{Kind: k, What: fmt.Sprintf(format, args...)})
}

// Is reports whether there are entries of a kind.
func (t *Tenant) Is(k Kind) bool {
	return slices.ContainsFunc(t.Entries, func(e Entry) bool { return e.Kind == k })
}

// Differs reports whether there is something to do about the tenant, or it is blocked.
func (t *Tenant) Differs() bool {
	return slices.ContainsFunc(t.Entries, func(e Entry) bool { return e.Kind != Remark })
}

// Err returns what blocks the tenant, a line for each entry; nil when nothing does.
func (t *Tenant) Err() error {
	var lines []string
	for _, e := range t.Entries {
		if e.Kind == Blocked {
			lines = append(lines, e.What)
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Leftover is what wikictl made for a tenant that nothing defines any more.
type Leftover struct {
	Name    string   `json:"name"`
	Items   []string `json:"items"`             // what a removal takes away; files move to state/removed
	Kept    []string `json:"kept,omitempty"`    // what stays, as it is not the tenant's
	Problem string   `json:"problem,omitempty"` // why it can't be removed
}

// Plan is what a command would do.
type Plan struct {
	Tenants   []*Tenant   `json:"tenants"`           // that differ or have remarks
	Farm      []Entry     `json:"farm"`              // of no tenant
	Left      []*Leftover `json:"left"`              // by name; only of a plan for the whole farm
	Unseen    []string    `json:"unseen"`            // what could not be read, a sentence each without a full stop
	Notes     []string    `json:"notes"`             // about the whole, a sentence each without a full stop
	Unchanged int         `json:"-"`                 // how many tenants have no entries
	Digest    string      `json:"digest,omitempty"`  // changes with what would be done
	Details   any         `json:"details,omitempty"` // figures of one command, for programs
}

// Count returns how many tenants have entries of a kind.
func (p *Plan) Count(k Kind) int {
	if k == Left {
		return len(p.Left)
	}
	n := 0
	for _, t := range p.Tenants {
		if t.Is(k) {
			n++
		}
	}
	return n
}

// Empty reports whether there is nothing to do, as far as it could be seen.
func (p *Plan) Empty() bool {
	return len(p.Farm)+len(p.Left) == 0 && !slices.ContainsFunc(p.Tenants, (*Tenant).Differs)
}

// Differs reports whether there is something to do, or something that could not be read.
func (p *Plan) Differs() bool { return !p.Empty() || len(p.Unseen) > 0 }

// Blocked reports whether a tenant is blocked.
func (p *Plan) Blocked() bool { return p.Count(Blocked) > 0 }

// Stuck reports whether a leftover can't be removed.
func (p *Plan) Stuck() bool {
	return slices.ContainsFunc(p.Left, func(l *Leftover) bool { return l.Problem != "" })
}
