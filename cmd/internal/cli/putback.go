package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/provision"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

// putBack is the definition of a removed tenant, which undelete writes among the farm's files.
type putBack struct {
	name string
	mark string // empty file that announces the return
	from string // file in the folder of the removed tenant
	file string // to write, relative to the farm's folder
	path string // the same, absolute
	text []byte
	mode fs.FileMode
	back func() error // removes the file; nil before it is written
	kept bool         // the file stays
}

// definedAgain returns the tenants with these names. For one that no file defines it also returns
// the definition to put back.
func definedAgain(f *tenants.Farm, names []string, run string) (list []*tenants.Tenant, files []*putBack, err error) {
	texts := map[string][]byte{}
	for _, name := range names {
		if f.Tenant(name) != nil {
			continue
		}
		r, err := provision.FindRemoved(f.Layout(), name, run)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, usagef("no file defines %s, and %s", name, err)
		}
		if err != nil {
			return nil, nil, err
		}
		p, err := formerly(f, r)
		if err != nil {
			return nil, nil, err
		}
		files, texts[p.file] = append(files, p), p.text
	}
	drafted := map[string]definitions.Drafted{}
	if len(files) > 0 {
		if drafted, err = definitions.Drafts(f.Dir, texts); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range names {
		t := f.Tenant(name)
		if i := slices.IndexFunc(files, func(p *putBack) bool { return p.name == name }); i >= 0 {
			if t, err = files[i].tenant(drafted[files[i].file]); err != nil {
				return nil, nil, err
			}
		}
		list = append(list, t)
	}
	return list, files, nil
}

// formerly returns the former definition of a removed tenant.
func formerly(f *tenants.Farm, r *provision.Removed) (*putBack, error) {
	file := filepath.Join(tenantsFolder(f), r.Name+".toml")
	p := &putBack{name: r.Name, mark: r.Returning(), from: r.Source(), file: file, path: filepath.Join(f.Dir, file), mode: 0o644}
	var err error
	if p.text, err = disk.Read(p.from); err != nil {
		return nil, err
	}
	if info, err := os.Stat(p.from); err == nil && p.from != r.Definition() { // wikictl wrote that one
		p.mode = info.Mode().Perm()
	}
	if deploy.Exists(p.path) {
		return nil, tenants.WithHint(usagef("no file defines %s, and %s exists", r.Name, file), "move it away, and run this again")
	}
	return p, nil
}

// tenant returns a removed tenant as its former definition defines it. A definition that
// conflicts with the farm's files is an error.
func (p *putBack) tenant(d definitions.Drafted) (*tenants.Tenant, error) {
	how := fmt.Sprintf("copy %s to %s, correct it there, and run this again", p.from, p.file)
	switch {
	case len(d.Wrong) > 0:
		return nil, tenants.WithHint(usagef("no file defines %s, and its former definition can't be put back: %s", p.name, session.InTheWay(d.Wrong)), how)
	case d.Tenant == nil || d.Tenant.Name != p.name:
		return nil, tenants.WithHint(usagef("no file defines %s, and neither does %s", p.name, p.from), how)
	}
	return d.Tenant, nil
}

// tenantsFolder returns the folder of the files that define tenants, relative to the farm's.
func tenantsFolder(f *tenants.Farm) string {
	if len(f.Tenants) > 0 {
		return filepath.Dir(f.Tenants[0].Position.File)
	}
	return "tenants"
}

// putBack writes definitions among the farm's files, and returns the farm with them, and the
// tenants of a list in it. If the farm does not read one as it was, it takes all of them back.
func (a *app) putBack(c *cli.Context, files []*putBack, list []*tenants.Tenant) (f *tenants.Farm, again []*tenants.Tenant, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, takeBack(files))
		}
	}()
	for _, p := range files {
		if err = p.place(); err != nil {
			return nil, nil, err
		}
		fmt.Fprintln(a.stderr, ui.Clean(fmt.Sprintf("%s is defined again by %s, as in %s", p.name, p.path, p.from)))
	}
	if f, err = loadFarm(c); err != nil {
		return nil, nil, err
	}
	for _, t := range list {
		now := f.Tenant(t.Name)
		switch {
		case now == nil:
			return nil, nil, tenants.WithHint(fmt.Errorf("the farm does not read %s", t.Position.File), "give tenants in wikictl.toml a pattern of the folder, such as \"tenants/*.toml\"")
		case now.Blocked() && !t.Blocked():
			return nil, nil, fmt.Errorf("%s: %w", t.Name, session.InTheWay(now.Faults))
		}
		again = append(again, now)
	}
	return f, again, nil
}

// place announces the return, so that no other run makes a new wiki from the definition, and
// writes the definition.
func (p *putBack) place() error {
	unmark, err := recovery.PlaceDefinition(p.mark, nil, 0o600)
	if err != nil {
		return err
	}
	back, err := recovery.PlaceDefinition(p.path, p.text, p.mode)
	if err != nil {
		return errors.Join(err, unmark())
	}
	p.back = func() error { return errors.Join(disk.IgnoreAbsent(back()), disk.IgnoreAbsent(unmark())) }
	return nil
}

// keepBegun keeps the definitions of tenants that are back, or whose return has begun.
func keepBegun(ctx context.Context, h *session.Host, files []*putBack, outcomes []session.Outcome) {
	done := map[string]bool{}
	for _, o := range outcomes {
		done[o.Tenant.Name] = o.Status == session.Done
	}
	ctx = context.WithoutCancel(ctx)
	l, err := h.Ledger(ctx)
	for _, p := range files {
		if p.kept = done[p.name] || err != nil; p.kept {
			continue
		}
		row, _, unread := l.Tenant(ctx, p.name)
		p.kept = unread != nil || row.State == ledger.Returning || row.Run == h.RunID
	}
}

// takeBack deletes the definitions that are not kept.
func takeBack(files []*putBack) error {
	var failures []error
	for _, p := range files {
		if p.back != nil && !p.kept {
			failures = append(failures, disk.IgnoreAbsent(p.back()))
		}
	}
	return errors.Join(failures...)
}
