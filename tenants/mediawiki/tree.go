// Package mediawiki knows MediaWiki: its tree, extensions, skins and tables, their
// requirements, and its rules for user names and passwords. A new release of MediaWiki
// changes this package first.
package mediawiki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

var versionLine = regexp.MustCompile(`define\(\s*'MW_VERSION',\s*'([0-9][^']*)'\s*\)`)

// Open inspects a MediaWiki tree: its version, extensions and skins. With an error, the
// codebase is incomplete.
func Open(name, path string) (*tenants.Codebase, error) {
	c := &tenants.Codebase{Name: name, Path: path, Fingerprint: func() string { return "unread" }}
	var err error
	if c.Version, err = VersionAt(path); err != nil {
		return c, err
	}
	c.Requires = coreRequires(path)
	c.Wrapped = !readsEnvironment(path)
	c.Fingerprint = sync.OnceValue(func() string { return coreFingerprint(path) })
	if c.Extensions, err = components(path, "extensions", "extension"); err != nil {
		return c, err
	}
	c.Skins, err = components(path, "skins", "skin")
	return c, err
}

// VersionAt returns the version of the MediaWiki in a folder.
func VersionAt(path string) (string, error) {
	defines, err := disk.Read(filepath.Join(path, "includes", "Defines.php"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is not a MediaWiki: it has no includes/Defines.php", path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s", path, disk.Reason(err))
	}
	version := versionLine.FindSubmatch(defines)
	if version == nil {
		return "", fmt.Errorf("%s is not a MediaWiki: includes/Defines.php has no MW_VERSION", path)
	}
	return string(version[1]), nil
}

// readsEnvironment reports whether a tree's entry points take their settings from the file
// that MW_CONFIG_FILE names in the environment.
func readsEnvironment(path string) bool {
	text, err := disk.Read(filepath.Join(path, "includes", "BootstrapHelperFunctions.php"))
	return err == nil && strings.Contains(string(text), "getenv( 'MW_CONFIG_FILE' )")
}

// Entries lists the entry points of a wiki, without ".php".
var Entries = []string{"index", "api", "load", "rest", "img_auth", "thumb", "thumb_handler", "opensearch_desc"}

// HasLanguage reports whether the tree has messages in a language.
func HasLanguage(c *tenants.Codebase, code string) bool {
	_, err := os.Stat(filepath.Join(c.Path, "languages", "i18n", code+".json"))
	return err == nil
}
