package mediawiki

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// components finds the components below path/folder: folders with a manifest such as
// extension.json, parts in their own folders ("ConfirmEdit/QuestyCaptcha"), and manifests
// with other names ("Wikibase:repo", of extension-repo.json). It follows links. kind is
// "extension" or "skin".
func components(path, folder, kind string) (map[string]*tenants.Component, error) {
	found := map[string]*tenants.Component{}
	entries, err := os.ReadDir(filepath.Join(path, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		maps.Copy(found, within(e.Name(), filepath.Join(path, folder, e.Name()), kind))
	}
	return found, nil
}

// within finds the components in a component's folder.
func within(name, dir, kind string) map[string]*tenants.Component {
	found := map[string]*tenants.Component{}
	if c := component(name, dir, kind+".json"); c != nil {
		found[c.Name] = c
	}
	inside, _ := os.ReadDir(dir) // a file, or an unreadable folder, has none
	for _, one := range inside {
		if c := further(name, dir, one.Name(), kind); c != nil {
			found[c.Name] = c
		}
	}
	return found
}

// further returns the further component of an entry in a component's folder, usually nil.
func further(folder, dir, entry, kind string) *tenants.Component {
	word, isManifest := strings.CutPrefix(strings.TrimSuffix(entry, ".json"), kind+"-")
	var c *tenants.Component
	switch {
	case isManifest && strings.HasSuffix(entry, ".json"):
		if c = component(folder+":"+word, dir, entry); c != nil {
			c.Manifest = folder + "/" + entry
		}
	case !slices.Contains(notComponents, entry) && !strings.Contains(entry, "."):
		if c = component(folder+"/"+entry, filepath.Join(dir, entry), kind+".json"); c != nil {
			c.Parent = folder
		}
	}
	return c
}

// notComponents lists folders of extensions that contain no parts.
var notComponents = []string{"i18n", "includes", "src", "resources", "modules", "maintenance", "tests", "sql", "vendor", "node_modules", "docs"}

// component returns the component of a manifest; nil without one. It does not read the
// manifest: wikis load few of a codebase's components.
func component(name, dir, manifest string) *tenants.Component {
	_, err := os.Stat(filepath.Join(dir, manifest))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil // README, or a folder without a component
	}
	return &tenants.Component{
		Name: name, Skin: strings.HasPrefix(manifest, "skin"), Path: dir,
		Declares:    sync.OnceValue(func() tenants.Declared { return readManifest(dir, manifest) }),
		Fingerprint: sync.OnceValue(func() string { return componentFingerprint(dir, manifest) }),
	}
}

// Outside reads an extension or a skin outside of a codebase, with its parts and further
// manifests, by name. path is its folder, or its manifest, which is then the only one. kind is
// "extension" or "skin".
func Outside(kind, name, path string) (map[string]*tenants.Component, error) {
	dir, manifest := filepath.Clean(path), kind+".json"
	only := strings.HasSuffix(path, ".json")
	if only {
		dir, manifest = filepath.Dir(dir), filepath.Base(dir)
	}
	found := map[string]*tenants.Component{}
	if !only {
		found = within(name, dir, kind)
	} else if c := component(name, dir, manifest); c != nil {
		found[name] = c
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s is missing", filepath.Join(dir, manifest))
	}
	for _, c := range found {
		switch {
		case only:
			c.Manifest = filepath.Join(dir, manifest)
		case c.Manifest == "":
			c.Manifest = filepath.Join(c.Path, kind+".json")
		default:
			c.Manifest = filepath.Join(dir, filepath.Base(c.Manifest))
		}
	}
	return found, nil
}

// readManifest reads the relevant parts of a manifest. An unreadable manifest is the
// component's fault.
func readManifest(dir, manifest string) (d tenants.Declared) {
	data, err := disk.Read(filepath.Join(dir, manifest))
	if err == nil {
		err = decodeManifest(&d, data)
	}
	if err != nil {
		d.Fault = fmt.Sprintf("its %s can't be used: %s", manifest, disk.Reason(err))
	}
	return d
}

func decodeManifest(d *tenants.Declared, manifest []byte) error {
	var m struct {
		Version  any                  `json:"version"`
		Requires tenants.Requirements `json:"requires"`
		// PHP itself refuses anything but a list.
		Namespaces json.RawMessage `json:"namespaces"`
		Models     json.RawMessage `json:"ContentHandlers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return err
	}
	d.Version, _ = m.Version.(string)
	d.Requires = m.Requires
	_ = json.Unmarshal(m.Namespaces, &d.Namespaces)
	var models map[string]any
	_ = json.Unmarshal(m.Models, &models)
	d.Models = slices.Sorted(maps.Keys(models))
	return nil
}

// ParentsFirst moves parts behind their parent component, and otherwise keeps the order.
func ParentsFirst(names []string, have map[string]*tenants.Component) []string {
	ordered := make([]string, 0, len(names))
	for _, name := range names {
		if slices.Contains(ordered, name) {
			continue
		}
		if c := have[name]; c != nil && slices.Contains(names, c.Parent) && !slices.Contains(ordered, c.Parent) {
			ordered = append(ordered, c.Parent)
		}
		ordered = append(ordered, name)
	}
	return ordered
}

// Others lists the components to load from a folder that has no usual manifest.
func Others(folder string, have map[string]*tenants.Component) (names []string) {
	for name := range have {
		if strings.HasPrefix(name, folder+":") || strings.HasPrefix(name, folder+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// DefaultSkin returns the skin of a codebase for wikis without one: Vector, with
// MediaWiki's own default for each version (Manual:$wgDefaultSkin), or else the first, or
// "".
func DefaultSkin(c *tenants.Codebase) string {
	names := make([]string, 0, len(c.Skins))
	for name, skin := range c.Skins {
		if skin.Declared().Fault == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case slices.Contains(names, "Vector"):
		return "Vector"
	case len(names) > 0:
		return names[0]
	}
	return ""
}
