package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/aymanbagabas/go-udiff"

	"wikictl/tenants/disk"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mask"
)

// Kind is the kind of a difference between a file and its wanted state.
type Kind string

// Kinds of changes.
const (
	Add    Kind = "add"    // the file is missing
	Edit   Kind = "edit"   // its content, or its target, differs
	Mode   Kind = "mode"   // too many users can read it
	Delete Kind = "delete" // it exists and is not wanted
)

// Change is one file that differs from its wanted state.
type Change struct {
	Tenant string // empty for the virtual host for names of no tenant
	Path   string // absolute, through the link to the current release
	Kind   Kind
	Diff   string // unified, secrets masked; empty unless asked for
}

// DefaultVhost returns the file of the virtual host for names of no tenant.
func (d *Deployer) DefaultVhost() string { return d.layout.DefaultVhost() }

// Compare lists the differences between disk and wanted state, in the order of the
// source, and writes nothing. With diffs each change has its unified diff. A
// *PartialError names the tenants that can't be rendered or inspected; the changes are
// those of the other tenants.
func (d *Deployer) Compare(ctx context.Context, s Source, diffs bool) ([]Change, error) {
	found := d.compareAll(ctx, s, diffs, nil)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var changes []Change
	for i, path := range []string{d.DefaultVhost(), d.layout.HostsVhost()} {
		if given := [2]bool{s.Default != nil, s.Hosts != nil}[i]; !given {
			continue
		}
		var masks func() *mask.Masker
		if diffs {
			masks = func() *mask.Masker { return mask.New() }
		}
		change, err := d.compareOne("", path, s.wanted()[i], masks)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change...)
	}
	for _, c := range found {
		changes = append(changes, c.changes...)
	}
	return changes, partial(unknown(s, found))
}

// unknown lists the tenants that could not be compared.
func unknown(s Source, found []comparison) []Outcome {
	var failed []Outcome
	for i, c := range found {
		if c.err != nil {
			failed = append(failed, Outcome{Tenant: s.name(i), Release: c.release, Err: c.err})
		}
	}
	return failed
}

// name returns the name of the tenant with that index.
func (s Source) name(i int) string {
	if s.Name == nil {
		return ""
	}
	return s.Name(i)
}

// comparison is the comparison of one tenant with its wanted state.
type comparison struct {
	release int // the current one; zero: none
	changes []Change
	wanted  *Wanted // of a tenant that differs, within keepText
	err     error   // why it can't be rendered or inspected
}

// keepText is the maximum number of bytes of rendered text that are kept between
// comparing and staging; the rest is rendered again.
const keepText = 100 << 20

// compareAll compares all tenants, several at once, and returns the results in the order of the
// source. It does not compare tenants that are as in the record r, which may be nil.
func (d *Deployer) compareAll(ctx context.Context, s Source, diffs bool, r *Record) []comparison {
	var room atomic.Int64
	room.Store(keepText)
	results := fleet.Run(ctx, fleet.Indexes(s.Len), fleet.Options[int]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit},
		func(_ context.Context, i int) (comparison, error) {
			var before state
			if r != nil {
				same := false
				if before, same = r.state(s.Set, s.Data(i)); same {
					return comparison{}, nil
				}
			}
			w, err := s.At(i)
			if err != nil {
				return comparison{}, err
			}
			c, err := d.compare(w, diffs)
			if r != nil {
				r.note(s.Data(i).Farm, s.Set, w.Tenant, before, err == nil && len(c.changes) == 0, w.Asked)
			}
			if len(c.changes) > 0 && room.Add(-int64(len(w.LocalSettings)+len(w.Vhost)+len(w.Pool))) > 0 {
				c.wanted = &w
			}
			return c, err
		})
	found := make([]comparison, s.Len)
	for i, r := range results {
		found[i] = r.Value
		if r.Err != nil {
			found[i] = comparison{release: r.Value.release, err: r.Err}
		}
	}
	return found
}

// compare compares the current files of one tenant.
func (d *Deployer) compare(w Wanted, diffs bool) (c comparison, err error) {
	if c.release, err = d.Current(w.Tenant); err != nil {
		return c, err
	}
	var masks func() *mask.Masker
	if diffs {
		masks = sync.OnceValue(func() *mask.Masker { return d.maskOf(w) })
	}
	if c.changes, err = d.compareRelease(w, c.release, masks); err != nil {
		return c, err
	}
	for _, part := range []struct {
		installed string
		data      []byte
	}{
		{d.layout.Vhost(w.Tenant), w.Vhost},
		{d.layout.Pool(w.Tenant), w.Pool},
		{d.layout.OtherVhost(w.Tenant), nil},
	} {
		more, err := d.compareOne(w.Tenant, part.installed, file{data: part.data}, masks)
		if err != nil {
			return c, err
		}
		c.changes = append(c.changes, more...)
	}
	return c, nil
}

// maskOf returns a Masker of a tenant's secrets, and of those that it finds in the file on
// disk, which may be older ones.
func (d *Deployer) maskOf(w Wanted) *mask.Masker {
	had, _ := disk.Read(filepath.Join(d.layout.Current(w.Tenant), settingsFile)) // compareRelease reports errors
	known := mask.Found(string(had), string(w.LocalSettings))
	if w.Secrets != nil {
		known = append(known, w.Secrets()...)
	}
	return mask.New(known...)
}

// compareRelease compares the settings and the code of the current release.
func (d *Deployer) compareRelease(w Wanted, release int, masks func() *mask.Masker) ([]Change, error) {
	current := d.layout.Current(w.Tenant)
	settings := file{data: w.LocalSettings, secret: true}
	compare, core := d.compareOne, ""
	if release == 0 {
		compare = d.added
	} else {
		var err error
		if core, err = d.Core(w.Tenant, release); err != nil {
			return nil, err
		}
	}
	changes, err := compare(w.Tenant, filepath.Join(current, settingsFile), settings, masks)
	if err != nil || core == w.Core {
		return changes, err
	}
	c := Change{Tenant: w.Tenant, Path: filepath.Join(current, coreLink), Kind: Edit}
	if core == "" {
		c.Kind = Add
	}
	if masks != nil {
		c.Diff = fmt.Sprintf("-%s\n+%s\n", core, w.Core)
	}
	return append(changes, c), nil
}

// compareOne compares one file. The change has a diff if masks, which hide the tenant's
// secrets in it, are not nil.
func (d *Deployer) compareOne(tenant, path string, f file, masks func() *mask.Masker) ([]Change, error) {
	if f.data == nil {
		if !Exists(path) {
			return nil, nil
		}
		return d.change(tenant, path, Delete, f, masks)
	}
	found, err := compareFile(path, f.data, f.secret)
	if err != nil {
		return nil, err
	}
	switch found {
	case absent:
		return d.added(tenant, path, f, masks)
	case changed:
		return d.change(tenant, path, Edit, f, masks)
	case mode:
		return []Change{{Tenant: tenant, Path: path, Kind: Mode}}, nil
	}
	return nil, nil
}

// added is the change of a missing file.
func (d *Deployer) added(tenant, path string, f file, masks func() *mask.Masker) ([]Change, error) {
	return d.change(tenant, path, Add, f, masks)
}

func (d *Deployer) change(tenant, path string, kind Kind, f file, masks func() *mask.Masker) ([]Change, error) {
	c := Change{Tenant: tenant, Path: path, Kind: kind}
	if masks != nil {
		have, err := disk.Read(path)
		if err != nil && kind != Add {
			return nil, err
		}
		c.Diff = diff(path, string(have), string(f.data), masks())
	}
	return []Change{c}, nil
}

// diff returns a unified diff of a file, with secrets masked.
func diff(path, have, want string, m *mask.Masker) string {
	from := path
	if have == "" {
		from = os.DevNull
	}
	if filepath.Ext(path) == ".php" {
		have, want = m.PHP(have), m.PHP(want)
	} else {
		have, want = m.Text(have), m.Text(want)
	}
	if have == want {
		return path + ": only secrets differ\n"
	}
	return udiff.Unified(from, path, have, want)
}
