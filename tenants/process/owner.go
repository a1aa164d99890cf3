package process

import (
	"errors"
	"os"
	"os/user"
	"strconv"
)

// Owner is a user and group by number; the zero value stands for the user who runs
// wikictl.
type Owner struct {
	UID, GID int
	Groups   []uint32 // all groups of the user, as php-fpm's workers have them
}

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
	return Owner{uid, gid, groupsOf(u)}, errors.Join(err1, err2)
}

// groupsOf returns all groups of a user, or none if they can't be listed.
func groupsOf(u *user.User) (groups []uint32) {
	ids, err := u.GroupIds()
	if err != nil {
		return nil
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return groups
}
