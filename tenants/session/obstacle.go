package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
)

// Obstacles says, by tenant, why nothing can be made or changed for it: its faults, that
// the php of its codebase does not run, or that its secrets are there and can't be read.
// Each php is asked once a host. Tenants without an obstacle are not in it.
func (h *Host) Obstacles(ctx context.Context, list []*tenants.Tenant) map[string]tenants.Problems {
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
	for _, t := range list {
		err := silent[t.Codebase] // of a tenant that nothing defines any more there is no codebase
		switch {
		case t.Blocked():
			found[t.Name] = t.Faults
		case err != nil:
			found[t.Name] = tenants.Problems{PHPFault(t.Codebase, err)}
		default:
			if err := h.SecretsFault(t.Name); err != nil {
				found[t.Name] = tenants.Problems{{Position: t.Position, Key: "name", Message: err.Error()}}
			}
		}
	}
	return found
}

// SecretsFault says why the secrets of a tenant can't be read, of one that has any. That
// whoever runs this may not read them is no fault of theirs.
func (h *Host) SecretsFault(tenant string) error {
	_, err := h.Deploy.ReadSecrets(tenant)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return fmt.Errorf("its secrets can't be read: %w; restore %s from a backup", err, h.Layout.Secrets(tenant))
}

// PHPFault is the problem of every tenant on a codebase whose php does not run.
func PHPFault(c *tenants.Codebase, err error) tenants.Problem {
	return tenants.Problem{
		Position: c.Position, Key: "codebases." + c.Name + ".php", Message: err.Error(),
		Hint: "name a php command line program that runs",
	}
}

// Platform asks the php of a codebase what it is, once a host.
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

// InTheWay is what stands in the way of one tenant, as an error: a line for each.
func InTheWay(problems tenants.Problems) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

// ServerFault is the problem of every tenant on a server that can't be reached.
func ServerFault(s *tenants.Server, err error) tenants.Problem {
	p := tenants.Problem{Position: s.Position, Key: "servers." + s.Name, Message: err.Error(), Hint: "mend its dsn, or start it"}
	if s.Managed {
		p.Hint = "" // the error has it
	}
	return p
}
