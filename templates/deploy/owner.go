package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is a user and a group by number; -1 leaves either unchanged.
type owner struct{ uid, gid int }

// Own makes a tenant's files belong to the user by whom its PHP runs, instead of
// web.user. Call it before anything is written.
func (d *Deployer) Own(tenant, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	var o owner
	o.uid, _ = strconv.Atoi(u.Uid)
	o.gid, _ = strconv.Atoi(u.Gid)
	if o.uid == 0 {
		return fmt.Errorf("%s is root, by whom php-fpm runs no pool: name another user", name)
	}
	if !d.look && os.Geteuid() != 0 {
		return fmt.Errorf("files of %s can only be made by root: run wikictl as root", name)
	}
	d.own[tenant] = o
	return nil
}

// ownerOf returns the user and the group by whom a tenant's PHP runs, and whether they
// are its own.
func (d *Deployer) ownerOf(tenant string) (o owner, own bool) {
	if o, own = d.own[tenant]; own {
		return o, true
	}
	return owner{d.uid, d.gid}, false
}

// groupOf returns the group that reads a tenant's settings.
func (d *Deployer) groupOf(tenant string) int {
	o, _ := d.ownerOf(tenant)
	return o.gid
}

// ownFolder makes a folder of a tenant that its PHP writes. The web server reads uploads.
func (d *Deployer) ownFolder(tenant, path string) error {
	o, own := d.ownerOf(tenant)
	if own && path == d.layout.Images(tenant) {
		o.gid = d.gid
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := handOver(path, o); err != nil {
		return err
	}
	_, err := folder(path, 0o750, o.uid, o.gid)
	return err
}

// passage makes a folder on the path to a tenant's files. The web server and a tenant's
// own user share no group, so both enter it by the permissions of others; the folders in
// it are closed.
func (d *Deployer) passage(tenant, path string) (made bool, err error) {
	made, err = folder(path, 0o750, -1, d.gid)
	if _, own := d.own[tenant]; !own || err != nil {
		return made, err
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o001 != 0 {
		return made, err
	}
	return made, os.Chmod(path, info.Mode().Perm()|0o001)
}

// handOver gives a folder and its content to another user. It changes the folder itself
// last, so that an interrupted run is repeated.
func handOver(path string, o owner) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.IsDir() || o.uid < 0 || int(info.Sys().(*syscall.Stat_t).Uid) == o.uid) {
		return nil
	}
	if err != nil {
		return err
	}
	err = filepath.WalkDir(path, func(below string, _ fs.DirEntry, err error) error {
		if err != nil || below == path {
			return ignoreAbsent(err)
		}
		return ignoreAbsent(os.Lchown(below, o.uid, -1))
	})
	if err != nil {
		return err
	}
	return os.Chown(path, o.uid, o.gid)
}

// handOverWiki gives a tenant's uploads, caches and settings to the user by whom its PHP
// runs now. Earlier releases hold the same passwords as the current one.
func (d *Deployer) handOverWiki(tenant string) error {
	for _, path := range []string{d.layout.Images(tenant), d.layout.Cache(tenant)} {
		if !Exists(path) { // an empty uploads folder would hide that the uploads were lost
			continue
		}
		if err := d.ownFolder(tenant, path); err != nil {
			return err
		}
	}
	numbers, err := d.Releases(tenant)
	for _, n := range numbers {
		dir := d.layout.Release(tenant, n)
		_, passed := d.passage(tenant, dir)
		err = errors.Join(err, passed, ignoreAbsent(chgrp(filepath.Join(dir, settingsFile), d.groupOf(tenant))))
	}
	return err
}

// chgrp sets the group of a file, if it differs; -1 sets none.
func chgrp(path string, gid int) error {
	info, err := os.Lstat(path)
	if err != nil || gid < 0 || int(info.Sys().(*syscall.Stat_t).Gid) == gid {
		return err
	}
	return os.Lchown(path, -1, gid)
}
