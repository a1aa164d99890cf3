package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/wiki"
)

// load makes the command line's PHP of a release's codebase load its settings, before the
// web server does. Of tenants with equal settings it loads only one, unless that fails:
// then it loads each, to report the error with the place in that tenant's definitions. itself is
// false for the others.
func (h *Host) load(ctx context.Context, tenant, release string) (itself bool, err error) {
	t := h.Farm.Tenant(tenant)
	c := h.codeOf(t, release)
	if t == nil || c == nil {
		return false, fmt.Errorf("%s does not belong to a tenant and codebase of the definitions", release)
	}
	first := h.alike(ctx, t, c, release)
	first.once.Do(func() {
		itself, first.err = true, errNotLoaded // kept after a panic
		first.err = h.runLoad(ctx, t, c, release, false)
	})
	err = first.err
	if err != nil && !itself {
		itself, err = true, h.runLoad(ctx, t, c, release, false)
	}
	if err != nil {
		return itself, fmt.Errorf("the command line's PHP can't load the settings: %w", err)
	}
	return itself, nil
}

var errNotLoaded = errors.New("the settings were not loaded")

// loaded is the result of loading settings with PHP.
type loaded struct {
	once sync.Once
	err  error
}

// alike returns the shared result for tenants with the settings of t on the same code, or
// one for t alone if no other tenant has equal settings.
func (h *Host) alike(ctx context.Context, t *tenants.Tenant, c *tenants.Codebase, release string) *loaded {
	want, err := h.Wanted(ctx, t, c)
	if err != nil {
		return new(loaded)
	}
	text, err := disk.Read(filepath.Join(release, "LocalSettings.php"))
	if err != nil || string(text) != string(want.LocalSettings) { // made from other definitions
		return new(loaded)
	}
	key, err := h.Templates.Alike(templates.Data{Farm: h.Farm, Tenant: t, Codebase: c})
	if err != nil || key == "" {
		return new(loaded)
	}
	key = c.PHP + "\x00" + c.Path + "\x00" + key
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.loaded[key] == nil {
		h.loaded[key] = new(loaded)
	}
	return h.loaded[key]
}

// codeOf returns the codebase of a release: the tenant's wanted one if it is in that
// folder, as several codebases may share a folder and differ in their php; otherwise the
// first by name, or nil.
func (h *Host) codeOf(t *tenants.Tenant, release string) *tenants.Codebase {
	core, err := os.Readlink(filepath.Join(release, "core"))
	if err != nil {
		return nil
	}
	if t != nil && t.Codebase != nil && h.Layout.Core(t.Codebase) == core {
		return t.Codebase
	}
	for _, name := range slices.Sorted(maps.Keys(h.Farm.Codebases)) {
		if c := h.Farm.Codebases[name]; h.Layout.Core(c) == core && len(c.Faults) == 0 {
			return c
		}
	}
	return nil
}

// runLoad makes PHP load the settings in a release's folder and, with page, render the
// wiki's main page. An error begins with its place in the definitions if it has one.
func (h *Host) runLoad(ctx context.Context, t *tenants.Tenant, c *tenants.Codebase, release string, page bool) error {
	if err := h.writeScript(h.Layout.LoadScript(), php.LoadScript()); err != nil {
		return err
	}
	server, log, err := h.PHP(ctx, t.Name, "settings", c)
	if err != nil {
		return err
	}
	settings := filepath.Join(release, "LocalSettings.php")
	limit := firstCPU
	if h.HasMessages(t, c) && !page {
		limit = settingsCPU
	}
	err = server.Load(ctx, php.Loading{Script: h.Layout.LoadScript(), Root: c.Path, Config: settings, Log: log, CPU: limit, Page: page})
	var wrong *php.SettingsError
	switch {
	case err == nil:
		return os.Remove(log)
	case !errors.As(err, &wrong):
		return err
	}
	return placed(t, settings, wrong)
}

// CPU limits for loading settings, which do not depend on other load: an endless loop
// delays the tenants of its batch that long. The first load of new code builds the
// messages of a language, which takes seconds.
const (
	settingsCPU = 10 * time.Second
	firstCPU    = time.Minute
)

// HasMessages reports whether the message cache of a codebase in a tenant's language
// exists: one file per language (MediaWiki: LCStoreStaticArray).
func (h *Host) HasMessages(t *tenants.Tenant, c *tenants.Codebase) bool {
	return deploy.Exists(filepath.Join(h.Layout.L10n(t.MessageSet(c)), t.Language+".l10n.php"))
}

// Explain adds PHP's own error message to an answer by which a tenant's web server or PHP
// reported a failure (5xx). Readers do not get that message, so it renders the same pages
// with the command line's PHP, and if that works asks php-fpm directly. It returns other
// errors unchanged. The tenant must be served from its current release.
func (h *Host) Explain(ctx context.Context, t *tenants.Tenant, err error) error {
	var answer *wiki.StatusError
	if !errors.As(err, &answer) || answer.Code < 500 {
		return err
	}
	release, linkErr := filepath.EvalSymlinks(h.Layout.Current(t.Name))
	c := h.codeOf(t, release)
	if linkErr != nil || c == nil {
		return err
	}
	var why *php.SettingsError
	loaded := h.runLoad(ctx, t, c, release, true)
	if errors.As(loaded, &why) {
		return fmt.Errorf("%w; PHP says: %w", err, loaded)
	}
	settings := filepath.Join(release, "LocalSettings.php")
	if why = php.LoggedByFPM(ctx, h.FPM(t), c.Path, settings, t.Hosts[0]); why != nil {
		return fmt.Errorf("%w; PHP says: %w", err, placed(t, settings, why))
	}
	return fmt.Errorf("%w (see the logs of the web server and of php-fpm)", err)
}

// FPM returns the address of a tenant's php-fpm.
func (h *Host) FPM(t *tenants.Tenant) string {
	if h.Farm.Web.Pools {
		return "unix:" + h.Layout.PoolSocket(t.Name)
	}
	return h.Farm.Web.FPM
}

// placed adds the place in the definitions to an error of PHP.
func placed(t *tenants.Tenant, settings string, wrong *php.SettingsError) error {
	text, err := disk.Read(settings)
	if err != nil {
		return errors.Join(wrong, err)
	}
	lines := make([]templates.CodeLine, len(wrong.Frames))
	for i, f := range wrong.Frames {
		lines[i] = templates.CodeLine(f)
	}
	key, at, ok := templates.Origin(t, settings, text, wrong.Message, lines)
	switch {
	case ok:
		return fmt.Errorf("%s: %s: %w", at, key, wrong)
	case len(lines) > 0:
		return fmt.Errorf("%w (%s:%d)", wrong, lines[0].File, lines[0].Line)
	}
	return wrong
}

// writeScript writes a script that PHP's user may read, unless it exists.
func (h *Host) writeScript(path string, code []byte) error {
	if have, err := disk.Read(path); err == nil && string(have) == string(code) {
		return nil
	}
	if err := os.MkdirAll(h.Layout.Run(), 0o755); err != nil {
		return err
	}
	return deploy.WriteFile(path, code, 0o644, -1)
}
