package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"wikictl/templates/escape"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// coreSettings holds the facts of MediaWiki's includes/config-schema.php that rendering
// needs.
type coreSettings struct {
	// scalars are the settings, without "wg", whose default is not an array. PHP can't assign
	// a member of such a value.
	scalars map[string]bool
	arrays  map[string]bool     // the settings whose default is one
	skin    string              // the default of $wgDefaultSkin
	skins   map[string][]string // names in skin.json of the skins in a folder

	subjects sync.Map      // index of the subject of a setting, by name
	digest   func() string // digest of the fields above
}

// assigned matches the assignment of a default in MediaWiki before 1.39, which has no
// schema.
var assigned = regexp.MustCompile(`(?m)^\$wg([A-Za-z0-9_]+) = ('[^']*'|[^$&])`)

// readCore reads a codebase's defaults. Settings that can't be read are missing, and
// treated as arrays.
func readCore(c *tenants.Codebase) *coreSettings {
	core := &coreSettings{scalars: map[string]bool{}, arrays: map[string]bool{}, skins: map[string][]string{}}
	core.digest = sync.OnceValue(func() string {
		return tenants.Digest(fmt.Appendf(nil, "%#v %#v %#v %#v", core.scalars, core.arrays, core.skin, core.skins))
	})
	if c == nil {
		return core
	}
	for _, m := range defaultsOf(c.Path) {
		// PHP turns null into an array by itself.
		if m[2] != "[" && m[2] != "n" {
			core.scalars[m[1]] = true
		}
		if m[2] == "[" {
			core.arrays[m[1]] = true
		}
		if m[1] == "DefaultSkin" {
			core.skin = strings.Trim(m[2], "'")
		}
	}
	for folder, skin := range c.Skins {
		core.skins[folder] = skinNames(skin)
	}
	return core
}

// defaultsOf returns a tree's settings, without "wg", and the beginning of the default of
// each.
func defaultsOf(path string) [][]string {
	if data, err := disk.Read(filepath.Join(path, "includes", "config-schema.php")); err == nil {
		return schemaDefaults(string(data))
	}
	data, _ := disk.Read(filepath.Join(path, "includes", "DefaultSettings.php"))
	return assigned.FindAllStringSubmatch(string(data), -1)
}

// schemaDefaults reads the generated list of defaults, whose lines are indented by three tabs.
func schemaDefaults(schema string) (found [][]string) {
	text, _, _ := strings.Cut(schema, "\n\t\t],\n")
	for {
		_, line, more := strings.Cut(text, "\n\t\t\t'")
		if !more {
			return found
		}
		name, value, _ := strings.Cut(line, "' => ")
		if text = line; !escape.IsPHPName(name) || value == "" {
			continue
		}
		begins := value[:1]
		if inside, _, closed := strings.Cut(value[1:], "'"); begins == "'" && closed {
			begins = "'" + inside + "'"
		}
		found, text = append(found, []string{"", name, begins}), value[len(begins):]
	}
}

// skinNames returns the skins that a folder registers: Vector has two.
func skinNames(skin *tenants.Component) []string {
	var manifest struct{ ValidSkinNames map[string]any }
	data, err := disk.Read(filepath.Join(skin.Path, "skin.json"))
	if err != nil || json.Unmarshal(data, &manifest) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(manifest.ValidSkinNames))
}

// defaultSkin returns the $wgDefaultSkin for a skin's folder: MediaWiki's own default if
// the folder has it, otherwise the skin with the folder's name, otherwise the first.
func (c *coreSettings) defaultSkin(folder string) string {
	names := c.skins[folder]
	for _, name := range []string{c.skin, strings.ToLower(folder)} {
		if slices.Contains(names, name) {
			return name
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return strings.ToLower(folder)
}

// core returns the settings of a codebase, which are read once.
func (s *Set) core(c *tenants.Codebase) *coreSettings {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codebases[c] == nil {
		s.codebases[c] = readCore(c)
	}
	return s.codebases[c]
}
