package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wikictl/templates/deploy"
)

// phase is how far a restore has come.
type phase string

const (
	beginning phase = ""         // nothing of the tenant was changed for good
	changing  phase = "changing" // what it held goes
	changed   phase = "changed"  // it holds what it shall; only serving it is left
)

// journal is what a restore has to know to be finished by another run.
type journal struct {
	Run     string `json:"run"`     // that began it
	Archive string `json:"archive"` // file that is restored
	Only    Only   `json:"only,omitempty"`
	Fresh   bool   `json:"fresh,omitempty"`  // the tenant did not exist before
	Keys    bool   `json:"keys,omitempty"`   // it gets passwords and keys of its own
	Of      string `json:"of,omitempty"`     // it is a clone of this tenant
	Masked  bool   `json:"masked,omitempty"` // without what is private of users
	Safety  string `json:"safety,omitempty"` // archive of what it held before
	Phase   phase  `json:"phase,omitempty"`
}

const journalFile = "restore.json"

// readJournal reads what an earlier run wrote; the error is fs.ErrNotExist when there is
// none.
func (k *task) readJournal() (j journal, err error) {
	path := filepath.Join(k.Layout.Restoring(k.tenant.Name), journalFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return j, err
}

// noteJournal makes a journal last.
func (k *task) noteJournal(j journal) error {
	dir := k.Layout.Restoring(k.tenant.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return deploy.WriteFile(filepath.Join(dir, journalFile), append(data, '\n'), 0o600, -1)
}
