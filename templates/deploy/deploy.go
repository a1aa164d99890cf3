// Package deploy puts rendered files in their places below a farm's state
// folder: it writes releases, switches a tenant from one to another by renaming
// a symbolic link, keeps what the web server includes in line with them, and
// takes everything back when the web server's own check refuses it. It knows
// nothing of how the files were rendered, of databases or of MediaWiki.
//
// A release, wikis/NAME/releases/N, holds LocalSettings.php, a link `core` to
// the codebase, and the tenant's vhost.conf and pool.conf; the file below vhosts
// is a hard link to the one of the release. A release is built aside and gets its
// number by a rename, so a numbered one is whole. Numbers only grow, so that no
// cache of PHP can take one release for another.
package deploy

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mask"
)

// Deployer writes below one state folder. It may be used by many goroutines.
type Deployer struct {
	// Lint checks PHP files, each by its program, such as php.Lint; nil checks nothing.
	Lint func(ctx context.Context, files []php.Source) error
	// Load has PHP load the settings in the folder of a tenant's release, which is not
	// served yet; nil loads nothing.
	Load func(ctx context.Context, tenant, release string) error
	// Waits is told when another run's writing is waited for, and whose; nil: it is not told.
	Waits func(holder string)
	// Aside is told whose virtual host was taken out, as the web server refuses it and with
	// it the changes of others, and why; nil: it is not told.
	Aside func(tenant string, why error)
	// Drain ends Apply's wait for another run: nothing of it was begun. nil never does.
	Drain <-chan struct{}

	layout   tenants.Layout
	web      tenants.Web
	uid, gid int              // of the web server; -1: files belong to the user of wikictl
	own      map[string]owner // of tenants whose PHP runs as a user of their own
	look     bool             // nothing is written
	writing  chan struct{}    // full while this process writes
	unsynced atomic.Bool
	folders  sync.Map // folders outside of a tenant's that were made already
}

// New returns a deployer for a farm's state folder. It looks up the user and
// group of php-fpm's workers, to whom a tenant's images and caches belong, and
// fails when there are none or when wikictl may not give files to them.
func New(l tenants.Layout, web tenants.Web) (*Deployer, error) {
	d, err := NewReader(l, web)
	if err == nil {
		d.look = false
	}
	if err != nil || os.Geteuid() == 0 {
		return d, err
	}
	if d.uid >= 0 && d.uid != os.Geteuid() {
		return nil, fmt.Errorf("files of %s can only be made by root: run wikictl as root, or php-fpm as yourself and leave web.user out", web.User)
	}
	d.uid = -1
	groups, err := os.Getgroups()
	if d.gid >= 0 && err == nil && !slices.Contains(append(groups, os.Getegid()), d.gid) {
		return nil, fmt.Errorf("files of group %s can only be made by its members or root: run wikictl as root", web.Group)
	}
	return d, nil
}

// NewReader is New for those who only look: it does not matter who they are. Nothing
// that writes may be called.
func NewReader(l tenants.Layout, web tenants.Web) (*Deployer, error) {
	d := &Deployer{layout: l, web: web, uid: -1, gid: -1, own: map[string]owner{}, look: true, writing: make(chan struct{}, 1)}
	if web.User != "" {
		u, err := user.Lookup(web.User)
		if err != nil {
			return nil, fmt.Errorf("web.user: %w", err)
		}
		d.uid, _ = strconv.Atoi(u.Uid)
		d.gid, _ = strconv.Atoi(u.Gid)
	}
	if web.Group != "" {
		g, err := user.LookupGroup(web.Group)
		if err != nil {
			return nil, fmt.Errorf("web.group: %w", err)
		}
		d.gid, _ = strconv.Atoi(g.Gid)
	}
	return d, nil
}

// Wanted is what a tenant's release shall hold.
type Wanted struct {
	Tenant        string
	Core          string // absolute path of the codebase, or of Layout.Core for it
	Tree          string // the codebase that Core wraps; empty: Core is the codebase
	PHP           string // the codebase's php program, which checks its files
	LocalSettings []byte
	Vhost         []byte   // nil: the release has none
	Pool          []byte   // nil: the release has none
	Folders       []string // folders outside of the tenant's that the web server writes, such as Layout.L10n
	Secrets       []string // masked in differences

	// Definition is what the release was rendered from, as TOML. It is kept with the
	// release, for the time when the tenant's file is gone; nil: it is not. It is no
	// difference when it alone is another.
	Definition func() string
}

// Want is what a rendered tenant shall hold.
func Want(d templates.Data, r templates.Rendered) Wanted {
	served := *d.Tenant
	served.Codebase = d.Codebase
	w := Wanted{
		Definition: func() string { return definitions.Show(&served, false) },
		Tenant:     d.Tenant.Name, Core: d.Farm.Layout().Core(d.Codebase), PHP: d.Codebase.PHP,
		LocalSettings: r.LocalSettings, Vhost: r.Vhost, Pool: r.Pool,
		Folders: []string{d.Farm.Layout().L10n(d.Tenant.MessageSet(d.Codebase)), d.Farm.Layout().TemporaryOf(d.Tenant.Pool.User)},
		Secrets: append(d.Secrets.Reveal(), mask.Values(d.Tenant.Settings)...),
	}
	if w.Core != d.Codebase.Path {
		w.Tree = d.Codebase.Path
	}
	return w
}

// Source is what many tenants shall hold. At is called for each index below Len,
// by several goroutines at once and perhaps twice, so that the text of a very
// large farm is never in memory as a whole.
type Source struct {
	Len     int
	At      func(i int) (Wanted, error)
	Name    func(i int) string // of the tenant, for when At fails
	Default []byte             // the virtual host for names of no tenant; nil leaves it alone
	Files   []File             // of the farm as a whole; nil leaves them alone, an empty list removes those that were made
	Gone    []string           // tenants that the web server shall not serve any more; their files stay
	Moved   map[string]string  // the same, but only once the tenant under its new name is served: old name to new
}

// Of is a source of what is in memory.
func Of(wanted ...Wanted) Source {
	return Source{
		Len:  len(wanted),
		At:   func(i int) (Wanted, error) { return wanted[i], nil },
		Name: func(i int) string { return wanted[i].Tenant },
	}
}
