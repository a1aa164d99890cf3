package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"wikictl/tenants/disk"
)

// ExpireCaches removes localisation caches, and folders of links to codebases, that were made
// before a time. It keeps those to which a release refers, including releases for a rollback,
// and those whose path used reports as needed.
func (d *Deployer) ExpireCaches(before time.Time, used func(path string) bool) (n int, err error) {
	var named map[string]bool
	var failed error
	kept := func(path string) bool {
		if named == nil { // read only once something is old enough
			named, failed = d.cachesOfReleases()
		}
		return failed != nil || named[path] || used(path)
	}
	for _, dir := range []string{filepath.Dir(d.layout.L10n("x")), d.layout.Wrapped()} {
		more, err := d.expireIn(dir, before, func(e fs.DirEntry) bool { return e.IsDir() && !kept(filepath.Join(dir, e.Name())) })
		if n += more; err != nil {
			return n, err
		}
	}
	return n, failed
}

// cacheOfRelease matches the name of a localisation cache in a release's settings.
var cacheOfRelease = regexp.MustCompile(`/l10n/([A-Za-z0-9]+)`)

// cachesOfReleases returns the paths of the caches and of the folders of links that releases of
// all wikis refer to.
func (d *Deployer) cachesOfReleases() (map[string]bool, error) {
	named := map[string]bool{}
	releases, err := filepath.Glob(filepath.Join(d.layout.Releases("*"), "*"))
	if err != nil {
		return nil, err
	}
	for _, release := range releases {
		if core, err := os.Readlink(filepath.Join(release, coreLink)); err == nil {
			named[core] = true
		}
		text, err := disk.Read(filepath.Join(release, settingsFile))
		if disk.IgnoreAbsent(err) != nil {
			return nil, err
		}
		for _, m := range cacheOfRelease.FindAllSubmatch(text, -1) {
			named[d.layout.L10n(string(m[1]))] = true
		}
	}
	return named, nil
}

// ExpireTemporary removes files that a killed PHP left in the folders for MediaWiki's temporary
// files, if they were last written before a time. It keeps the files by which MediaWiki makes
// identifiers unique.
func (d *Deployer) ExpireTemporary(before time.Time) (n int, err error) {
	folders, err := filepath.Glob(d.layout.TemporaryOf("*"))
	if err != nil {
		return 0, err
	}
	for _, dir := range append(folders, d.layout.Temporary()) {
		more, failed := d.expireIn(dir, before, func(e fs.DirEntry) bool {
			return e.Type().IsRegular() && !strings.Contains(e.Name(), "GlobalIdGenerator")
		})
		n, err = n+more, errors.Join(err, failed)
	}
	return n, err
}
