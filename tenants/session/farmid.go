package session

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/pelletier/go-toml/v2"
)

// Identity distinguishes a farm from all others on the same servers. It is created once,
// and stored in state/farm.toml and in the ledger.
type Identity struct {
	ID  string `toml:"id" comment:"made once; the ledger, the databases and the accounts of this farm are known by it"`
	Dir string `toml:"dir" comment:"the folder of the farm's definitions. Change it when you move that folder: no other\nfolder's definitions may be applied to this state."`
}

var identityID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// newIdentity returns a new identity for the definitions in a folder.
func newIdentity(dir string) Identity {
	b := make([]byte, 8)
	rand.Read(b)
	return Identity{ID: hex.EncodeToString(b), Dir: dir}
}

// Encode returns the content of state/farm.toml.
func (i Identity) Encode() ([]byte, error) { return toml.Marshal(i) }

// decodeIdentity decodes the content of state/farm.toml.
func decodeIdentity(data []byte) (Identity, error) {
	var i Identity
	if err := toml.Unmarshal(data, &i); err != nil {
		return i, err
	}
	if !identityID.MatchString(i.ID) {
		return i, fmt.Errorf("id %q is not 16 digits 0-9 and a-f", i.ID)
	}
	if !filepath.IsAbs(i.Dir) {
		return i, fmt.Errorf("dir %q is not an absolute path", i.Dir)
	}
	return i, nil
}

// ErrOtherFolder reports that a state folder belongs to definitions in another folder.
var ErrOtherFolder = errors.New("the state folder belongs to other definitions")

// Check returns an error that wraps ErrOtherFolder if the identity was made for
// definitions in another folder than dir. Another path to the same folder is accepted.
func (i Identity) Check(dir, file string) error {
	if i.Dir == dir || sameFolder(i.Dir, dir) {
		return nil
	}
	return fmt.Errorf("%w: %s is of the definitions in %s, and these are in %s; nothing was done"+
		"\n(use the definitions there, or another state folder; when the farm was moved, set dir = %q in %s)",
		ErrOtherFolder, filepath.Dir(file), i.Dir, dir, dir, file)
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
