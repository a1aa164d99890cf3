package provision

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/components"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Tidy removes expired files and rows by [keep], and describes them in one line, or "".
// It stops when ctx ends; the next call continues.
func Tidy(ctx context.Context, h *session.Host, now time.Time) (line string, err error) {
	k := h.Farm.Keep
	var gone []string
	note := func(n int64, what string) {
		if n > 0 {
			gone = append(gone, fmt.Sprintf("%d %s", n, what))
		}
	}
	if k.DumpAge > 0 {
		n, bytes, failed := tidyDumps(ctx, h, now.Add(-k.DumpAge))
		note(int64(n), fmt.Sprintf("dumps of %d MB", bytes>>20))
		err = errors.Join(err, failed)
	}
	if k.Logs > 0 {
		n, failed := h.Deploy.ExpireLogs(ctx, now.Add(-k.Logs))
		note(int64(n), "logs")
		err = errors.Join(err, failed)
	}
	if k.Removed > 0 && ctx.Err() == nil {
		n, failed := h.Deploy.ExpireRemoved(now.Add(-k.Removed))
		note(int64(n), "removed wikis")
		if err = errors.Join(err, failed); n > 0 {
			err = errors.Join(err, h.ServeDefault(ctx))
		}
	}
	if k.Goldens > 0 && ctx.Err() == nil {
		n, failed := h.Deploy.ExpireGoldens(now.Add(-k.Goldens), goldensInUse(h.Farm.Tenants))
		note(int64(n), "goldens")
		err = errors.Join(err, failed)
	}
	if k.Components > 0 && ctx.Err() == nil {
		n, failed := components.Expire(h.Farm, now.Add(-k.Components))
		note(int64(n), "fetched extensions and skins")
		err = errors.Join(err, failed)
	}
	if k.Caches > 0 && ctx.Err() == nil {
		n, failed := h.Deploy.ExpireCaches(now.Add(-k.Caches), cachesInUse(h.Farm))
		note(int64(n), "caches")
		err = errors.Join(err, failed)
	}
	if k.Temporary > 0 && ctx.Err() == nil {
		n, failed := h.Deploy.ExpireTemporary(now.Add(-k.Temporary))
		note(int64(n), "temporary files")
		err = errors.Join(err, failed)
	}
	if k.Runs > 0 && ctx.Err() == nil {
		ledger, failed := h.Ledger(ctx)
		if failed == nil {
			var n int64
			n, failed = ledger.Expire(ctx, now.Add(-k.Runs))
			note(n, "rows of the ledger")
		}
		err = errors.Join(err, failed)
	}
	if len(gone) > 0 {
		line = "removed, as [keep] says: " + strings.Join(gone, ", ")
	}
	return line, err
}

// tidyDumps removes old dumps of all tenants, except those needed for a rollback or
// containing unacknowledged losses.
func tidyDumps(ctx context.Context, h *session.Host, before time.Time) (n int, bytes int64, err error) {
	l, err := h.Ledger(ctx)
	if err != nil {
		return 0, 0, err
	}
	history, err := l.History(ctx)
	if err != nil {
		return 0, 0, err
	}
	losses, err := l.Losses(ctx)
	if err != nil {
		return 0, 0, err
	}
	needed := ledger.NeededBackups(history)
	ledger.KeepLost(needed, losses)
	for _, t := range h.Farm.Tenants {
		if ctx.Err() != nil {
			return n, bytes, nil
		}
		removed, size, err := backup.Expire(h.Layout.Backups(t.Name), int(h.Farm.Keep.Dumps), before, needed)
		n, bytes = n+removed, bytes+size
		if err != nil {
			return n, bytes, err
		}
	}
	return n, bytes, nil
}

// goldensInUse reports whether a golden's file serves a defined tenant, for making it or
// for comparison.
func goldensInUse(list []*tenants.Tenant) func(name string) bool {
	var used map[string]bool
	return func(name string) bool {
		if used == nil { // only if a file is old enough
			used = map[string]bool{}
			for _, t := range list {
				if t.Codebase != nil {
					used[goldenKey(t)], used[t.ComponentSet(t.Codebase)] = true, true
				}
			}
		}
		key, _, _ := strings.Cut(filepath.Base(name), ".")
		return used[key]
	}
}

// cachesInUse reports whether a defined tenant or a codebase needs the cache or the folder of
// links at a path.
func cachesInUse(f *tenants.Farm) func(path string) bool {
	var used map[string]bool
	return func(path string) bool {
		if used == nil { // only if something is old enough
			used = map[string]bool{}
			for _, c := range f.Codebases {
				used[f.Layout().Core(c)] = true
			}
			for _, t := range f.Tenants {
				if t.Codebase != nil {
					used[f.Layout().L10n(t.MessageSet(t.Codebase))] = true
				}
			}
		}
		return used[path]
	}
}
