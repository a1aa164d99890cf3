package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/fleet"
)

// Code holds the settings that a codebase declares.
type Code struct {
	PHP        string // version of the PHP that read the codebase
	Core       group
	extensions map[string]group
	skins      map[string]group
	Owners     map[string]string   // a component's setting to its owner, such as "the extension Cite"
	hints      map[string]string   // cache of Near
	keys       map[string][]string // cache of DefaultKeys
}

// group holds the settings of core or of one component.
type group struct {
	Settings map[string]php.Setting
	names    map[string]bool // used by the code without a declaration
}

// bare lists variables of MediaWiki that neither a schema nor a global statement names.
var bare = []string{
	"wgConf", "wgHooks", "wgExtensionFunctions", "wgExtensionCredits", "wgAutoloadClasses", "wgSpecialPages",
	"wgExtensionMessagesFiles", "wgMessagesDirs", "wgAvailableRights", "wgAPIModules", "wgResourceModules",
	"wgWikiFarmSettingsDirectory", "wgCommandLineMode",
}

// Find finds a setting in core and in the components that a tenant loads. known is also
// true for a variable that the code uses without declaring it.
func (c *Code) Find(t *tenants.Tenant, name string) (s php.Setting, declared, known bool) {
	if c == nil {
		return s, false, false
	}
	if s, ok := c.Core.Settings[name]; ok {
		return s, true, true
	}
	known = c.Core.names[name]
	in := func(groups map[string]group, loaded []string) bool {
		for _, folder := range loaded {
			if found, ok := groups[folder].Settings[name]; ok {
				s = found
				return true
			}
			known = known || groups[folder].names[name]
		}
		return false
	}
	if in(c.extensions, t.Extensions) || in(c.skins, t.Skins) {
		return s, true, true
	}
	return s, false, known
}

// IsCore reports whether MediaWiki itself declares a setting.
func (c *Code) IsCore(name string) bool {
	if c == nil {
		return false
	}
	_, is := c.Core.Settings[name]
	return is
}

// all yields the names of all declared settings.
func (c *Code) all(yield func(string) bool) {
	for name := range c.Core.Settings {
		if !yield(name) {
			return
		}
	}
	for name := range c.Owners {
		if !yield(name) {
			return
		}
	}
}

func newCode(s php.Settings) *Code {
	c := &Code{PHP: s.PHP, Core: newGroup(s.Core), Owners: map[string]string{}, hints: map[string]string{}, keys: map[string][]string{}}
	for _, name := range bare {
		c.Core.names[name] = true
	}
	c.extensions = c.groups("extension", s.Extensions)
	c.skins = c.groups("skin", s.Skins)
	return c
}

func (c *Code) groups(kind string, declared map[string]php.SettingGroup) map[string]group {
	groups := make(map[string]group, len(declared))
	for _, folder := range slices.Sorted(maps.Keys(declared)) {
		g := newGroup(declared[folder])
		groups[folder] = g
		for name := range g.Settings {
			if _, taken := c.Owners[name]; !taken {
				c.Owners[name] = "the " + kind + " " + folder
			}
		}
	}
	return groups
}

func newGroup(s php.SettingGroup) group {
	g := group{Settings: s.Settings, names: make(map[string]bool, len(s.Names))}
	for _, name := range s.Names {
		g.names[name] = true
	}
	return g
}

// ReadCode reads the codebases of tenants, each in one PHP process unless its result is
// cached. unread has the errors by codebase. Codebases with faults, which have their own
// findings, are in neither.
func ReadCode(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant) (read map[*tenants.Codebase]*Code, unread map[*tenants.Codebase]error) {
	var used []*tenants.Codebase
	for _, t := range list {
		if len(t.Codebase.Faults) == 0 && !slices.Contains(used, t.Codebase) {
			used = append(used, t.Codebase)
		}
	}
	options := fleet.Options[*tenants.Codebase]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	read, unread = map[*tenants.Codebase]*Code{}, map[*tenants.Codebase]error{}
	for _, r := range fleet.Run(ctx, used, options, func(ctx context.Context, c *tenants.Codebase) (*Code, error) {
		s, err := readOne(ctx, f.Layout().SettingsCache(c.Name), c)
		if err != nil {
			return nil, err
		}
		return newCode(s), nil
	}) {
		if r.Err != nil {
			unread[r.Item] = r.Err
			continue
		}
		read[r.Item] = r.Value
	}
	return read, unread
}

// remembered is the content of a cache file with PHP's answer.
type remembered struct {
	Key      string
	Settings php.Settings
}

// readOne reads one codebase. It ignores errors of the cache: an audit also runs where
// the state folder is absent or another user's.
func readOne(ctx context.Context, cache string, c *tenants.Codebase) (php.Settings, error) {
	key := cacheKey(c)
	var known remembered
	if data, err := disk.Read(cache); err == nil && json.Unmarshal(data, &known) == nil && known.Key == key {
		return known.Settings, nil
	}
	s, err := php.ReadSettings(ctx, c.PHP, c.Path, outside(c))
	if err != nil {
		return s, err
	}
	if data, err := json.Marshal(remembered{key, s}); err == nil {
		_ = deploy.WriteFile(cache, data, 0o644, -1)
	}
	return s, nil
}

// outside returns the names of the extensions and skins outside of the codebase, by their
// manifests.
func outside(c *tenants.Codebase) map[string]string {
	names := map[string]string{}
	for _, have := range []map[string]*tenants.Component{c.Extensions, c.Skins} {
		for name, e := range have {
			if filepath.IsAbs(e.Manifest) && e.Declared().Fault == "" {
				names[e.Manifest] = name
			}
		}
	}
	return names
}

// cacheKey returns a hash of everything that ReadSettings depends on: names, sizes and
// times of the tree's PHP files and manifests, and the PHP program.
func cacheKey(c *tenants.Codebase) string {
	h := sha256.New()
	fmt.Fprintln(h, php.SettingsCode(), c.Path, c.Version)
	program, _ := filepath.EvalSymlinks(c.PHP)
	stamp(h, program)
	stamp(h, filepath.Join(c.Path, "includes", "config-schema.php"))
	stamp(h, filepath.Join(c.Path, "includes", "DefaultSettings.php")) // of versions without a schema
	folders := []string{filepath.Join(c.Path, "extensions"), filepath.Join(c.Path, "skins")}
	beside := outside(c)
	for _, manifest := range slices.Sorted(maps.Keys(beside)) {
		fmt.Fprintln(h, beside[manifest], manifest)
		folders = append(folders, filepath.Dir(manifest))
	}
	entered := map[string]bool{}
	for _, folder := range folders {
		stampFolder(h, folder, entered)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// stampFolder hashes the code and the manifests below a folder. It follows links, and
// enters each folder once.
func stampFolder(h io.Writer, folder string, entered map[string]bool) {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil || entered[real] {
		return // PHP can't read it either
	}
	entered[real] = true
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		path, name, isDir := filepath.Join(folder, e.Name()), e.Name(), e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			to, err := os.Stat(path)
			isDir = err == nil && to.IsDir()
		}
		isManifest := strings.HasSuffix(name, ".json") && (strings.HasPrefix(name, "extension") || strings.HasPrefix(name, "skin"))
		switch {
		case isDir && !slices.Contains([]string{"vendor", "node_modules", "tests", "i18n", "resources", "modules"}, name):
			stampFolder(h, path, entered)
		case !isDir && (isManifest || strings.HasSuffix(name, ".php")):
			stamp(h, path)
		}
	}
}

func stamp(h io.Writer, path string) {
	if info, err := os.Stat(path); err == nil {
		fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
	}
}

// Near returns a hint with the setting whose name is most similar, cached by name.
func (c *Code) Near(name string) string {
	hint, known := c.hints[name]
	if !known {
		hint = tenants.DidYouMean(name, c.all)
		c.hints[name] = hint
	}
	return hint
}

// DefaultKeys returns the keys of a table's default, cached by name.
func (c *Code) DefaultKeys(t *tenants.Tenant, name string) []string {
	if c == nil {
		return nil
	}
	keys, known := c.keys[name]
	if !known {
		declared, _, _ := c.Find(t, name)
		var table map[string]json.RawMessage
		_ = json.Unmarshal(declared.Default, &table) // a list has no keys
		keys = slices.Sorted(maps.Keys(table))
		c.keys[name] = keys
	}
	return keys
}
