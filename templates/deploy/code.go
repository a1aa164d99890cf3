package deploy

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"wikictl/tenants/disk"
)

// CodeInspection lists the weaknesses of a MediaWiki tree towards the web server's user.
type CodeInspection struct {
	Writable []string // files and folders that this user may write
	Settings string   // path of a LocalSettings.php in the tree; empty: none
}

// codeFiles are the files and folders of a tree that InspectCode checks, besides the
// folder of each extension and skin: the files that PHP runs first, and the largest
// folders.
var codeFiles = []string{
	"", "includes", "languages", "maintenance", "resources", "vendor", "extensions", "skins",
	"index.php", "api.php", "load.php", "vendor/autoload.php", "includes/WebStart.php", "includes/Setup.php", "includes/Defines.php",
}

// InspectCode checks a few hundred files of the tree at root, not all of them. If php-fpm
// runs as the user of wikictl, it reports only files that everyone may write.
func (d *Deployer) InspectCode(root string) (i CodeInspection, err error) {
	groups := d.webGroups()
	paths := slices.Clone(codeFiles)
	for _, folder := range []string{"extensions", "skins"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if disk.IgnoreAbsent(err) != nil {
			return i, err
		}
		for _, e := range entries {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	for _, name := range paths {
		path := filepath.Join(root, name)
		info, err := os.Stat(path)
		if disk.IgnoreAbsent(err) != nil {
			return i, err
		}
		if err == nil && d.webWrites(info, groups) {
			i.Writable = append(i.Writable, path)
		}
	}
	if path := filepath.Join(root, settingsFile); Exists(path) {
		i.Settings = path
	}
	return i, nil
}

// webWrites reports whether the permission bits let the user of php-fpm, or a tenant's own
// user, write.
func (d *Deployer) webWrites(info fs.FileInfo, groups []int) bool {
	have, mode := info.Sys().(*syscall.Stat_t), info.Mode().Perm()
	for _, o := range d.own { // tenants' own users
		if int(have.Uid) == o.UID || mode&0o020 != 0 && int(have.Gid) == o.GID {
			return true
		}
	}
	switch {
	case mode&0o002 != 0:
		return true
	case d.uid < 0:
		return false
	case int(have.Uid) == d.uid:
		return true // its owner may change the mode
	}
	return mode&0o020 != 0 && slices.Contains(groups, int(have.Gid))
}

// webGroups lists the groups of the web server's user.
func (d *Deployer) webGroups() []int {
	groups := []int{d.gid}
	u, err := user.LookupId(strconv.Itoa(d.uid))
	if err != nil {
		return groups
	}
	ids, err := u.GroupIds()
	if err != nil {
		return groups
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			groups = append(groups, n)
		}
	}
	return groups
}
