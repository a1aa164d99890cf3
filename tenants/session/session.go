// Package session holds the resources of one run of one command on this machine: the
// servers, the ledger, locks, PHP, templates and the releases on disk. It opens each on
// first use. It does not know the purpose of the run.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/process"
	"wikictl/tenants/secrets"
)

// Options are the inputs of a run other than the farm's files.
type Options struct {
	Holder   string                      // the user and process of the run: "user@host pid N"
	Machine  string                      // host name of this machine
	Password func(string) secrets.Secret // returns the administrator's password by server name; may be nil
	Hook     Hook                        // called at each named step; nil outside of tests
	Drain    <-chan struct{}             // once closed, the run starts nothing new; may be nil
	Begun    func()                      // called when the run starts to change tenants; may be nil
	Say      func(message string)        // reports what the run waits for; may be nil
	Inspect  bool                        // read-only run: start no server, create no ledger

	Templates *templates.Set // that the farm was checked with; nil: they are loaded
	Record    *deploy.Record // that the farm was checked by; nil: it is read
}

// Host gives one run access to a farm. It is safe for concurrent use.
type Host struct {
	Farm      *tenants.Farm
	Layout    tenants.Layout
	Templates *templates.Set
	Deploy    *deploy.Deployer
	RunID     string

	options  Options
	owner    process.Owner
	owners   map[string]process.Owner // of tenants with users of their own
	identity Identity                 // zero: not created yet

	mu      sync.Mutex
	servers map[string]*connection // by name
	ledger  *ledger.Ledger
	locks   map[string]*mariadb.Locks
	forks   forks

	platforms map[string]*platform // by php program
	worker    worker
	logIns    logIns
	answers   answers
	loaded    map[string]*loaded // by Templates.Alike and the code
	members   members
	reported  sync.Map // messages of sayOnce
}

// connection is the connection to one server, or the error of the attempt.
type connection struct {
	mu     sync.Mutex
	server *mariadb.Server
	err    error     // why the connection failed
	retry  time.Time // of a replica: when it is tried again
}

// platform is the reported platform of a php program.
type platform struct {
	once     sync.Once
	platform php.Platform
	err      error
}

// Open checks templates, users, and that the state folder belongs to these definitions.
// It connects to nothing.
func Open(f *tenants.Farm, o Options) (*Host, error) {
	identity, err := identify(f)
	if err != nil {
		return nil, err
	}
	set := o.Templates
	if set == nil {
		if set, err = templates.Load(f.Templates, f.Files...); err != nil {
			return nil, err
		}
	}
	open := deploy.New
	if o.Inspect {
		open = deploy.NewReader
	}
	deployer, err := open(f.Layout(), f.Web)
	if err != nil {
		return nil, err
	}
	owner, err := process.LookupOwner(f.Web.User)
	if err != nil {
		return nil, fmt.Errorf("web.user: %w", err)
	}
	owners, err := ownersOf(f, deployer)
	if err != nil {
		return nil, err
	}
	if o.Password == nil {
		o.Password = func(string) secrets.Secret { return "" }
	}
	h := &Host{
		Farm: f, Layout: f.Layout(), Templates: set, Deploy: deployer, RunID: newRunID(),
		options: o, owner: owner, owners: owners, identity: identity,
		servers: map[string]*connection{}, locks: map[string]*mariadb.Locks{}, forks: forks{by: map[string]*fork{}},
		platforms: map[string]*platform{}, loaded: map[string]*loaded{},
	}
	set.Created = h.members.created
	deployer.Lint, deployer.Load, deployer.Drain = h.lint, h.load, o.Drain
	if o.Say != nil {
		deployer.Aside = func(tenant string, why error) {
			o.Say(fmt.Sprintf("%s: %s", tenant, why))
		}
		deployer.Waits = func(holder string) {
			o.Say(fmt.Sprintf("waiting for another run (%s) that is writing the farm's files", holder))
		}
	}
	return h, nil
}

// newRunID returns an id that sorts by time and is unique across machines.
func newRunID() string {
	return time.Now().UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:6])
}

// Close closes everything, locks last.
func (h *Host) Close() error {
	errs := h.forks.close()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.locks {
		errs = append(errs, l.Close())
	}
	if h.ledger != nil {
		errs = append(errs, h.ledger.Close())
	}
	for _, c := range h.servers {
		if c.server != nil {
			errs = append(errs, c.server.Close())
		}
	}
	return errors.Join(errs...)
}

// Server connects to a server, or returns the existing connection. It does not retry
// after a failure, unless the server is a replica.
func (h *Host) Server(ctx context.Context, def *tenants.Server) (*mariadb.Server, error) {
	h.mu.Lock()
	c, farm := h.servers[def.Name], h.identity.ID
	if c == nil {
		c = new(connection)
		h.servers[def.Name] = c
	}
	h.mu.Unlock()
	c.mu.Lock() // per server: another one may be slow
	defer c.mu.Unlock()
	if c.server != nil {
		c.server.SetFarm(farm) // the id may be known by now
	}
	if c.server != nil || c.err != nil && (def.Primary == nil || time.Now().Before(c.retry)) {
		return c.server, c.err
	}
	open := mariadb.Open
	if h.options.Inspect {
		open = mariadb.Connect
	}
	began := time.Now()
	s, err := open(ctx, def, h.Layout, h.options.Password(def.PasswordName()))
	if def.Managed && h.options.Inspect && errors.As(err, new(*net.OpError)) { // connection refused
		err = tenants.WithHint(err, "wikictl server start starts it")
	}
	if !def.Managed && errors.As(err, new(*net.OpError)) {
		err = tenants.WithHint(err, serverHint)
	}
	switch {
	case err == nil:
		s.SetFarm(farm)
		c.server = s
	case ctx.Err() == nil:
		// A replica may come back during a long run, and wikis then read from it. The attempts take a
		// tenth of the time at most.
		c.err, c.retry = err, time.Now().Add(10*time.Since(began))
	}
	return s, err
}

// Ledger opens the farm's ledger, or returns the open one.
func (h *Host) Ledger(ctx context.Context) (*ledger.Ledger, error) {
	s, err := h.Server(ctx, h.Farm.Ledger)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ledger != nil {
		return h.ledger, nil
	}
	h.ledger, err = h.openLedger(ctx, s)
	return h.ledger, err
}

// ReadLedger opens the farm's ledger and reads the tenants in it, by name.
func (h *Host) ReadLedger(ctx context.Context) (*ledger.Ledger, map[string]ledger.Tenant, error) {
	l, err := h.Ledger(ctx)
	if err != nil {
		return nil, nil, err
	}
	rows, err := l.Tenants(ctx)
	return l, rows, err
}

// Drain returns a channel that is closed when the run must start nothing new.
func (h *Host) Drain() <-chan struct{} { return h.options.Drain }

// Say reports to the user what the run waits for.
func (h *Host) Say(message string) {
	if h.options.Say != nil {
		h.options.Say(message)
	}
}

// Holder returns the user and process of this run.
func (h *Host) Holder() string { return h.options.Holder }

// Wanted renders a tenant for a codebase, which may differ from the wanted one.
func (h *Host) Wanted(ctx context.Context, t *tenants.Tenant, c *tenants.Codebase) (deploy.Wanted, error) {
	if err := h.members.read(ctx, h); err != nil {
		return deploy.Wanted{}, err
	}
	secrets, err := h.Deploy.ReadSecrets(t.Name)
	if err != nil {
		return deploy.Wanted{}, fmt.Errorf("secrets of tenant %s: %w", t.Name, err)
	}
	data := templates.Data{Farm: h.Farm, Tenant: t, Codebase: c, Secrets: secrets}
	rendered, err := h.Templates.Render(data)
	if err != nil {
		return deploy.Wanted{}, err
	}
	return deploy.Want(data, rendered), nil
}

// Source renders many tenants, each for the codebase that on returns. In templates the tenants of
// the present ledger exist, and those of Expect. The web server's configuration omits the tenants
// that are leaving, and answers 410 for the addresses of removed ones.
func (h *Host) Source(ctx context.Context, list []*tenants.Tenant, on func(*tenants.Tenant) *tenants.Codebase, leaving Leaving) (deploy.Source, error) {
	h.members.forget()
	if err := h.members.read(ctx, h); err != nil {
		return deploy.Source{}, err
	}
	vhost, shared, err := h.Default(leaving)
	if err != nil {
		return deploy.Source{}, err
	}
	return deploy.Source{
		Len:     len(list),
		At:      func(i int) (deploy.Wanted, error) { return h.Wanted(ctx, list[i], on(list[i])) },
		Name:    func(i int) string { return list[i].Name },
		Default: vhost,
		Hosts:   shared,
		Files:   h.Files(),
		Gone:    leaving.Gone,
		Moved:   leaving.Moved,
	}, nil
}

// Files renders the files of the farm as a whole.
func (h *Host) Files() []deploy.File {
	files := make([]deploy.File, len(h.Farm.Files))
	for i, f := range h.Farm.Files {
		data, err := h.Templates.RenderFile(h.Farm, f)
		files[i] = deploy.File{Path: f.Path, Data: data, Mode: f.Mode, Owner: f.Owner, Group: f.Group, Err: err}
	}
	return files
}

// WritePlatformScript writes the script by which php-fpm reports its platform.
func (h *Host) WritePlatformScript() error {
	return h.writeRun(h.Layout.PlatformScript(), php.PlatformScript())
}

// WriteAdminSettings writes the settings file by which scripts run with the tenant's
// schema account.
func (h *Host) WriteAdminSettings() error {
	return h.writeRun(h.Layout.AdminSettings(), php.AdminSettings())
}

// WriteViewSettings writes the settings file by which a request of this run may read the pages
// of a private wiki.
func (h *Host) WriteViewSettings() error {
	return h.writeRun(h.Layout.ViewSettings(), php.ViewSettings())
}

// writeRun writes a file that PHP reads into the folder of sockets and scripts.
func (h *Host) writeRun(path string, data []byte) error {
	if err := os.MkdirAll(h.Layout.Run(), 0o755); err != nil {
		return err
	}
	return deploy.WriteFile(path, data, 0o644, -1)
}

// Unreadable returns, by tenant, why this user can't compare the tenant's files; on
// returns each tenant's codebase. It is empty for root.
func (h *Host) Unreadable(ctx context.Context, list []*tenants.Tenant, on func(*tenants.Tenant) *tenants.Codebase) map[string]error {
	unread := map[string]error{}
	if os.Geteuid() == 0 {
		return unread
	}
	for _, t := range list {
		want, err := h.Wanted(ctx, t, on(t))
		if err == nil {
			_, err = h.Deploy.Compare(ctx, deploy.Of(want), false)
		}
		if errors.Is(err, fs.ErrPermission) {
			unread[t.Name] = err
		}
	}
	return unread
}
