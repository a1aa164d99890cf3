package process

import (
	"errors"
	"os"
	"os/user"
	"strconv"
)

// Owner is a user and group by number; the zero value stands for the user who runs
// wikictl.
type Owner struct{ UID, GID int }

// LookupOwner finds a user by name. It returns the zero Owner unless wikictl runs as
// root, which alone can start programs as another user.
func LookupOwner(name string) (Owner, error) {
	if name == "" || os.Geteuid() != 0 {
		return Owner{}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return Owner{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return Owner{uid, gid}, errors.Join(err1, err2)
}
