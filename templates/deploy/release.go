package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"wikictl/templates"
	"wikictl/templates/deploy/permissions"
	"wikictl/tenants/disk"
	"wikictl/tenants/fleet"
)

// Names within a release.
const (
	settingsFile = "LocalSettings.php"
	coreLink     = "core"
	poolFile     = "pool.conf"
	unfinished   = ".new" // a release while it is built
	defined      = "definition.toml"
)

// Current returns the number of a tenant's current release; zero if there is none.
func (d *Deployer) Current(tenant string) (release int, err error) {
	target, err := os.Readlink(d.layout.Current(tenant))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	release, err = strconv.Atoi(filepath.Base(target))
	if err != nil || release < 1 {
		return 0, fmt.Errorf("%s leads to %s, which is not a release: remove the link", d.layout.Current(tenant), target)
	}
	return release, nil
}

// Core returns the path of the codebase of a release; "" if it has none.
func (d *Deployer) Core(tenant string, release int) (string, error) {
	core, err := os.Readlink(filepath.Join(d.layout.Release(tenant, release), coreLink))
	return core, disk.IgnoreAbsent(err)
}

// Releases lists the numbers of a tenant's releases in ascending order.
func (d *Deployer) Releases(tenant string) ([]int, error) {
	entries, err := os.ReadDir(d.layout.Releases(tenant))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Prepared is a tenant's release with the wanted content, whether it is current or not. Err is
// the reason why none could be made.
type Prepared struct {
	Tenant  string
	Release int
	Err     error
}

// Prepare writes the next releases of tenants without serving them, checks them all together,
// and returns them in the order of s. It writes no release if the current one, or one that was
// prepared before, has the wanted content.
func (d *Deployer) Prepare(ctx context.Context, s Source) ([]Prepared, error) {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer unlock()
	staged := make([]stagedTenant, s.Len)
	for i, r := range fleet.Run(ctx, fleet.Indexes(s.Len), fleet.Options[int]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit},
		func(_ context.Context, i int) (t stagedTenant, err error) {
			w, err := s.At(i)
			if err != nil {
				return t, err
			}
			t.swap.Tenant, t.php = w.Tenant, w.PHP
			if t.swap.From, err = d.Current(w.Tenant); err != nil {
				return t, err
			}
			t.swap.To, t.unchecked, err = d.stage(w, t.swap.From)
			return t, err
		}) {
		staged[i] = r.Value
		staged[i].err = r.Err
	}
	d.lintAll(ctx, staged)
	if ctx.Err() != nil { // the check may be incomplete
		return nil, errors.Join(context.Cause(ctx), d.discard(staged))
	}
	prepared := make([]Prepared, s.Len)
	for i, t := range staged {
		prepared[i] = Prepared{t.swap.Tenant, t.swap.To, t.err}
	}
	return prepared, nil
}

// discard removes unchecked releases.
func (d *Deployer) discard(staged []stagedTenant) (err error) {
	for _, t := range staged {
		if t.err == nil && t.unchecked {
			err = errors.Join(err, os.RemoveAll(d.layout.Release(t.swap.Tenant, t.swap.To)))
		}
	}
	return err
}

// stage ensures that the current release or a later one has the wanted content. It
// returns the release's number, and whether it is new or was never served, so that it
// must be checked.
func (d *Deployer) stage(w Wanted, current int) (release int, unchecked bool, err error) {
	empty, err := d.makeFolders(w)
	if err != nil {
		return 0, false, err
	}
	var numbers []int
	if !empty {
		if numbers, err = d.cleanReleases(w.Tenant); err != nil {
			return 0, false, err
		}
	}
	next := 1
	for _, n := range slices.Backward(numbers) {
		next = max(next, n+1)
		if n < current {
			break
		}
		if same, err := d.holds(w, n); err != nil || same {
			return n, n != current, err
		}
	}
	spent, err := d.spent()
	if err != nil {
		return 0, false, err
	}
	next = max(next, current+1, spent+1) // the folder of the current release may be missing
	d.unsynced.Store(true)
	return next, true, d.build(w, next)
}

// cleanReleases removes the half-built release of a killed run and lists the releases.
func (d *Deployer) cleanReleases(tenant string) ([]int, error) {
	if err := os.RemoveAll(filepath.Join(d.layout.Releases(tenant), unfinished)); err != nil {
		return nil, err
	}
	return d.Releases(tenant)
}

// holds reports whether a release has exactly the wanted content.
func (d *Deployer) holds(w Wanted, release int) (bool, error) {
	dir := d.layout.Release(w.Tenant, release)
	core, err := d.Core(w.Tenant, release)
	if err != nil || core != w.Core {
		return false, err
	}
	for _, f := range d.files(w) {
		if f.data == nil {
			if Exists(filepath.Join(dir, f.name)) {
				return false, nil
			}
			continue
		}
		found, err := compareFile(filepath.Join(dir, f.name), f.data, f.secret)
		if err != nil || found != equal {
			return false, err
		}
	}
	return true, nil
}

// vhostFile returns the name of the web server's part in a release. The name depends on
// web.vhosts and on whether the tenant has a path: a part made before a change of these has
// another name and is not used.
func (d *Deployer) vhostFile(tenant string) string { return "vhost" + d.layout.VhostEnding(tenant) }

// file is one file of a release.
type file struct {
	name   string
	data   []byte
	secret bool
}

func (d *Deployer) files(w Wanted) [3]file {
	return [3]file{{settingsFile, w.LocalSettings, true}, {d.vhostFile(w.Tenant), w.Vhost, false}, {poolFile, w.Pool, false}}
}

// build writes a release under a temporary name, then gives it its number.
func (d *Deployer) build(w Wanted, release int) error {
	dir := filepath.Join(d.layout.Releases(w.Tenant), unfinished)
	if _, err := d.passage(w.Tenant, dir); err != nil {
		return err
	}
	for _, f := range d.files(w) {
		if f.data == nil {
			continue
		}
		mode, gid := os.FileMode(0o644), -1
		if f.secret {
			mode, gid = 0o640, d.groupOf(w.Tenant)
		}
		if err := create(filepath.Join(dir, f.name), f.data, mode, gid); err != nil {
			return err
		}
	}
	if w.Definition != nil { // settings may hold passwords
		if err := create(filepath.Join(dir, defined), []byte(w.Definition()), 0o600, -1); err != nil {
			return err
		}
	}
	if w.Tree != "" {
		if err := d.once(w.Core, func(core string) error { return wrap(core, w.Tree) }); err != nil {
			return err
		}
	}
	final := d.layout.Release(w.Tenant, release)
	if d.web.Kind == "apache" {
		if err := create(filepath.Join(dir, templates.NumberFile), []byte(strconv.Itoa(release)), 0o644, -1); err != nil {
			return err
		}
	}
	if err := os.Symlink(w.Core, filepath.Join(dir, coreLink)); err != nil {
		return err
	}
	return os.Rename(dir, final)
}

// makeFolders makes the parent folders of a release and the shared folders that PHP writes to.
// empty reports whether the tenant has no release yet.
func (d *Deployer) makeFolders(w Wanted) (empty bool, err error) {
	for _, path := range w.Folders {
		if err := d.once(path, func(path string) error { return d.ownFolder(w.Tenant, path) }); err != nil {
			return false, err
		}
	}
	if err := errors.Join(d.makeWiki(w.Tenant), d.handOverWiki(w.Tenant)); err != nil {
		return false, err
	}
	return d.passage(w.Tenant, d.layout.Releases(w.Tenant))
}

// makeWiki makes a tenant's folder, with the files that requests lock.
func (d *Deployer) makeWiki(tenant string) error {
	path := d.layout.Wiki(tenant)
	if err := d.once(filepath.Dir(path), makeWikis); err != nil {
		return err
	}
	if _, err := d.passage(tenant, path); err != nil {
		return err
	}
	return d.makeRequests(tenant)
}

// makeWikis makes the folder of all tenants' folders.
func makeWikis(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	_, err := permissions.Folder(path, 0o755, -1, -1)
	return err
}

// once makes a folder that several tenants share, once per deployer.
func (d *Deployer) once(path string, makeIt func(path string) error) error {
	if _, done := d.folders.Load(path); done {
		return nil
	}
	if err := makeIt(path); err != nil {
		return err
	}
	d.folders.Store(path, true)
	return nil
}

// MakeFolder makes a folder that only PHP writes and reads.
func (d *Deployer) MakeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	_, err := permissions.Folder(path, 0o750, d.uid, d.gid)
	return err
}

// Switch makes another release of a tenant the current one, code and settings in one rename,
// and returns when that is durable. It also replaces the tenant's installed files of the web
// server, if the tenant is published, but calls neither Check nor Reload.
func (d *Deployer) Switch(ctx context.Context, tenant string, release int) error {
	return d.alone(ctx, func() error { return d.switchTo(tenant, release) })
}

func (d *Deployer) switchTo(tenant string, release int) error {
	if !Exists(filepath.Join(d.layout.Release(tenant, release), settingsFile)) {
		return fmt.Errorf("release %d of tenant %q does not exist", release, tenant)
	}
	if d.unsynced.Load() {
		if err := d.Sync(); err != nil {
			return err
		}
	}
	current, err := d.Current(tenant)
	if err != nil {
		return err
	}
	if current != release {
		if err := errors.Join(d.noteServed(tenant, current), d.serve(tenant, release)); err != nil {
			return err
		}
	}
	for _, part := range d.parts(tenant, release) {
		if Exists(part.installed) && Exists(part.source) {
			if err := install(part.source, part.installed); err != nil {
				return err
			}
		}
	}
	return disk.SyncFolder(d.layout.Wiki(tenant))
}

// serve makes a release the current one; zero stands for none.
func (d *Deployer) serve(tenant string, release int) error {
	if release == 0 {
		return remove(d.layout.Current(tenant))
	}
	return point(d.layout.Current(tenant), filepath.Join("releases", strconv.Itoa(release)))
}

// part is a file of a release that the web server or php-fpm includes.
type part struct{ source, installed string }

func (d *Deployer) parts(tenant string, release int) [3]part {
	dir := d.layout.Release(tenant, release)
	return [3]part{
		{filepath.Join(dir, d.vhostFile(tenant)), d.layout.Vhost(tenant)},
		{filepath.Join(dir, poolFile), d.layout.Pool(tenant)},
		{"", d.layout.OtherVhost(tenant)},
	}
}
