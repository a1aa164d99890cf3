package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wikictl/templates/deploy/permissions"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// halfWrittenAge is the age from which a half-written file counts as left by a killed run. No
// run takes that long to write a file.
const halfWrittenAge = 10 * time.Minute

// Inspection is the state on disk of one tenant, except the content of its files, which
// Compare reads.
type Inspection struct {
	Release     int                  // the current one; zero: none
	Seen        int                  // release from which the tenant last answered; zero: not recorded
	Releases    []int                // ascending
	Broken      []Broken             // links with a wrong target
	Missing     []string             // missing folders among Layout.Images and Layout.Cache
	Rights      []permissions.Rights // wrong modes and owners
	HalfWritten []string             // files that killed runs left half-written
	ReadOnly    time.Time            // since when its read-only file exists; zero: it does not
	Closed      time.Time            // since when its maintenance page exists; zero: it does not
	Ahead       []string             // files by whose date caches are forgotten, with one in the future
}

// Broken is a symbolic link with a wrong target.
type Broken struct{ Path, Why string }

// Inspect inspects the folder of a created tenant, and its secrets. It reads a fixed
// number of folders and no files, and writes nothing.
func (d *Deployer) Inspect(tenant string) (i Inspection, err error) {
	l := d.layout
	if i.Releases, err = d.Releases(tenant); err != nil {
		return i, err
	}
	i.Release, i.Broken = d.links(tenant)
	seen, err := d.Seen(tenant)
	if err != nil {
		return i, err
	}
	i.Seen = seen.Release
	if i.Rights, i.Missing, err = permissions.Inspect(d.rightsOf(tenant, i.Releases)); err != nil {
		return i, err
	}
	for _, path := range []string{filepath.Join(l.Releases(tenant), unfinished), beside(l.Current(tenant), "new")} {
		if Abandoned(path) {
			i.HalfWritten = append(i.HalfWritten, path)
		}
	}
	if i.ReadOnly, err = madeAt(l.ReadOnly(tenant)); err != nil {
		return i, err
	}
	if i.Closed, err = madeAt(l.Maintenance(tenant)); err != nil {
		return i, err
	}
	for _, path := range []string{l.CacheEpoch(tenant), l.Current(tenant)} {
		info, err := os.Lstat(path)
		if disk.IgnoreAbsent(err) != nil {
			return i, err
		}
		if err == nil && time.Until(info.ModTime()) > clockAhead {
			i.Ahead = append(i.Ahead, path)
		}
	}
	return i, nil
}

// clockAhead is how far a date may be in the future that the clock has given.
const clockAhead = 5 * time.Minute

// madeAt returns since when a file exists; zero if it does not.
func madeAt(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, disk.IgnoreAbsent(err)
	}
	return info.ModTime(), nil
}

// links follows a tenant's links to its release and to the code.
func (d *Deployer) links(tenant string) (release int, broken []Broken) {
	current := d.layout.Current(tenant)
	target, err := os.Readlink(current)
	if err != nil {
		return 0, []Broken{{current, notALink(err)}}
	}
	if release, err = strconv.Atoi(filepath.Base(target)); err != nil || release < 1 {
		return 0, []Broken{{current, "leads to " + target + ", which is not a release"}}
	}
	if !Exists(d.layout.Release(tenant, release)) {
		return 0, []Broken{{current, "leads to " + target + ", which does not exist"}}
	}
	core := filepath.Join(current, coreLink)
	target, err = os.Readlink(filepath.Join(d.layout.Release(tenant, release), coreLink))
	if err != nil {
		return release, []Broken{{core, notALink(err)}}
	}
	if !Exists(filepath.Join(target, "includes", "Defines.php")) {
		return release, []Broken{{core, "leads to " + target + ", which is not a MediaWiki tree"}}
	}
	return release, nil
}

func notALink(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	return "is not a symbolic link"
}

// Abandoned reports whether a path exists and was not changed for halfWrittenAge.
func Abandoned(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && time.Since(info.ModTime()) > halfWrittenAge
}

// FarmInspection is the state on disk of the farm as a whole.
type FarmInspection struct {
	Rights      []permissions.Rights // wrong modes and owners of the folders that tenants share
	Strays      []Stray              // files of tenants that the farm does not have
	HalfWritten []string             // files that killed runs left half-written
	Unseen      []string             // paths that this user may not read, with the reason
	Journal     bool                 // a run was killed between switching releases and the reload
}

// Stray is a file or folder of a tenant that the farm does not have.
type Stray struct {
	Name string
	Kind string // "vhosts", "pools", "wikis", "secrets", "backups" or "logs"
	Path string
}

// InspectFarm inspects the state folder, except the files of the known tenants. It writes
// nothing.
func (d *Deployer) InspectFarm(known map[string]bool) (i FarmInspection, err error) {
	if i.Rights, _, err = permissions.Inspect(d.sharedRights()); err != nil {
		return i, err
	}
	i.Journal = Abandoned(d.journalPath())
	for _, kind := range []struct{ folder, ending string }{
		{"vhosts", ".conf"}, {"vhosts", ".map"}, {"pools", ".conf"}, {"secrets", ".toml"}, {"wikis", ""}, {"backups", ""}, {"logs", ""},
	} {
		dir := filepath.Join(d.layout.State, kind.folder)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrPermission) {
			i.Unseen = append(i.Unseen, err.Error())
			continue
		}
		if disk.IgnoreAbsent(err) != nil {
			return i, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			name, fits := strings.CutSuffix(e.Name(), kind.ending)
			switch {
			case halfWritten.MatchString(e.Name()) && e.Type().IsRegular():
				if Abandoned(path) && !i.Journal {
					i.HalfWritten = append(i.HalfWritten, path)
				}
			case strings.HasPrefix(name, "."), known[name], path == d.DefaultVhost(), path == d.layout.HostsVhost(), strings.HasPrefix(name, tenants.GoldenPrefix):
			case fits && (kind.ending != "" || e.IsDir()):
				i.Strays = append(i.Strays, Stray{name, kind.folder, path})
			}
		}
	}
	return i, nil
}

// halfWritten matches the names of files before they are renamed: those of beside and of
// renameio.
var halfWritten = regexp.MustCompile(`^\..+\.(?:(?:conf|map)\.(?:new|old)|toml[0-9]+)$`)
