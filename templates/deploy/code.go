package deploy

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// CodeInspection is what a MediaWiki tree lets the web server's user do.
type CodeInspection struct {
	Writable []string // files and folders that it may write
	Settings string   // a LocalSettings.php in the tree; empty: there is none
}

// codeFiles are the files and folders of a tree that InspectCode looks at, besides
// the folder of each extension and skin: what PHP runs first, and where most of
// the rest is.
var codeFiles = []string{
	"", "includes", "languages", "maintenance", "resources", "vendor", "extensions", "skins",
	"index.php", "api.php", "load.php", "vendor/autoload.php", "includes/WebStart.php", "includes/Setup.php", "includes/Defines.php",
}

// InspectCode looks at some hundred files of the tree at root, not at all of them.
// Where php-fpm runs as the user of wikictl, only files that everyone may write count.
func (d *Deployer) InspectCode(root string) (i CodeInspection, err error) {
	groups := d.webGroups()
	paths := slices.Clone(codeFiles)
	for _, folder := range []string{"extensions", "skins"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if ignoreAbsent(err) != nil {
			return i, err
		}
		for _, e := range entries {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	for _, name := range paths {
		path := filepath.Join(root, name)
		info, err := os.Stat(path)
		if ignoreAbsent(err) != nil {
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

// webWrites reports whether the permission bits let the web server's user write.
func (d *Deployer) webWrites(info fs.FileInfo, groups []int) bool {
	have, mode := info.Sys().(*syscall.Stat_t), info.Mode().Perm()
	for _, o := range d.own { // tenants' own users
		if int(have.Uid) == o.uid || mode&0o020 != 0 && int(have.Gid) == o.gid {
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

// webGroups are the groups that the web server's user is in.
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
