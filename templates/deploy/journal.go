package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// swap is one tenant's change of what is served, written down before it is made
// so that a later run can finish or undo it.
type swap struct {
	Tenant string `json:"tenant"`
	From   int    `json:"from"` // zero: there was none
	To     int    `json:"to"`
	Vhost  Kind   `json:"vhost,omitempty"` // what becomes of the installed file; empty: nothing
	Pool   Kind   `json:"pool,omitempty"`
	Other  Kind   `json:"other,omitempty"` // of the part that the tenant had before web.vhosts was changed
	Out    bool   `json:"out,omitempty"`   // only taken out of what the web server includes: its releases are left alone
}

// journal is every change that no successful check and reload has followed yet.
type journal struct {
	Swaps       []swap     `json:"swaps"`
	Default     Kind       `json:"default,omitempty"`
	DefaultData []byte     `json:"default_data,omitempty"` // what the new one holds
	Files       []fileSwap `json:"files,omitempty"`
	Done        bool       `json:"done,omitempty"` // only settling is left: what an undoing needs may be gone
}

func (d *Deployer) journalPath() string { return d.layout.Journal() }

// readJournal returns what a killed run left undone, without the tenants that
// something else has switched since.
func (d *Deployer) readJournal(ctx context.Context) (j journal, err error) {
	data, err := os.ReadFile(d.journalPath())
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil {
		return j, fmt.Errorf("%s: %w", d.journalPath(), err)
	}
	if j.Done {
		return journal{}, d.clean(ctx, j)
	}
	var failed error
	j.Swaps = slices.DeleteFunc(j.Swaps, func(s swap) bool {
		if s.Out {
			return false
		}
		current, err := d.Current(s.Tenant)
		failed = errors.Join(failed, err)
		if current == s.To {
			return false
		}
		// Never begun, or overtaken: nothing of it is to be undone.
		failed = errors.Join(failed, d.forget(s))
		return true
	})
	return j, failed
}

// writeJournal makes the journal last before the first change.
func (d *Deployer) writeJournal(j journal) error {
	data, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return WriteFile(d.journalPath(), data, 0o600, -1)
}

// merge adds a swap of this run to those that an earlier one left: what is to
// come back when the check fails is what was there before both.
func (j *journal) merge(more []swap) {
	at := map[string]int{}
	for i, s := range j.Swaps {
		at[s.Tenant] = i
	}
	for _, s := range more {
		i, left := at[s.Tenant]
		if !left {
			j.Swaps = append(j.Swaps, s)
			continue
		}
		old := &j.Swaps[i]
		if old.Out {
			old.From, old.Out = s.From, false
		}
		old.To = s.To
		old.Vhost, old.Pool, old.Other = mergeKind(old.Vhost, s.Vhost), mergeKind(old.Pool, s.Pool), mergeKind(old.Other, s.Other)
	}
}

func mergeKind(first, second Kind) Kind {
	switch {
	case first == "":
		return second
	case second == "":
		return first
	case first == Add && second == Delete, second == Delete:
		return Delete // what was added is not kept for an undoing
	case first == Add:
		return Add
	}
	return Edit
}

// apply makes one swap. It can be made again.
func (d *Deployer) apply(s swap) error {
	if !s.Out {
		if err := d.noteServed(s.Tenant, s.From); err != nil {
			return err
		}
		if err := d.bringRelease(s); err != nil {
			return err
		}
	}
	parts := d.parts(s.Tenant, s.To)
	return errors.Join(bring(parts[0], s.Vhost), bring(parts[1], s.Pool), bring(parts[2], s.Other))
}

// bringRelease serves a swap's release unless it is served already.
func (d *Deployer) bringRelease(s swap) error {
	current, err := d.Current(s.Tenant)
	if err != nil || current == s.To {
		return err
	}
	return d.serve(s.Tenant, s.To)
}

// bring installs or removes one file and keeps the one that was there.
func bring(p part, kind Kind) error {
	saved := beside(p.installed, "old")
	switch kind {
	case Edit:
		if !Exists(saved) {
			if err := os.Link(p.installed, saved); ignoreAbsent(err) != nil {
				return err
			}
		}
		return install(p.source, p.installed)
	case Add:
		return add(p.source, p.installed)
	case Delete:
		if Exists(saved) {
			return remove(p.installed)
		}
		return ignoreAbsent(os.Rename(p.installed, saved))
	}
	return nil
}

// undo takes one swap back, last things first.
func (d *Deployer) undo(s swap) error {
	parts := d.parts(s.Tenant, s.To)
	err := errors.Join(takeBack(parts[2].installed, s.Other), takeBack(parts[1].installed, s.Pool), takeBack(parts[0].installed, s.Vhost))
	if s.Out || s.From == s.To {
		return err
	}
	return errors.Join(err, d.serve(s.Tenant, s.From))
}

func takeBack(path string, kind Kind) error {
	if kind == "" {
		return nil
	}
	saved := beside(path, "old")
	if kind == Add {
		return remove(path)
	}
	if !Exists(saved) {
		return nil // not begun
	}
	if err := os.Rename(saved, path); err != nil {
		return err
	}
	return remove(saved) // rename leaves both names of one file
}

// forget removes what a swap kept for its undoing.
func (d *Deployer) forget(s swap) error {
	var err error
	for i, p := range d.parts(s.Tenant, s.To) {
		if kind := [3]Kind{s.Vhost, s.Pool, s.Other}[i]; kind == "" || kind == Add {
			continue
		}
		for _, suffix := range []string{"old", "new"} {
			err = errors.Join(err, remove(beside(p.installed, suffix)))
		}
	}
	return err
}
