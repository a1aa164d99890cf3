// Package deploy installs rendered files below a farm's state folder: it writes releases,
// switches a tenant from one to another by renaming a symbolic link, updates the files
// that the web server includes, and restores everything if the web server's own check
// refuses the result. It does not know how the files were rendered, and knows nothing of
// databases or MediaWiki.
//
// A release, wikis/NAME/releases/N, holds LocalSettings.php, a link `core` to the
// codebase, and the tenant's vhost.conf and pool.conf; the file below vhosts is a hard
// link to that of the release. A release is built under a temporary name and gets its
// number by a rename, so a numbered release is complete. Numbers only grow, so no cache
// of PHP can confuse two releases.
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
	"wikictl/templates/deploy/permissions"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mask"
)

// Deployer writes below one state folder. It is safe for concurrent use.
type Deployer struct {
	// Lint checks PHP files, each by its program, such as php.Lint; nil checks nothing.
	Lint func(ctx context.Context, files []php.Source) error
	// Load has PHP load the settings in the folder of a tenant's release before it is
	// served. itself is false if PHP loaded only those of a tenant with equal settings; nil loads
	// nothing.
	Load func(ctx context.Context, tenant, release string) (itself bool, err error)
	// Waits is called with the holder of the lock when a run waits for another one; may
	// be nil.
	Waits func(holder string)
	// Aside is called for each tenant whose virtual host or pool was taken out because the web
	// server or php-fpm refused it, and with it the changes of all tenants; may be nil.
	Aside func(tenant string, why error)
	// Drain, when closed, ends Apply's wait for another run before it has changed
	// anything; may be nil.
	Drain <-chan struct{}

	layout   tenants.Layout
	web      tenants.Web
	uid, gid int                          // of the web server; -1: files belong to the user of wikictl
	own      map[string]permissions.Owner // of tenants whose PHP runs as a user of their own
	reader   bool                         // made by NewReader: it must not write
	writing  chan struct{}                // full while this process writes
	unsynced atomic.Bool
	folders  sync.Map // folders outside of tenants' folders that this run made or found
}

// New returns a deployer for a farm's state folder. It looks up the user and group of
// php-fpm's workers, who own a tenant's images and caches, and fails if they do not exist
// or wikictl may not give files to them.
func New(l tenants.Layout, web tenants.Web) (*Deployer, error) {
	d, err := NewReader(l, web)
	if err == nil {
		d.reader = false
	}
	if err != nil || os.Geteuid() == 0 {
		return d, err
	}
	if d.uid >= 0 && d.uid != os.Geteuid() {
		return nil, fmt.Errorf("only root can make files of %s: run wikictl as root, or run php-fpm as yourself and leave web.user out", web.User)
	}
	d.uid = -1
	groups, err := os.Getgroups()
	if d.gid >= 0 && err == nil && !slices.Contains(append(groups, os.Getegid()), d.gid) {
		return nil, fmt.Errorf("only members of the group %s and root can make files of that group: run wikictl as root", web.Group)
	}
	return d, nil
}

// NewReader is New for commands that only read: any user may run them. Methods that write
// must not be called.
func NewReader(l tenants.Layout, web tenants.Web) (*Deployer, error) {
	d := &Deployer{layout: l, web: web, uid: -1, gid: -1, own: map[string]permissions.Owner{}, reader: true, writing: make(chan struct{}, 1)}
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

// Wanted is the wanted content of a tenant's release.
type Wanted struct {
	Tenant        string
	Core          string // absolute path of the codebase, or of Layout.Core for it
	Tree          string // the codebase that Core wraps; empty: Core is the codebase
	PHP           string // the codebase's php program, which checks its files
	LocalSettings []byte
	Vhost         []byte          // nil: the release has none
	Pool          []byte          // nil: the release has none
	Asked         []string        // expressions by which the templates asked for tenants
	Folders       []string        // folders outside of the tenant's that PHP writes, such as Layout.L10n
	Secrets       func() []string // masked in differences; nil: none

	// Definition returns the resolved definition from which the release was rendered, as
	// TOML; may be nil. It is stored with the release, for use after the tenant's file was
	// deleted. A difference in it alone makes no new release.
	Definition func() string
}

// Want converts a rendered tenant to its wanted release.
func Want(d templates.Data, r templates.Rendered) Wanted {
	served := *d.Tenant
	served.Codebase = d.Codebase
	w := Wanted{
		Definition: func() string { return definitions.Show(&served, false) },
		Tenant:     d.Tenant.Name, Core: d.Farm.Layout().Core(d.Codebase), PHP: d.Codebase.PHP,
		LocalSettings: r.LocalSettings, Vhost: r.Vhost, Pool: r.Pool, Asked: r.Asked,
		Folders: []string{d.Farm.Layout().L10n(d.Tenant.MessageSet(d.Codebase)), d.Farm.Layout().TemporaryOf(d.Tenant.Pool.User)},
		Secrets: func() []string { return append(d.Secrets.Reveal(), mask.Values(d.Tenant.Settings)...) },
	}
	if w.Core != d.Codebase.Path {
		w.Tree = d.Codebase.Path
	}
	return w
}

// Source is the wanted content of many tenants. At is called for each index below Len,
// concurrently and perhaps twice, so that the text of a large farm is never in memory as
// a whole.
type Source struct {
	Len     int
	At      func(i int) (Wanted, error)
	Name    func(i int) string // of the tenant, if At fails
	Default []byte             // the virtual host for names of no tenant; nil: leave it unchanged
	Hosts   []byte             // the virtual hosts that several tenants share; nil: leave them unchanged; empty: there are none
	Files   []File             // of the farm as a whole; nil: leave them unchanged; empty: remove all that were made
	Gone    []string           // tenants to remove from the web server's configuration; their files stay
	Moved   map[string]string  // renamed tenants, new names by old ones; the old name is removed once the new one is served

	// Set and Data are the input of At, apart from secrets. By them Apply skips tenants that
	// it found as wanted before; nil: it renders and reads all.
	Set  *templates.Set
	Data func(i int) templates.Data
}

// Of returns a Source of values in memory.
func Of(wanted ...Wanted) Source {
	return Source{
		Len:  len(wanted),
		At:   func(i int) (Wanted, error) { return wanted[i], nil },
		Name: func(i int) string { return wanted[i].Tenant },
	}
}
