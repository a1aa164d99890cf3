package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"wikictl/tenants/disk"
)

// swap is the switch of one tenant from a release to another. It is recorded first, so
// that a later run can finish or undo it.
type swap struct {
	Tenant string `json:"tenant"`
	From   int    `json:"from"` // zero: none
	To     int    `json:"to"`
	Vhost  Kind   `json:"vhost,omitempty"` // change of the installed file; empty: none
	Pool   Kind   `json:"pool,omitempty"`
	Other  Kind   `json:"other,omitempty"` // change of the part from before web.vhosts was changed
	Out    bool   `json:"out,omitempty"`   // remove it from the web server's configuration only; its releases stay
}

// journal lists all changes after which the web server's check and reload have not succeeded
// yet.
type journal struct {
	Swaps       []swap     `json:"swaps"`
	Default     Kind       `json:"default,omitempty"`
	DefaultData []byte     `json:"default_data,omitempty"` // content of the new one
	Hosts       Kind       `json:"hosts,omitempty"`        // change of Layout.HostsVhost
	HostsData   []byte     `json:"hosts_data,omitempty"`
	Files       []fileSwap `json:"files,omitempty"`
	Done        bool       `json:"done,omitempty"` // only the clean-up remains: backups for an undo may be gone
}

func (d *Deployer) journalPath() string { return d.layout.Journal() }

// readJournal returns the unfinished changes of a killed run, except those of tenants
// that were switched again since.
func (d *Deployer) readJournal(ctx context.Context) (j journal, err error) {
	data, err := disk.Read(d.journalPath())
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
		// Never begun, or followed by another change: there is nothing to undo.
		failed = errors.Join(failed, d.forget(s))
		return true
	})
	return j, failed
}

// writeJournal writes the journal durably, before the first change.
func (d *Deployer) writeJournal(j journal) error {
	data, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return WriteFile(d.journalPath(), data, 0o600, -1)
}

// merge adds swaps to those of an interrupted run: an undo restores the state before
// both.
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
		return Delete // there is no backup of an added file
	case first == Add:
		return Add
	}
	return Edit
}

// apply makes one swap. It can be repeated.
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

// bringRelease makes a swap's release the current one, if it is not.
func (d *Deployer) bringRelease(s swap) error {
	current, err := d.Current(s.Tenant)
	if err != nil || current == s.To {
		return err
	}
	return d.serve(s.Tenant, s.To)
}

// bring installs or removes one file and keeps a backup of the earlier one.
func bring(p part, kind Kind) error {
	saved := beside(p.installed, "old")
	switch kind {
	case Edit:
		if !Exists(saved) {
			if err := os.Link(p.installed, saved); disk.IgnoreAbsent(err) != nil {
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
		return disk.IgnoreAbsent(os.Rename(p.installed, saved))
	}
	return nil
}

// undo reverts one swap, in reverse order.
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
	return remove(saved) // rename(2) does nothing for two names of one file
}

// forget removes the backups that a swap made for its undo.
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
