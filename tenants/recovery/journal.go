package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// phase is the progress of a restore.
type phase string

const (
	beginning phase = ""         // the tenant is unchanged
	changing  phase = "changing" // its content is being replaced
	changed   phase = "changed"  // its content is replaced; serving it remains
)

// journal records what another run needs to finish a restore.
type journal struct {
	Run         string   `json:"run"`     // run that began the restore
	Archive     string   `json:"archive"` // file to restore
	Only        Only     `json:"only,omitempty"`
	Fresh       bool     `json:"fresh,omitempty"`        // the tenant is new
	Keys        bool     `json:"keys,omitempty"`         // it gets new passwords and keys
	Of          string   `json:"of,omitempty"`           // the tenant it is a clone of
	Masked      bool     `json:"masked,omitempty"`       // mask private data of users
	Safety      string   `json:"safety,omitempty"`       // archive of its earlier content
	SkipDamaged bool     `json:"skip_damaged,omitempty"` // restore without uploads that are damaged in the archive
	Lost        []string `json:"lost,omitempty"`         // paths of those
	Phase       phase    `json:"phase,omitempty"`
}

// goesOn returns the command that finishes the restore of a tenant.
func (j journal) goesOn(t *tenants.Tenant) string {
	row := ledger.Tenant{Name: t.Name, State: ledger.Recovering}
	return row.Completion(session.CopyOf(t, j.Of, j.Masked)) + " continues"
}

// readJournal reads the journal of an earlier run. The error is fs.ErrNotExist if there
// is none.
func (k *task) readJournal() (j journal, err error) {
	path := k.Layout.RestoreJournal(k.tenant.Name)
	data, err := disk.Read(path)
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return j, err
}

// noteJournal writes a journal durably.
func (k *task) noteJournal(j journal) error {
	path := k.Layout.RestoreJournal(k.tenant.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return deploy.WriteFile(path, append(data, '\n'), 0o600, -1)
}
