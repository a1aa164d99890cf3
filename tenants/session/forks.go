package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wikictl/php"
	"wikictl/tenants"
)

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
	key := fmt.Sprintf("%s\x00%s\x00%d", c.PHP, c.Path, owner.UID)
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.forks[key]; f != nil {
		return f, nil
	}
	f, err := php.Start(ctx, php.Options{
		Program: c.PHP, Owner: owner,
		Memory: h.Farm.PHP.MemoryLimit, Opcache: h.Farm.PHP.Opcache, FileSize: h.Farm.PHP.FileSize,
	})
	if err != nil {
		return nil, fmt.Errorf("codebase %s: %w", c.Name, err)
	}
	h.forks[key] = f
	return f, nil
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
