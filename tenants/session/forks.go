package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"wikictl/php"
	"wikictl/tenants"
)

// forks holds the fork servers of a run.
type forks struct {
	mu       sync.Mutex
	by       map[string]*fork // by program, folder and user
	starting sync.WaitGroup   // those of ExpectLoads
}

// fork is a fork server, once it has started.
type fork struct {
	mu     sync.Mutex
	server *php.Server
}

func (f *forks) of(key string) *fork {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[key] == nil {
		f.by[key] = new(fork)
	}
	return f.by[key]
}

// close ends all fork servers.
func (f *forks) close() (errs []error) {
	f.starting.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.by {
		if one.server != nil {
			errs = append(errs, one.server.Close())
		}
	}
	return errs
}

// RunPHP runs a job on a codebase for a tenant, and returns the tenant's log of that step, which
// has the job's output.
func (h *Host) RunPHP(ctx context.Context, tenant, step string, c *tenants.Codebase, job php.Job) (log string, err error) {
	server, log, err := h.PHP(ctx, tenant, step, c)
	if err != nil {
		return "", err
	}
	job.Log = log
	_, err = server.Run(ctx, job)
	return log, err
}

// PHP returns the fork server of a codebase for a tenant's user, and a log for the output of a
// step.
func (h *Host) PHP(ctx context.Context, tenant, step string, c *tenants.Codebase) (server *php.Server, log string, err error) {
	if server, err = h.forked(ctx, tenant, c); err != nil {
		return nil, "", err
	}
	log, err = h.newLog(tenant, step)
	return server, log, err
}

// forked starts the fork server of a codebase for a tenant's user, or returns the running one.
func (h *Host) forked(ctx context.Context, tenant string, c *tenants.Codebase) (*php.Server, error) {
	owner := h.ownerOf(tenant)
	f := h.forks.of(fmt.Sprintf("%s\x00%s\x00%d", c.PHP, c.Path, owner.UID))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.server != nil {
		return f.server, nil
	}
	server, err := php.Start(ctx, php.Options{
		Program: c.PHP, Owner: owner,
		Memory: h.Farm.PHP.MemoryLimit, Opcache: h.Farm.PHP.Opcache, FileSize: h.Farm.PHP.FileSize,
	})
	if err != nil {
		return nil, fmt.Errorf("codebase %s: %w", c.Name, err)
	}
	f.server = server
	return server, nil
}

// ExpectLoads starts, without waiting, what loading the settings of tenants begins with: it asks
// the php of each codebase for its platform, and starts a fork server for the first tenant on it.
// Errors are left to later calls of Platform and PHP.
func (h *Host) ExpectLoads(ctx context.Context, list []*tenants.Tenant) {
	expected := map[*tenants.Codebase]bool{}
	for _, t := range list {
		if t.Codebase == nil || t.Blocked() || expected[t.Codebase] {
			continue
		}
		expected[t.Codebase] = true
		h.forks.starting.Go(func() {
			if _, err := h.Platform(ctx, t.Codebase); err == nil {
				_, _ = h.forked(ctx, t.Name, t.Codebase)
			}
		})
	}
}

// newLog creates a file for PHP's output about a tenant, and returns its path.
func (h *Host) newLog(tenant, step string) (string, error) {
	path := filepath.Join(h.Layout.Logs(tenant), h.RunID+"-"+step+".log")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := h.admit(tenant, filepath.Dir(path)); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return "", err
	}
	return path, errors.Join(f.Close(), h.giveTo(tenant, path))
}

// admit lets the user of a tenant's PHP enter a folder, whatever umask it was made with.
func (h *Host) admit(tenant, folder string) error {
	info, err := os.Stat(folder)
	if err != nil || h.ownerOf(tenant).UID == 0 || info.Mode()&0o001 != 0 {
		return err
	}
	return os.Chmod(folder, info.Mode().Perm()|0o111)
}
