package tenants

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

var versionLine = regexp.MustCompile(`define\(\s*'MW_VERSION',\s*'([0-9][^']*)'\s*\)`)

// openCodebase looks at a MediaWiki tree: its version, extensions and skins.
func openCodebase(name, path string) (*Codebase, error) {
	defines, err := os.ReadFile(filepath.Join(path, "includes", "Defines.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no MediaWiki: it has no includes/Defines.php", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, reason(err))
	}
	version := versionLine.FindSubmatch(defines)
	if version == nil {
		return nil, fmt.Errorf("%s is no MediaWiki: includes/Defines.php has no MW_VERSION", path)
	}
	c := &Codebase{Name: name, Path: path, Version: string(version[1]), requires: coreRequires(path)}
	c.fingerprint = sync.OnceValue(func() string { return coreFingerprint(path) })
	if c.Extensions, err = components(path, "extensions", "extension.json", false); err != nil {
		return nil, err
	}
	c.Skins, err = components(path, "skins", "skin.json", true)
	return c, err
}

// Fingerprint is 16 hexadecimal digits that change with the core code that
// decides a database's schema. It reads some hundred files the first time.
func (c *Codebase) Fingerprint() string { return c.fingerprint() }

// components finds every folder below path/folder that has a manifest.
func components(path, folder, manifest string, skin bool) (map[string]*Component, error) {
	found := map[string]*Component{}
	entries, err := os.ReadDir(filepath.Join(path, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		dir := filepath.Join(path, folder, e.Name())
		data, err := os.ReadFile(filepath.Join(dir, manifest))
		if err != nil {
			continue // README, or a folder that holds no component
		}
		var m struct {
			Version  any          `json:"version"`
			Requires requirements `json:"requires"`
		}
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, manifest), err)
		}
		version, _ := m.Version.(string)
		found[e.Name()] = &Component{
			Name: e.Name(), Skin: skin, Path: dir, Version: version, requires: m.Requires,
			fingerprint: sync.OnceValue(func() string { return componentFingerprint(dir, manifest) }),
		}
	}
	return found, nil
}

// hasLanguage says whether the tree has messages of that language.
func (c *Codebase) hasLanguage(code string) bool {
	_, err := os.Stat(filepath.Join(c.Path, "languages", "i18n", code+".json"))
	return err == nil
}

// setComponents checks extensions and skins against the tenant's codebase.
func (l *loader) setComponents(t *Tenant, extensions, skins []text) {
	t.Extensions, t.Skins = values(extensions), values(skins)
	for _, e := range extensions {
		t.Origins["extensions."+e.value] = e.at
	}
	for _, s := range skins {
		t.Origins["skins."+s.value] = s.at
	}
	if t.Codebase == nil {
		return
	}
	if len(skins) == 0 {
		l.report(t.Position, "skins", `such as skins = ["Vector"]`, "the tenant %q has none", t.Name)
	}
	l.checkComponents(t, "extensions", extensions, t.Codebase.Extensions)
	l.checkComponents(t, "skins", skins, t.Codebase.Skins)
}

func (l *loader) checkComponents(t *Tenant, key string, wanted []text, have map[string]*Component) {
	for _, w := range wanted {
		c := have[w.value]
		if c == nil {
			l.report(w.at, key, didYouMean(w.value, maps.Keys(have)), "MediaWiki %s at %s has no %s %q", t.Codebase.Version, t.Codebase.Path, strings.TrimSuffix(key, "s"), w.value)
			continue
		}
		for _, missing := range c.requires.unmet(t) {
			l.report(w.at, key, "", "%s of tenant %q needs %s", w.value, t.Name, missing)
		}
	}
}

// Problems says why the tenant could not run on codebase c: extensions and
// skins that it lacks, and requirements of theirs that it does not meet.
func (t *Tenant) Problems(c *Codebase) []string {
	on := *t
	on.Codebase = c
	var found []string
	check := func(kind string, names []string, have map[string]*Component) {
		for _, name := range names {
			if have[name] == nil {
				found = append(found, fmt.Sprintf("MediaWiki %s has no %s %q", c.Version, kind, name))
				continue
			}
			for _, missing := range have[name].requires.unmet(&on) {
				found = append(found, name+" needs "+missing)
			}
		}
	}
	check("extension", t.Extensions, c.Extensions)
	check("skin", t.Skins, c.Skins)
	return found
}
