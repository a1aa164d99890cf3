package observe

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// inspectFolders checks the folders of the farm from which the web server sends files, and
// returns, by path, why the web server can't read them.
func inspectFolders(w Scope) map[string]error {
	wrong := map[string]error{}
	reader := readerOf(w.Farm.Web)
	check := func(path string) {
		if _, known := wrong[path]; !known {
			wrong[path] = reader.reads(path)
		}
	}
	if w.Farm.Web.ACME != "" {
		check(w.Farm.Web.ACME)
	}
	for _, t := range w.List {
		for _, folder := range t.Static {
			check(filepath.Join(w.Farm.Dir, folder))
		}
	}
	return wrong
}

// reader is a user of the machine and its groups.
type reader struct {
	name   string // empty: the user of wikictl
	uid    uint32
	groups []uint32
}

// readerOf returns the user of php-fpm's workers, which usually is the web server's, too.
func readerOf(w tenants.Web) reader {
	u, err := user.Lookup(w.User)
	if w.User == "" || err != nil {
		return reader{} // another finding reports it
	}
	r := reader{name: w.User}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	r.uid = uint32(uid)
	ids, _ := u.GroupIds()
	for _, id := range append(ids, u.Gid) {
		gid, _ := strconv.ParseUint(id, 10, 32)
		r.groups = append(r.groups, uint32(gid))
	}
	return r
}

// reads returns an error if a user can't read a folder because of its mode or that of one above.
func (r reader) reads(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s: %s", path, disk.Reason(err))
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %s", path, disk.Reason(err))
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case r.name == "" || r.uid == 0:
		return nil
	case !r.may(info, 5):
		return fmt.Errorf("user %s can't read %s, of mode %04o", r.name, path, info.Mode().Perm())
	}
	for above := filepath.Dir(real); above != "/"; above = filepath.Dir(above) {
		if info, err := os.Stat(above); err == nil && !r.may(info, 1) {
			return fmt.Errorf("user %s can't reach %s, because %s has mode %04o", r.name, path, above, info.Mode().Perm())
		}
	}
	return nil
}

// may reports whether a file's mode gives a user the permissions in bits.
func (r reader) may(info fs.FileInfo, bits fs.FileMode) bool {
	return disk.Allows(info, r.uid, r.groups, bits)
}
