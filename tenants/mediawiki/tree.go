// Package mediawiki knows what a MediaWiki is: its tree, extensions, skins and tables, what they
// require, and how it takes user names and passwords. It is the room to open for a new
// release.
package mediawiki

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

var versionLine = regexp.MustCompile(`define\(\s*'MW_VERSION',\s*'([0-9][^']*)'\s*\)`)

// Open looks at a MediaWiki tree: its version, extensions and skins. With an
// error the codebase is what could be seen of it.
func Open(name, path string) (*tenants.Codebase, error) {
	c := &tenants.Codebase{Name: name, Path: path, Fingerprint: func() string { return "unread" }}
	var err error
	if c.Version, err = VersionAt(path); err != nil {
		return c, err
	}
	c.Requires = coreRequires(path)
	c.Fingerprint = sync.OnceValue(func() string { return coreFingerprint(path) })
	if c.Extensions, err = components(path, "extensions", "extension.json", false); err != nil {
		return c, err
	}
	c.Skins, err = components(path, "skins", "skin.json", true)
	return c, err
}

// VersionAt is the version of the MediaWiki in a folder.
func VersionAt(path string) (string, error) {
	defines, err := disk.Read(filepath.Join(path, "includes", "Defines.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is no MediaWiki: it has no includes/Defines.php", path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s", path, disk.Reason(err))
	}
	version := versionLine.FindSubmatch(defines)
	if version == nil {
		return "", fmt.Errorf("%s is no MediaWiki: includes/Defines.php has no MW_VERSION", path)
	}
	return string(version[1]), nil
}

// components finds every folder below path/folder that has a manifest.
func components(path, folder, manifest string, skin bool) (map[string]*tenants.Component, error) {
	found := map[string]*tenants.Component{}
	entries, err := os.ReadDir(filepath.Join(path, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		dir := filepath.Join(path, folder, e.Name())
		data, err := disk.Read(filepath.Join(dir, manifest))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // README, or a folder that holds no component
		}
		c := &tenants.Component{Name: e.Name(), Skin: skin, Path: dir}
		c.Fingerprint = sync.OnceValue(func() string { return componentFingerprint(dir, manifest) })
		if err == nil {
			err = readManifest(c, data)
		}
		if err != nil {
			c.Fault = fmt.Sprintf("its %s can't be used: %s", manifest, disk.Reason(err))
		}
		found[e.Name()] = c
	}
	return found, nil
}

// read takes what matters out of a manifest.
func readManifest(c *tenants.Component, manifest []byte) error {
	var m struct {
		Version  any                  `json:"version"`
		Requires tenants.Requirements `json:"requires"`
		// Anything that is no list is PHP's to refuse.
		Namespaces json.RawMessage `json:"namespaces"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return err
	}
	c.Version, _ = m.Version.(string)
	c.Requires = m.Requires
	_ = json.Unmarshal(m.Namespaces, &c.Namespaces)
	return nil
}

// HasLanguage reports whether the tree has messages of that language.
func HasLanguage(c *tenants.Codebase, code string) bool {
	_, err := os.Stat(filepath.Join(c.Path, "languages", "i18n", code+".json"))
	return err == nil
}

// IntoCore are components that became a part of MediaWiki, by the first version
// that has them (MediaWiki: release notes of 1.40).
var IntoCore = map[string]string{"Renameuser": "1.40"}
