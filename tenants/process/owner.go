package process

import (
	"errors"
	"os"
	"os/user"
	"strconv"
)

// Owner is a user and group by their numbers; the zero value is whoever runs wikictl.
type Owner struct{ UID, GID int }

// LookupOwner finds a user by name; none where wikictl is not run by root, which alone
// can start programs as somebody else.
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
