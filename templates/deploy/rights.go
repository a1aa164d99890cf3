package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"wikictl/templates"
)

// Rights are the actual and the wanted mode and owner of a file or a folder.
type Rights struct {
	Path     string
	Mode     fs.FileMode // permission bits
	WantMode fs.FileMode // the nearest sufficient mode
	UID, GID int
	WantUID  int // -1: any user
	WantGID  int // -1: any group

	most, least fs.FileMode
	needed      bool // Inspect reports it if it is missing
}

// WrongMode reports whether the mode differs from the wanted one.
func (r Rights) WrongMode() bool { return r.Mode != r.WantMode }

// WrongOwner reports whether user or group differs from the wanted one.
func (r Rights) WrongOwner() bool {
	return (r.WantUID >= 0 && r.UID != r.WantUID) || (r.WantGID >= 0 && r.GID != r.WantGID)
}

// wrongRights stats each path and returns those with a wrong mode or owner, and the
// required paths that are missing or are dangling links.
func wrongRights(all []Rights) (wrong []Rights, missing []string, err error) {
	for _, r := range all {
		info, err := os.Stat(r.Path)
		if errors.Is(err, fs.ErrNotExist) {
			if r.needed { // otherwise it is another finding, or not needed at all
				missing = append(missing, r.Path)
			}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		have := info.Sys().(*syscall.Stat_t)
		r.Mode, r.UID, r.GID = info.Mode().Perm(), int(have.Uid), int(have.Gid)
		r.WantMode = r.Mode&r.most | r.least
		if r.WrongMode() || r.WrongOwner() {
			wrong = append(wrong, r)
		}
	}
	return wrong, missing, nil
}

// rightsOf lists the wanted rights of a tenant's files and folders: the web server's
// group may read settings, its user owns the folders that PHP writes, and everything is
// closed to others.
func (d *Deployer) rightsOf(tenant string, releases []int) []Rights {
	l, me, group := d.layout, d.self(), fs.FileMode(0)
	if d.gid >= 0 {
		group = 0o040
	}
	o, own := d.ownerOf(tenant)
	pass := group >> 2
	if own { // the web server and PHP are in no common group
		pass = 0o011
	}
	folder := func(path string) Rights {
		return Rights{Path: path, most: 0o755, least: 0o700 | pass, WantUID: me, WantGID: d.gid}
	}
	all := []Rights{
		{Path: l.Secrets(tenant), most: 0o600, least: 0o400, WantUID: me, WantGID: -1},
		{Path: l.Backups(tenant), most: 0o700, least: 0o700, WantUID: me, WantGID: -1},
		folder(l.Wiki(tenant)), folder(l.Releases(tenant)),
		{Path: l.Images(tenant), most: 0o755, least: 0o700, WantUID: o.uid, WantGID: -1, needed: true},
		{Path: l.Cache(tenant), most: 0o755, least: 0o700, WantUID: o.uid, WantGID: -1, needed: true},
		{Path: l.Vhost(tenant), most: 0o644, least: 0o400, WantUID: me, WantGID: -1},
		{Path: l.Pool(tenant), most: 0o644, least: 0o400, WantUID: me, WantGID: -1},
	}
	for _, n := range releases {
		dir := l.Release(tenant, n)
		all = append(all, folder(dir), Rights{Path: filepath.Join(dir, settingsFile), most: 0o640, least: 0o400 | group, WantUID: me, WantGID: o.gid})
		if d.web.Kind == "apache" {
			all = append(all, Rights{Path: filepath.Join(dir, templates.NumberFile), most: 0o644, least: 0o400, WantUID: me, WantGID: -1})
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
func (d *Deployer) sharedRights() []Rights {
	l, me := d.layout, d.self()
	all := []Rights{
		{Path: filepath.Join(l.State, "secrets"), most: 0o700, least: 0o700, WantUID: me, WantGID: -1},
		{Path: l.Run(), most: 0o755, least: 0o700, WantUID: -1, WantGID: -1},
		{Path: filepath.Join(l.State, "servers"), most: 0o755, least: 0o700, WantUID: -1, WantGID: -1},
		{Path: l.Temporary(), most: 0o750, least: 0o700, WantUID: d.uid, WantGID: -1},
		{Path: d.DefaultVhost(), most: 0o644, least: 0o400, WantUID: me, WantGID: -1},
		{Path: d.layout.HostsVhost(), most: 0o644, least: 0o400, WantUID: me, WantGID: -1},
	}
	for _, path := range []string{l.State, l.Vhosts(), l.Pools(), l.Goldens(), filepath.Join(l.State, "wikis"), filepath.Join(l.State, "backups"), filepath.Join(l.State, "logs")} {
		all = append(all, Rights{Path: path, most: 0o755, least: 0o700, WantUID: me, WantGID: -1})
	}
	return all
}

// ModeText describes a wrong mode.
func (r Rights) ModeText() string { return fmt.Sprintf("has mode %04o, not %04o", r.Mode, r.WantMode) }

// OwnerText names the actual and the wanted owner.
func (r Rights) OwnerText() string {
	return fmt.Sprintf("belongs to %s, not %s", r.owner(r.UID, r.GID), r.owner(r.WantUID, r.WantGID))
}

// RepairText describes the changes that SetRights makes.
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
