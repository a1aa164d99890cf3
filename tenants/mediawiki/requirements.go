package mediawiki

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// Unmet lists the requirements that a tenant on its codebase does not meet, except those
// on PHP: see PlatformProblems. satisfies is Satisfies, or remembers its results.
func Unmet(r tenants.Requirements, t *tenants.Tenant, satisfies func(version, constraint string) bool) []string {
	var missing []string
	if r.MediaWiki != "" && !satisfies(t.Codebase.Version, r.MediaWiki) {
		missing = append(missing, fmt.Sprintf("MediaWiki %s, the codebase is %s", r.MediaWiki, t.Codebase.Version))
	}
	lack := func(kind string, wanted map[string]string, loaded []string, have map[string]*tenants.Component) {
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			folder := folderOf(name, have)
			if !slices.Contains(loaded, folder) {
				missing = append(missing, fmt.Sprintf("the %s %q, which the tenant does not load", kind, name))
				continue
			}
			if c := have[folder]; c != nil && c.Declared().Version != "" && !satisfies(c.Declared().Version, wanted[name]) {
				missing = append(missing, fmt.Sprintf("%s %s, the codebase has %s", name, wanted[name], c.Declared().Version))
			}
		}
	}
	lack("extension", r.Extensions, t.Extensions, t.Codebase.Extensions)
	lack("skin", r.Skins, t.Skins, t.Codebase.Skins)
	return missing
}

// coreRequires returns MediaWiki's own requirements on PHP and libraries, from its
// composer.json, or nil.
func coreRequires(path string) map[string]any {
	var composer struct {
		Require map[string]any `json:"require"`
	}
	data, err := disk.Read(filepath.Join(path, "composer.json"))
	if err != nil || json.Unmarshal(data, &composer) != nil {
		return nil // MediaWiki runs without the file
	}
	return composer.Require
}

// LibraryProblems lists the libraries that composer.json requires and composer.lock
// lacks, for which update.php refuses to run (MediaWiki:
// maintenance/checkComposerLockUpToDate.php).
func LibraryProblems(c *tenants.Codebase) []string {
	have, err := lockedLibraries(c.Path)
	if err != nil {
		return []string{fmt.Sprintf("MediaWiki %s: %s", c.Version, err)}
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(c.Requires)) {
		wanted, isText := c.Requires[name].(string)
		if !isText || !strings.Contains(name, "/") { // php, ext-xml
			continue
		}
		version, found := have[name]
		switch {
		case !found:
			problems = append(problems, fmt.Sprintf("MediaWiki %s needs the library %s %s: run composer update --no-dev in %s", c.Version, name, wanted, c.Path))
		case !Satisfies(version, wanted):
			problems = append(problems, fmt.Sprintf("MediaWiki %s needs the library %s %s, but has %s: run composer update --no-dev in %s", c.Version, name, wanted, version, c.Path))
		}
	}
	return problems
}

// lockedLibraries returns the versions of a codebase's libraries from its composer.lock,
// or else from that of MediaWiki's repository of libraries, or nil.
func lockedLibraries(path string) (map[string]string, error) {
	name := "composer.lock"
	data, err := disk.Read(filepath.Join(path, name))
	if errors.Is(err, fs.ErrNotExist) {
		name = filepath.Join("vendor", name)
		data, err = disk.Read(filepath.Join(path, name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages []struct{ Name, Version string }
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	versions := map[string]string{}
	for _, p := range lock.Packages {
		versions[p.Name] = p.Version
	}
	return versions, nil
}

// PlatformProblems lists the requirements of a tenant on codebase c that a PHP does not
// meet: a version such as "8.2.29", with extensions named as PHP names them.
func PlatformProblems(t *tenants.Tenant, c *tenants.Codebase, version string, extensions []string) []string {
	have := map[string]bool{}
	for _, e := range extensions {
		have[strings.ReplaceAll(strings.ToLower(e), " ", "-")] = true
	}
	return requirementsUnmet(t, c, version, have)
}

// PHPProblems lists the requirements of a tenant on codebase c on the version of PHP that a
// version such as "8.2.29" does not meet.
func PHPProblems(t *tenants.Tenant, c *tenants.Codebase, version string) []string {
	return requirementsUnmet(t, c, version, nil)
}

// requirementsUnmet looks at no extensions of PHP if have is nil.
func requirementsUnmet(t *tenants.Tenant, c *tenants.Codebase, version string, have map[string]bool) []string {
	problems := platformProblems("MediaWiki "+c.Version, c.Requires, version, have)
	for _, name := range t.Extensions {
		if e := c.Extensions[name]; e != nil {
			problems = append(problems, platformProblems(name, e.Declared().Requires.Platform, version, have)...)
		}
	}
	for _, name := range t.Skins {
		if s := c.Skins[name]; s != nil {
			problems = append(problems, platformProblems(name, s.Declared().Requires.Platform, version, have)...)
		}
	}
	return problems
}

func platformProblems(who string, requires map[string]any, version string, have map[string]bool) []string {
	var problems []string
	if have != nil {
		for _, key := range slices.Sorted(maps.Keys(requires)) {
			if extension, is := strings.CutPrefix(key, "ext-"); is && !have[extension] {
				problems = append(problems, fmt.Sprintf("%s needs PHP's extension %s", who, extension))
			}
		}
	}
	if wanted, _ := requires["php"].(string); wanted != "" && !Satisfies(version, wanted) {
		problems = append(problems, fmt.Sprintf("%s needs PHP %s, but it is %s", who, wanted, version))
	}
	return problems
}

// folderOf finds the folder of a component by the name that other components require.
func folderOf(name string, have map[string]*tenants.Component) string {
	if have[name] != nil {
		return name
	}
	for folder := range have {
		if strings.EqualFold(folder, strings.ReplaceAll(name, " ", "")) {
			return folder
		}
	}
	return name
}
