package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
)

// Obstacles returns the problems that prevent all work on tenants, by name: faults in their
// definitions, a php of their codebase that does not run, accounts other than those that they
// were created with, folders that the web server or PHP can't enter, or unreadable secrets. It
// runs each php once per Host, and reads no secrets of the tenants in rendered, which may be
// nil. Tenants without problems are not in the result.
func (h *Host) Obstacles(ctx context.Context, list []*tenants.Tenant, rendered map[string]bool) map[string]tenants.Problems {
	var codebases []*tenants.Codebase
	for _, t := range list {
		if t.Codebase != nil && !t.Blocked() && !slices.Contains(codebases, t.Codebase) {
			codebases = append(codebases, t.Codebase)
		}
	}
	silent := map[*tenants.Codebase]error{}
	options := fleet.Options[*tenants.Codebase]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, codebases, options, h.Platform) {
		silent[r.Item] = r.Err
	}
	found := map[string]tenants.Problems{}
	accounts := h.usersFaults(ctx, list)
	reach := h.reach(ctx)
	for _, t := range list {
		other, differ := accounts[t.Name]
		err := silent[t.Codebase] // a tenant without a definition has no codebase
		barred := reach(t)
		switch {
		case t.Blocked():
			found[t.Name] = t.Faults
		case err != nil:
			found[t.Name] = tenants.Problems{phpFault(t.Codebase, err)}
		case differ:
			found[t.Name] = tenants.Problems{other}
		case barred != nil:
			found[t.Name] = tenants.Problems{*barred}
		case !rendered[t.Name]:
			if err := h.SecretsFault(t.Name); err != nil {
				found[t.Name] = tenants.Problems{{Position: t.Position, Key: "name", Message: err.Error()}}
			}
		}
	}
	return found
}

// SecretsFault returns an error if a tenant's secrets exist but can't be read. A user's
// missing permission is not an error.
func (h *Host) SecretsFault(tenant string) error {
	_, err := h.Deploy.ReadSecrets(tenant)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return fmt.Errorf("its secrets can't be read: %w; restore %s from a backup", err, h.Layout.Secrets(tenant))
}

// phpFault returns the problem of the tenants on a codebase whose php does not run.
func phpFault(c *tenants.Codebase, err error) tenants.Problem {
	return tenants.Problem{
		Position: c.Position, Key: "codebases." + c.Name + ".php", Message: err.Error(),
		Hint: "set php to a working PHP command line program",
	}
}

// Platform asks the php of a codebase for its version and settings, once per Host.
func (h *Host) Platform(ctx context.Context, c *tenants.Codebase) (php.Platform, error) {
	h.mu.Lock()
	asked := h.platforms[c.PHP]
	if asked == nil {
		asked = new(platform)
		h.platforms[c.PHP] = asked
	}
	h.mu.Unlock()
	asked.once.Do(func() { asked.platform, asked.err = php.ReadPlatform(ctx, c.PHP) })
	return asked.platform, asked.err
}

// InTheWay returns a tenant's problems as an error, one line each.
func InTheWay(problems tenants.Problems) error {
	return errors.New(problems.Error())
}

// serverHint is the hint for an unreachable server that wikictl does not manage.
const serverHint = "correct its dsn, or start the server"

// ServerFault returns the problem of the tenants on an unreachable server.
func ServerFault(s *tenants.Server, err error) tenants.Problem {
	p := tenants.Problem{Position: s.Position, Key: "servers." + s.Name, Message: err.Error(), Hint: serverHint}
	if s.Managed || errors.As(err, new(*tenants.Hint)) {
		p.Hint = "" // the error has its own
	}
	return p
}
