// Package permissions sets and compares the modes and owners of files and folders. It knows
// neither tenants nor releases.
package permissions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Rights are the actual and the wanted mode and owner of a file or a folder.
type Rights struct {
	Path     string
	Mode     fs.FileMode // permission bits
	WantMode fs.FileMode // the nearest sufficient mode
	UID, GID int
	WantUID  int // -1: any user
	WantGID  int // -1: any group

	Most, Least fs.FileMode // WantMode is the actual mode within these
	Needed      bool        // Inspect reports the path if it is missing
}

// WrongMode reports whether the mode differs from the wanted one.
func (r Rights) WrongMode() bool { return r.Mode != r.WantMode }

// WrongOwner reports whether user or group differs from the wanted one.
func (r Rights) WrongOwner() bool {
	return (r.WantUID >= 0 && r.UID != r.WantUID) || (r.WantGID >= 0 && r.GID != r.WantGID)
}

// Inspect stats each path and returns those with a wrong mode or owner, and the
// required paths that are missing or are dangling links.
func Inspect(all []Rights) (wrong []Rights, missing []string, err error) {
	for _, r := range all {
		info, err := os.Stat(r.Path)
		if errors.Is(err, fs.ErrNotExist) {
			if r.Needed { // a missing path that is not needed is no fault of rights
				missing = append(missing, r.Path)
			}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		have := info.Sys().(*syscall.Stat_t)
		r.Mode, r.UID, r.GID = info.Mode().Perm(), int(have.Uid), int(have.Gid)
		r.WantMode = r.Mode&r.Most | r.Least
		if r.WrongMode() || r.WrongOwner() {
			wrong = append(wrong, r)
		}
	}
	return wrong, missing, nil
}

// ModeText describes a wrong mode.
func (r Rights) ModeText() string { return fmt.Sprintf("has mode %04o, not %04o", r.Mode, r.WantMode) }

// OwnerText names the actual and the wanted owner.
func (r Rights) OwnerText() string {
	return fmt.Sprintf("belongs to %s, not %s", r.owner(r.UID, r.GID), r.owner(r.WantUID, r.WantGID))
}

// RepairText describes the changes that Set makes.
func (r Rights) RepairText() string {
	var does []string
	if r.WrongOwner() {
		does = append(does, "give it to "+r.owner(r.WantUID, r.WantGID))
	}
	if r.WrongMode() {
		does = append(does, fmt.Sprintf("set mode %04o", r.WantMode))
	}
	return strings.Join(does, ", ")
}

// Set gives the file its wanted owner and mode.
func (r Rights) Set() error {
	if r.WrongOwner() {
		if err := os.Chown(r.Path, r.WantUID, r.WantGID); err != nil {
			return err
		}
	}
	return os.Chmod(r.Path, r.WantMode) // after chown, which clears mode bits
}

// owner formats a user and a group by name, as far as they are wanted.
func (r Rights) owner(uid, gid int) string {
	var parts []string
	if r.WantUID >= 0 {
		name := strconv.Itoa(uid)
		if u, err := user.LookupId(name); err == nil {
			name = u.Username
		}
		parts = append(parts, "user "+name)
	}
	if r.WantGID >= 0 {
		name := strconv.Itoa(gid)
		if g, err := user.LookupGroupId(name); err == nil {
			name = g.Name
		}
		parts = append(parts, "group "+name)
	}
	return strings.Join(parts, ", ")
}
