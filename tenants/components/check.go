package components

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
)

// Check is the result of Verify or Outdated for one source.
type Check struct {
	Source tenants.Source
	Locked tenants.Locked // zero: not in the lock file
	Newest string         // of Outdated: the commit that the version is now; of an archive empty
	Err    error          // of Verify: why it is not what the lock file says; of Outdated: why that is unknown
}

// Verify compares the files of sources with the lock file. It changes nothing.
func Verify(ctx context.Context, f *tenants.Farm, names []string) []Check {
	return checkAll(ctx, f, names, runtime.GOMAXPROCS(0), func(_ context.Context, s tenants.Source) (Check, error) {
		l, found := f.LockedAs(s)
		if !found {
			return Check{Source: s}, errors.New("it is not fetched yet")
		}
		return Check{Source: s, Locked: l}, intact(f.Layout().Component(l), l)
	})
}

// Outdated asks the repositories which commits their versions are now. It changes nothing.
func Outdated(ctx context.Context, f *tenants.Farm, names []string) []Check {
	return checkAll(ctx, f, names, parallel, func(ctx context.Context, s tenants.Source) (c Check, err error) {
		c.Source = s
		c.Locked, _ = f.LockedAs(s)
		if s.Git != "" {
			c.Newest, err = resolve(ctx, s)
		}
		return c, err
	})
}

func checkAll(ctx context.Context, f *tenants.Farm, names []string, jobs int, one func(context.Context, tenants.Source) (Check, error)) []Check {
	list := chosen(f, names)
	checks := make([]Check, len(list))
	for i, r := range fleet.Run(ctx, list, fleet.Options[tenants.Source]{Jobs: jobs, MaxFailures: fleet.NoLimit}, one) {
		checks[i] = r.Value
		checks[i].Source, checks[i].Err = r.Item, r.Err
	}
	return checks
}

// Expire removes folders of components that were fetched before a time, that neither the lock
// file names nor any release of a tenant loads. It returns how many went.
func Expire(f *tenants.Farm, before time.Time) (n int, err error) {
	layout := f.Layout()
	entries, err := os.ReadDir(layout.Components())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	used := map[string]bool{}
	for _, l := range f.Locked {
		used[filepath.Base(filepath.Dir(layout.Component(l)))] = true
	}
	loadedRead := false
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || strings.HasPrefix(e.Name(), ".") || used[e.Name()] || info.ModTime().After(before) {
			continue
		}
		if !loadedRead {
			if err := loaded(layout, used); err != nil {
				return n, err
			}
			loadedRead = true
		}
		if used[e.Name()] {
			continue
		}
		if err := os.RemoveAll(filepath.Join(layout.Components(), e.Name())); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// loaded adds the folders that the settings of releases name, of removed tenants, too.
func loaded(layout tenants.Layout, used map[string]bool) error {
	for _, pattern := range []string{filepath.Join(layout.Wikis(), "*/releases/*/LocalSettings.php"), filepath.Join(layout.Removed(), "*/*/releases/*/LocalSettings.php")} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			for _, part := range strings.Split(string(text), layout.Components()+"/")[1:] {
				name, _, _ := strings.Cut(part, "/")
				used[name] = true
			}
		}
	}
	return nil
}
