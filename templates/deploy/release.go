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
	"wikictl/tenants/disk"
	"wikictl/tenants/fleet"
)

// Names within a release.
const (
	settingsFile = "LocalSettings.php"
	coreLink     = "core"
	poolFile     = "pool.conf"
	unfinished   = ".new" // the release that is being built
	defined      = "definition.toml"
)

// Current returns the number of the release that a tenant is served from; zero
// when there is none.
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
		return 0, fmt.Errorf("%s leads to %s, which is no release: remove the link", d.layout.Current(tenant), target)
	}
	return release, nil
}

// Core is the path of the codebase that a release runs on; "" when it has none.
func (d *Deployer) Core(tenant string, release int) (string, error) {
	core, err := os.Readlink(filepath.Join(d.layout.Release(tenant, release), coreLink))
	return core, ignoreAbsent(err)
}

// Releases lists the numbers of a tenant's releases, smallest first.
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

// Prepared is a tenant's release that holds what is wanted but need not be
// served yet. Err says why there is none.
type Prepared struct {
	Tenant  string
	Release int
	Err     error
}

// Prepare writes the next releases of tenants without serving them, checks them
// all at once, and returns them in the order of s. What was prepared before and
// never served is used again when it is the same; so is the current release.
func (d *Deployer) Prepare(ctx context.Context, s Source) ([]Prepared, error) {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer unlock()
	staged := make([]stagedTenant, s.Len)
	for i, r := range fleet.Run(ctx, indexes(s.Len), fleet.Options[int]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit},
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
	if ctx.Err() != nil { // they may not have been checked
		return nil, errors.Join(context.Cause(ctx), d.discard(staged))
	}
	prepared := make([]Prepared, s.Len)
	for i, t := range staged {
		prepared[i] = Prepared{t.swap.Tenant, t.swap.To, t.err}
	}
	return prepared, nil
}

// discard removes releases that were not checked.
func (d *Deployer) discard(staged []stagedTenant) (err error) {
	for _, t := range staged {
		if t.err == nil && t.unchecked {
			err = errors.Join(err, os.RemoveAll(d.layout.Release(t.swap.Tenant, t.swap.To)))
		}
	}
	return err
}

// stage makes sure that a release, the current one or a later one, holds what is
// wanted and returns its number, and whether it has yet to be checked: it is new, or
// was never served.
func (d *Deployer) stage(w Wanted, current int) (release int, unchecked bool, err error) {
	empty, err := d.makeFolders(w)
	if err != nil {
		return 0, false, err
	}
	var numbers []int
	if !empty {
		if numbers, err = d.beginAgain(w.Tenant); err != nil {
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
	next = max(next, current+1) // its folder may be gone
	d.unsynced.Store(true)
	return next, true, d.build(w, next)
}

// beginAgain removes what a killed run was building and lists the releases.
func (d *Deployer) beginAgain(tenant string) ([]int, error) {
	if err := os.RemoveAll(filepath.Join(d.layout.Releases(tenant), unfinished)); err != nil {
		return nil, err
	}
	return d.Releases(tenant)
}

// holds reports whether a release is exactly what is wanted.
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

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// vhostFile is the name of the web server's part in a release. One of before web.vhosts was
// changed means nothing to the web server now.
func (d *Deployer) vhostFile() string { return "vhost" + d.layout.VhostEnding() }

// file is one file of a release.
type file struct {
	name   string
	data   []byte
	secret bool
}

func (d *Deployer) files(w Wanted) [3]file {
	return [3]file{{settingsFile, w.LocalSettings, true}, {d.vhostFile(), w.Vhost, false}, {poolFile, w.Pool, false}}
}

// build writes a release aside and gives it its number.
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

// makeFolders makes what a release stands in and what PHP shares, and reports whether
// there can't be any release yet.
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

// makeWiki makes a tenant's folder.
func (d *Deployer) makeWiki(tenant string) error {
	path := d.layout.Wiki(tenant)
	if err := d.once(filepath.Dir(path), makeWikis); err != nil {
		return err
	}
	_, err := d.passage(tenant, path)
	return err
}

// makeWikis makes the folder of all tenants' folders.
func makeWikis(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	_, err := folder(path, 0o755, -1, -1)
	return err
}

// once makes a folder that is not one tenant's, once a deployer.
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
	_, err := folder(path, 0o750, d.uid, d.gid)
	return err
}

// Switch serves a tenant from another of its releases, code and settings in one
// rename, and returns when that lasts. What the web server includes for the
// tenant follows; a tenant that it does not know yet stays unknown to it until
// Publish. Neither Check nor Reload is called.
func (d *Deployer) Switch(ctx context.Context, tenant string, release int) error {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return err
	}
	defer unlock()
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

// serve makes a release the current one; zero means none.
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
		{filepath.Join(dir, d.vhostFile()), d.layout.Vhost(tenant)},
		{filepath.Join(dir, poolFile), d.layout.Pool(tenant)},
		{"", d.layout.OtherVhost(tenant)},
	}
}
