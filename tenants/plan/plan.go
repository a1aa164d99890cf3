// Package plan describes the planned work of a command in one form for every command: for
// each tenant, the actions and the problems that block it. It is pure: it knows no
// server, file or terminal.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind classifies an Entry.
type Kind string

// Kinds of entries.
const (
	Make      Kind = "make"     // defined, but missing or unfinished
	Change    Kind = "change"   // files or accounts differ from the definition
	Rename    Kind = "rename"   // it exists under a name that is no longer defined
	Upgrade   Kind = "upgrade"  // requires wikictl upgrade
	Rollback  Kind = "rollback" // undo its last upgrade
	Undelete  Kind = "undelete" // bring back a removed tenant
	Backup    Kind = "backup"   // make a backup of it
	Restore   Kind = "restore"  // replace or create it from a backup
	Clone     Kind = "clone"    // create it as a copy of another
	Delete    Kind = "delete"   // remove it together with its definition
	Purge     Kind = "purge"    // delete the files of a removed tenant
	Blocked   Kind = "blocked"  // requires a repair first
	Undefined Kind = "left"     // it exists, but is not defined
	Remark    Kind = "remark"   // no action, but worth knowing
)

// Entry is one action, problem or remark about a tenant.
type Entry struct {
	Kind Kind   `json:"kind"`
	What string `json:"what"`           // a sentence without a full stop
	Diff string `json:"diff,omitempty"` // of a file, unified, secrets masked
}

// Tenant is the plan for one tenant.
type Tenant struct {
	Name    string  `json:"name"`
	From    string  `json:"from,omitempty"` // its name in the ledger, if it is to be renamed
	Entries []Entry `json:"entries"`
	Details any     `json:"details,omitempty"` // figures of one command, for programs
}

// Add appends an entry.
func (t *Tenant) Add(k Kind, format string, args ...any) {
	t.Entries = append(t.Entries, Entry{Kind: k, What: fmt.Sprintf(format, args...)})
}

// Is reports whether the tenant has entries of a kind.
func (t *Tenant) Is(k Kind) bool {
	return slices.ContainsFunc(t.Entries, func(e Entry) bool { return e.Kind == k })
}

// Differs reports whether the tenant requires an action or is blocked.
func (t *Tenant) Differs() bool {
	return slices.ContainsFunc(t.Entries, func(e Entry) bool { return e.Kind != Remark })
}

// Err returns the problems that block the tenant, one line each, or nil.
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

// Leftover lists the existing parts of a tenant that is no longer defined.
type Leftover struct {
	Name    string   `json:"name"`
	Items   []string `json:"items"`             // removed by a removal; files move to state/removed
	Kept    []string `json:"kept,omitempty"`    // kept, as it is not the tenant's
	Problem string   `json:"problem,omitempty"` // why it can't be removed
}

// Plan is the planned work of a command.
type Plan struct {
	Tenants   []*Tenant   `json:"tenants"`           // those that differ or have remarks
	Farm      []Entry     `json:"farm"`              // for no tenant
	Leftovers []*Leftover `json:"left"`              // by name; only in a plan for the whole farm
	Unseen    []string    `json:"unseen"`            // what could not be read, a sentence each without a full stop
	Notes     []string    `json:"notes"`             // about the whole plan, a sentence each without a full stop
	Unchanged int         `json:"-"`                 // number of tenants without entries
	Digest    string      `json:"digest,omitempty"`  // changes with the planned work
	Details   any         `json:"details,omitempty"` // figures of one command, for programs
}

// Count returns how many tenants have entries of a kind.
func (p *Plan) Count(k Kind) int {
	if k == Undefined {
		return len(p.Leftovers)
	}
	n := 0
	for _, t := range p.Tenants {
		if t.Is(k) {
			n++
		}
	}
	return n
}

// Empty reports whether there is no work, as far as the farm could be read.
func (p *Plan) Empty() bool {
	return len(p.Farm)+len(p.Leftovers) == 0 && !slices.ContainsFunc(p.Tenants, (*Tenant).Differs)
}

// Differs reports whether there is work, or something could not be read.
func (p *Plan) Differs() bool { return !p.Empty() || len(p.Unseen) > 0 }

// Blocked reports whether a tenant, or a file of the farm as a whole, is blocked.
func (p *Plan) Blocked() bool {
	return p.Count(Blocked) > 0 || slices.ContainsFunc(p.Farm, func(e Entry) bool { return e.Kind == Blocked })
}

// Stuck reports whether a leftover can't be removed.
func (p *Plan) Stuck() bool {
	return slices.ContainsFunc(p.Leftovers, func(l *Leftover) bool { return l.Problem != "" })
}

// Moment returns a time for JSON: null if zero.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
