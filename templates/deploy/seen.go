package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Seen is the release from which a tenant was last seen to answer. While it is served
// from another, it is not known yet whether that one works.
type Seen struct {
	Release int             `json:"release"`
	Answer  json.RawMessage `json:"answer,omitempty"` // what it answered, in the words of who asked
}

// Seen reads what NoteSeen wrote; the zero Seen where nothing was ever noted.
func (d *Deployer) Seen(tenant string) (s Seen, err error) {
	path := d.layout.Seen(tenant)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// NoteSeen keeps which release a tenant was seen to answer from. It stays on disk, with
// all its files, until another one is noted.
func (d *Deployer) NoteSeen(tenant string, s Seen) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return WriteFile(d.layout.Seen(tenant), data, 0o600, -1)
}

// noteServed makes sure, before a tenant is served from another release, that the one
// it is served from is noted, where nothing was noted yet.
func (d *Deployer) noteServed(tenant string, release int) error {
	if release == 0 || Exists(d.layout.Seen(tenant)) {
		return nil
	}
	return d.NoteSeen(tenant, Seen{Release: release})
}

// SameCode reports whether two releases of a tenant run on one codebase.
func (d *Deployer) SameCode(tenant string, one, other int) (bool, error) {
	first, err1 := d.Core(tenant, one)
	second, err2 := d.Core(tenant, other)
	return first == second && first != "", errors.Join(err1, err2)
}
