package session

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
)

// AskPHP asks the php of each tenant's codebase for its platform while the caller goes on, so that
// Obstacles has the answers early. Call wait before the Host is closed.
func (h *Host) AskPHP(ctx context.Context, list []*tenants.Tenant) (wait func()) {
	return aside(ctx, func() { h.askPHP(ctx, list) })
}

// Warm makes PHP load settings on the code of the first of the tenants while the caller goes on:
// PHP has then started, and has compiled most code, when it loads the new settings of these
// tenants. They are the settings of a tenant that is served with that code already, one of these
// if possible, otherwise one of others. Warm ignores errors, which those later loads report. wait
// ends it; call it before the Host is closed.
func (h *Host) Warm(ctx context.Context, list, others []*tenants.Tenant) (wait func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := aside(ctx, func() {
		if t := h.firstToLoad(ctx, list); t != nil {
			h.warm(ctx, t, append(list[:len(list):len(list)], others...))
		}
	})
	return func() {
		cancel()
		ended()
	}
}

// aside runs a function while the caller goes on, which need not know of its panic. wait waits for
// its end.
func aside(ctx context.Context, do func()) (wait func()) {
	var running sync.WaitGroup
	running.Go(func() {
		fleet.Run(ctx, []func(){do}, fleet.Options[func()]{Jobs: 1}, func(context.Context, func()) (struct{}, error) {
			do()
			return struct{}{}, nil
		})
	})
	return running.Wait
}

// firstToLoad returns the first tenant whose settings will be loaded on its codebase: it is
// neither blocked, nor still to be created, nor served with other code, and its settings change.
// It tries few, as the record of a farm may be missing. nil: none is.
func (h *Host) firstToLoad(ctx context.Context, list []*tenants.Tenant) *tenants.Tenant {
	for _, t := range list[:min(len(list), triedToLoad)] {
		if t.Blocked() || !deploy.Exists(h.Layout.Secrets(t.Name)) {
			continue
		}
		release := h.served(t)
		if release == "" || h.codeOf(t, release) == t.Codebase && h.settingsDiffer(ctx, t, release) {
			return t
		}
	}
	return nil
}

// triedToLoad limits the tenants that firstToLoad renders.
const triedToLoad = 20

// settingsDiffer reports whether a release has other settings than the wanted ones. It is false if
// these depend on the ledger, which must be read under locks.
func (h *Host) settingsDiffer(ctx context.Context, t *tenants.Tenant, release string) bool {
	if h.Templates.AsksCreated() {
		return false
	}
	want, err := h.Wanted(ctx, t, t.Codebase)
	if err != nil {
		return false
	}
	have, err := os.ReadFile(filepath.Join(release, "LocalSettings.php"))
	return err == nil && string(have) != string(want.LocalSettings)
}

// warm starts PHP for a tenant, and has it load the first settings in list that are served with
// that PHP and code.
func (h *Host) warm(ctx context.Context, t *tenants.Tenant, list []*tenants.Tenant) {
	if _, err := h.PHP(ctx, t.Name, t.Codebase); err != nil {
		return
	}
	for _, other := range list {
		if other.Blocked() || other.Codebase != t.Codebase || h.ownerOf(other.Name).UID != h.ownerOf(t.Name).UID {
			continue
		}
		if release := h.served(other); release != "" && h.codeOf(other, release) == t.Codebase && h.HasMessages(other, t.Codebase) {
			if h.runLoad(ctx, other, t.Codebase, release, loadAhead) != nil {
				os.Remove(h.logPath(other.Name, loadAhead))
			}
			return
		}
	}
}

// served returns the folder of a tenant's current release, or "".
func (h *Host) served(t *tenants.Tenant) string {
	release, err := filepath.EvalSymlinks(h.Layout.Current(t.Name))
	if err != nil {
		return ""
	}
	return release
}
