package deploy

import (
	"io/fs"
	"os"
	"path/filepath"

	"wikictl/templates"
	"wikictl/templates/deploy/permissions"
)

// rightsOf lists the wanted rights of a tenant's files and folders: the web server's
// group may read settings, its user owns the folders that PHP writes, and everything is
// closed to others.
func (d *Deployer) rightsOf(tenant string, releases []int) []permissions.Rights {
	l, me, group := d.layout, d.self(), fs.FileMode(0)
	if d.gid >= 0 {
		group = 0o040
	}
	o, own := d.ownerOf(tenant)
	pass := group >> 2
	if own { // the web server and PHP are in no common group
		pass = 0o011
	}
	folder := func(path string) permissions.Rights {
		return permissions.Rights{Path: path, Most: 0o755, Least: 0o700 | pass, WantUID: me, WantGID: d.gid}
	}
	all := []permissions.Rights{
		{Path: l.Secrets(tenant), Most: 0o600, Least: 0o400, WantUID: me, WantGID: -1},
		{Path: l.Backups(tenant), Most: 0o700, Least: 0o700, WantUID: me, WantGID: -1},
		folder(l.Wiki(tenant)), folder(l.Releases(tenant)),
		{Path: l.Images(tenant), Most: 0o755, Least: 0o700, WantUID: o.UID, WantGID: -1, Needed: true},
		{Path: l.Cache(tenant), Most: 0o755, Least: 0o700, WantUID: o.UID, WantGID: -1, Needed: true},
		{Path: l.Vhost(tenant), Most: 0o644, Least: 0o400, WantUID: me, WantGID: -1},
		{Path: l.Pool(tenant), Most: 0o644, Least: 0o400, WantUID: me, WantGID: -1},
	}
	settings := func(path string) permissions.Rights { // and what they read
		return permissions.Rights{Path: path, Most: 0o640, Least: 0o400 | group, WantUID: me, WantGID: o.GID}
	}
	all = append(all, settings(l.CacheEpoch(tenant)), settings(l.Requests(tenant, false)), settings(l.Requests(tenant, true)))
	for _, n := range releases {
		dir := l.Release(tenant, n)
		all = append(all, folder(dir), settings(filepath.Join(dir, settingsFile)))
		if d.web.Kind == "apache" {
			all = append(all, permissions.Rights{Path: filepath.Join(dir, templates.NumberFile), Most: 0o644, Least: 0o400, WantUID: me, WantGID: -1})
		}
	}
	return all
}

// self returns the owner of files that the web server must not write: root if root runs
// wikictl, otherwise any user.
func (d *Deployer) self() int {
	if os.Geteuid() == 0 && d.uid > 0 {
		return 0
	}
	return -1
}

// sharedRights lists the wanted rights of the folders that tenants share. Sockets and
// managed servers may have owners of their own.
func (d *Deployer) sharedRights() []permissions.Rights {
	l, me := d.layout, d.self()
	all := []permissions.Rights{
		{Path: filepath.Join(l.State, "secrets"), Most: 0o700, Least: 0o700, WantUID: me, WantGID: -1},
		{Path: l.Run(), Most: 0o755, Least: 0o700, WantUID: -1, WantGID: -1},
		{Path: filepath.Join(l.State, "servers"), Most: 0o755, Least: 0o700, WantUID: -1, WantGID: -1},
		{Path: l.Temporary(), Most: 0o750, Least: 0o700, WantUID: d.uid, WantGID: -1},
		{Path: d.DefaultVhost(), Most: 0o644, Least: 0o400, WantUID: me, WantGID: -1},
		{Path: d.layout.HostsVhost(), Most: 0o644, Least: 0o400, WantUID: me, WantGID: -1},
	}
	for _, path := range []string{l.State, l.Vhosts(), l.Pools(), l.Goldens(), filepath.Join(l.State, "wikis"), filepath.Join(l.State, "backups"), filepath.Join(l.State, "logs")} {
		all = append(all, permissions.Rights{Path: path, Most: 0o755, Least: 0o700, WantUID: me, WantGID: -1})
	}
	return all
}
