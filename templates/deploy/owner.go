package deploy

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"wikictl/templates/deploy/permissions"
	"wikictl/tenants/disk"
)

// Own makes a tenant's files belong to the user as whom its PHP runs, instead of to
// web.user. Call it before anything is written.
func (d *Deployer) Own(tenant, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	var o permissions.Owner
	o.UID, _ = strconv.Atoi(u.Uid)
	o.GID, _ = strconv.Atoi(u.Gid)
	if o.UID == 0 {
		return fmt.Errorf("%s is root, and php-fpm runs no pool as root: name another user", name)
	}
	if !d.reader && os.Geteuid() != 0 {
		return fmt.Errorf("only root can make files of %s: run wikictl as root", name)
	}
	d.own[tenant] = o
	return nil
}

// ownerOf returns the user and the group as whom a tenant's PHP runs. own reports whether the
// user is the tenant's own.
func (d *Deployer) ownerOf(tenant string) (o permissions.Owner, own bool) {
	if o, own = d.own[tenant]; own {
		return o, true
	}
	return permissions.Owner{UID: d.uid, GID: d.gid}, false
}

// groupOf returns the group that reads a tenant's settings.
func (d *Deployer) groupOf(tenant string) int {
	o, _ := d.ownerOf(tenant)
	return o.GID
}

// ownFolder makes a folder of a tenant that its PHP writes to. The web server may read uploads.
func (d *Deployer) ownFolder(tenant, path string) error {
	o, own := d.ownerOf(tenant)
	if own && path == d.layout.Images(tenant) {
		o.GID = d.gid
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := permissions.HandOver(path, o); err != nil {
		return err
	}
	_, err := permissions.Folder(path, 0o750, o.UID, o.GID)
	return err
}

// passage makes a folder on the path to a tenant's files. The web server and a tenant's own
// user share no group, so the folder lets all users enter, and the folders in it let none.
func (d *Deployer) passage(tenant, path string) (made bool, err error) {
	made, err = permissions.Folder(path, 0o750, -1, d.gid)
	if _, own := d.own[tenant]; !own || err != nil {
		return made, err
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o001 != 0 {
		return made, err
	}
	return made, os.Chmod(path, info.Mode().Perm()|0o001)
}

// handOverWiki gives a tenant's uploads, caches and settings, with the files that these read, to
// the user as whom its PHP runs now. That includes the settings of earlier releases, which hold the same passwords.
func (d *Deployer) handOverWiki(tenant string) error {
	for _, path := range []string{d.layout.Images(tenant), d.layout.Cache(tenant)} {
		if !Exists(path) { // an empty uploads folder would hide that the uploads were lost
			continue
		}
		if err := d.ownFolder(tenant, path); err != nil {
			return err
		}
	}
	for _, path := range []string{d.layout.CacheEpoch(tenant), d.layout.ReadOnly(tenant), d.layout.Requests(tenant, false), d.layout.Requests(tenant, true)} {
		if err := disk.IgnoreAbsent(permissions.Chgrp(path, d.groupOf(tenant))); err != nil {
			return err
		}
	}
	numbers, err := d.Releases(tenant)
	for _, n := range numbers {
		dir := d.layout.Release(tenant, n)
		_, passed := d.passage(tenant, dir)
		err = errors.Join(err, passed, disk.IgnoreAbsent(permissions.Chgrp(filepath.Join(dir, settingsFile), d.groupOf(tenant))))
	}
	return err
}
