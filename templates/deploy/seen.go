package deploy

import (
	"encoding/json"
	"errors"
)

// Seen is the release from which a tenant last answered. If another release is current, it is
// not known whether that one works.
type Seen struct {
	Release int             `json:"release"`
	Answer  json.RawMessage `json:"answer,omitempty"` // its answer, in the caller's form
}

// Seen reads the record of NoteSeen; without one it returns the zero Seen.
func (d *Deployer) Seen(tenant string) (s Seen, err error) {
	err = readRecord(d.layout.Seen(tenant), &s)
	return s, err
}

// NoteSeen records the release from which a tenant answered. Its files stay on disk until
// another one is recorded.
func (d *Deployer) NoteSeen(tenant string, s Seen) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return WriteFile(d.layout.Seen(tenant), data, 0o600, -1)
}

// noteServed records the current release before a switch, if no release was recorded yet.
func (d *Deployer) noteServed(tenant string, release int) error {
	if release == 0 || Exists(d.layout.Seen(tenant)) {
		return nil
	}
	return d.NoteSeen(tenant, Seen{Release: release})
}

// SameCode reports whether two releases of a tenant run on the same codebase.
func (d *Deployer) SameCode(tenant string, one, other int) (bool, error) {
	first, err1 := d.Core(tenant, one)
	second, err2 := d.Core(tenant, other)
	return first == second && first != "", errors.Join(err1, err2)
}
