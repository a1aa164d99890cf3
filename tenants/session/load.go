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
	"wikictl/tenants/wiki"
)

// load has the command line's PHP of a release's codebase load its settings, before
// the web server does. Of tenants whose settings are alike one is enough, unless it
// fails: then each says what is wrong, with its own places.
func (h *Host) load(ctx context.Context, tenant, release string) error {
	t := h.Farm.Tenant(tenant)
	c := h.codeOf(t, release)
	if t == nil || c == nil {
		return fmt.Errorf("%s is of no tenant or codebase of the definitions", release)
	}
	first := h.alike(t, c, release)
	mine := false
	first.once.Do(func() {
		mine, first.err = true, errNotLoaded // where it panics
		first.err = h.runLoad(ctx, t, c, release, false)
	})
	err := first.err
	if err != nil && !mine {
		err = h.runLoad(ctx, t, c, release, false)
	}
	if err != nil {
		return fmt.Errorf("the command line's PHP can't load the settings: %w", err)
	}
	return nil
}

var errNotLoaded = errors.New("they were not loaded")

// loaded is settings that PHP has loaded, or could not.
type loaded struct {
	once sync.Once
	err  error
}

// alike is what became of the settings of a tenant like t, on the same code; of t alone
// where no other is known to be like it.
func (h *Host) alike(t *tenants.Tenant, c *tenants.Codebase, release string) *loaded {
	want, err := h.Wanted(t, c)
	if err != nil {
		return new(loaded)
	}
	text, err := os.ReadFile(filepath.Join(release, "LocalSettings.php"))
	if err != nil || string(text) != string(want.LocalSettings) { // it is of other definitions
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

// codeOf is the codebase that a release runs on: the tenant's wanted one when it is in
// that folder, as several codebases may share one and differ in their php, else the
// first by name. nil when the definitions have none such.
func (h *Host) codeOf(t *tenants.Tenant, release string) *tenants.Codebase {
	core, err := os.Readlink(filepath.Join(release, "core"))
	if err != nil {
		return nil
	}
	if t != nil && t.Codebase != nil && t.Codebase.Path == core {
		return t.Codebase
	}
	for _, name := range slices.Sorted(maps.Keys(h.Farm.Codebases)) {
		if c := h.Farm.Codebases[name]; c.Path == core && len(c.Faults) == 0 {
			return c
		}
	}
	return nil
}

// runLoad has PHP load the settings in the folder of a release and, with page, make
// the wiki's main page. What is wrong begins with its place in the definitions, where
// it has one.
func (h *Host) runLoad(ctx context.Context, t *tenants.Tenant, c *tenants.Codebase, release string, page bool) error {
	if err := h.writeScript(h.Layout.LoadScript(), php.LoadScript()); err != nil {
		return err
	}
	server, err := h.PHP(ctx, c)
	if err != nil {
		return err
	}
	log, err := h.Log(t.Name, "settings")
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

// What settings may take of the processor until they are loaded, which does not depend on
// what else runs: one that never ends holds up the tenants of its batch for so long.
// The first load of new code makes its messages in a language, which takes seconds.
const (
	settingsCPU = 10 * time.Second
	firstCPU    = time.Minute
)

// HasMessages reports whether the messages of a codebase in a tenant's language are made:
// there is a file for each language (MediaWiki: LCStoreStaticArray).
func (h *Host) HasMessages(t *tenants.Tenant, c *tenants.Codebase) bool {
	return deploy.Exists(filepath.Join(h.Layout.L10n(t.ComponentSet(c)), t.Language+".l10n.php"))
}

// Explain adds to an answer by which a tenant's web server or PHP says that it failed
// (5xx), while the tenant is served from its current release, what PHP itself says of
// it: readers are not told, so that the command line's PHP makes the same pages, and
// where that works php-fpm is asked directly. Other errors stay as they are.
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
	if why = php.LoggedByFPM(ctx, h.fpm(t), c.Path, settings, t.Hosts[0]); why != nil {
		return fmt.Errorf("%w; PHP says: %w", err, placed(t, settings, why))
	}
	return fmt.Errorf("%w (look at the logs of the web server and of php-fpm)", err)
}

// fpm is where the php-fpm of a tenant answers.
func (h *Host) fpm(t *tenants.Tenant) string {
	if h.Farm.Web.Pools {
		return "unix:" + h.Layout.PoolSocket(t.Name)
	}
	return h.Farm.Web.FPM
}

// placed says where in the definitions an error of PHP comes from.
func placed(t *tenants.Tenant, settings string, wrong *php.SettingsError) error {
	text, err := os.ReadFile(settings)
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

// writeScript puts down a script that PHP's user may read, unless it is there.
func (h *Host) writeScript(path string, code []byte) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == string(code) {
		return nil
	}
	if err := os.MkdirAll(h.Layout.Run(), 0o755); err != nil {
		return err
	}
	return deploy.WriteFile(path, code, 0o644, -1)
}
