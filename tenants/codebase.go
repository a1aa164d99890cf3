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
	"slices"
	"strings"
	"sync"
	"syscall"
)

var versionLine = regexp.MustCompile(`define\(\s*'MW_VERSION',\s*'([0-9][^']*)'\s*\)`)

// openCodebase looks at a MediaWiki tree: its version, extensions and skins. With an
// error the codebase is what could be seen of it.
func openCodebase(name, path string) (*Codebase, error) {
	c := &Codebase{Name: name, Path: path, fingerprint: func() string { return "unread" }}
	var err error
	if c.Version, err = VersionAt(path); err != nil {
		return c, err
	}
	c.requires = coreRequires(path)
	c.fingerprint = sync.OnceValue(func() string { return coreFingerprint(path) })
	if c.Extensions, err = components(path, "extensions", "extension.json", false); err != nil {
		return c, err
	}
	c.Skins, err = components(path, "skins", "skin.json", true)
	return c, err
}

// VersionAt is the version of the MediaWiki in a folder.
func VersionAt(path string) (string, error) {
	defines, err := ReadFile(filepath.Join(path, "includes", "Defines.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is no MediaWiki: it has no includes/Defines.php", path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s", path, Reason(err))
	}
	version := versionLine.FindSubmatch(defines)
	if version == nil {
		return "", fmt.Errorf("%s is no MediaWiki: includes/Defines.php has no MW_VERSION", path)
	}
	return string(version[1]), nil
}

// fault adds a reason why no wiki can run on the codebase.
func (c *Codebase) fault(p Problem) { c.Faults = append(c.Faults, p) }

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
		data, err := ReadFile(filepath.Join(dir, manifest))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // README, or a folder that holds no component
		}
		c := &Component{Name: e.Name(), Skin: skin, Path: dir}
		c.fingerprint = sync.OnceValue(func() string { return componentFingerprint(dir, manifest) })
		if err == nil {
			err = c.read(data)
		}
		if err != nil {
			c.fault = fmt.Sprintf("its %s can't be used: %s", manifest, Reason(err))
		}
		found[e.Name()] = c
	}
	return found, nil
}

// read takes what matters out of a manifest.
func (c *Component) read(manifest []byte) error {
	var m struct {
		Version  any          `json:"version"`
		Requires requirements `json:"requires"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return err
	}
	c.Version, _ = m.Version.(string)
	c.requires = m.Requires
	return nil
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
	if len(skins) == 0 {
		l.report(t.Position, "skins", `such as skins = ["Vector"]`, "the tenant %q has none", t.Name)
	}
	if t.Codebase == nil || len(t.Codebase.Faults) > 0 {
		return
	}
	t.checkComponents("extensions", extensions, t.Codebase.Extensions)
	t.checkComponents("skins", skins, t.Codebase.Skins)
}

// checkComponents finds what the tenant's codebase lacks of what the tenant loads.
func (t *Tenant) checkComponents(key string, wanted []text, have map[string]*Component) {
	kind := strings.TrimSuffix(key, "s")
	for _, w := range wanted {
		c := have[w.value]
		switch {
		case c == nil:
			t.Fault(t.absent(w, key, kind, have))
			continue
		case c.fault != "":
			t.Fault(Problem{Position: w.at, Key: key, Message: fmt.Sprintf("the %s %q of MediaWiki %s: %s", kind, w.value, t.Codebase.Version, c.fault)})
		}
		for _, missing := range c.requires.unmet(t) {
			t.Fault(Problem{Position: w.at, Key: key, Message: fmt.Sprintf("%s of tenant %q needs %s", w.value, t.Name, missing)})
		}
	}
}

// intoCore are components that became a part of MediaWiki, by the first version
// that has them (MediaWiki: release notes of 1.40).
var intoCore = map[string]string{"Renameuser": "1.40"}

// absent is the problem of a component that a codebase does not have.
func (t *Tenant) absent(w text, key, kind string, have map[string]*Component) Problem {
	since, moved := intoCore[w.value]
	if moved && slices.Compare(numbers(t.Codebase.Version), numbers(since)) >= 0 {
		return Problem{Position: w.at, Key: key, Hint: "take it away",
			Message: fmt.Sprintf("%s is part of MediaWiki since %s, and MediaWiki %s at %s has no %s of that name", w.value, since, t.Codebase.Version, t.Codebase.Path, kind)}
	}
	return Problem{Position: w.at, Key: key, Hint: didYouMean(w.value, maps.Keys(have)),
		Message: fmt.Sprintf("MediaWiki %s at %s has no %s %q", t.Codebase.Version, t.Codebase.Path, kind, w.value)}
}
