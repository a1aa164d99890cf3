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

	"wikictl/tenants"
)

// LeftoverAge is how old a half-written file has to be before it counts as left
// by a run that was killed: no run takes that long over one.
const LeftoverAge = 10 * time.Minute

// Inspection is what is on disk of one tenant beside the content of its files,
// which Compare looks at.
type Inspection struct {
	Release   int       // that is served; zero: none
	Seen      int       // that was last seen to answer; zero: none was noted
	Releases  []int     // smallest first
	Broken    []Broken  // links
	Missing   []string  // of Layout.Images and Layout.Cache
	Rights    []Rights  // that are not as they should be
	Leftovers []string  // half-written, by runs that were killed
	ReadOnly  time.Time // since when its read-only file is there; zero: it is not
	Closed    time.Time // since when its page of maintenance is there; zero: it is not
}

// Broken is a symbolic link that does not lead where it has to.
type Broken struct{ Path, Why string }

// Inspect looks at the folder of a tenant that was created, and at its secrets. It
// reads a fixed number of folders and no file, and writes nothing.
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
	if i.Rights, i.Missing, err = wrongRights(d.rightsOf(tenant, i.Releases)); err != nil {
		return i, err
	}
	for _, path := range []string{filepath.Join(l.Releases(tenant), unfinished), beside(l.Current(tenant), "new")} {
		if Abandoned(path) {
			i.Leftovers = append(i.Leftovers, path)
		}
	}
	if i.ReadOnly, err = madeAt(l.ReadOnly(tenant)); err != nil {
		return i, err
	}
	i.Closed, err = madeAt(l.Maintenance(tenant))
	return i, err
}

// madeAt is since when a file is there; zero when it is not.
func madeAt(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, ignoreAbsent(err)
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
		return 0, []Broken{{current, "leads to " + target + ", which is no release"}}
	}
	if !Exists(d.layout.Release(tenant, release)) {
		return 0, []Broken{{current, "leads to " + target + ", which is not there"}}
	}
	core := filepath.Join(current, coreLink)
	target, err = os.Readlink(filepath.Join(d.layout.Release(tenant, release), coreLink))
	if err != nil {
		return release, []Broken{{core, notALink(err)}}
	}
	if !Exists(filepath.Join(target, "includes", "Defines.php")) {
		return release, []Broken{{core, "leads to " + target + ", where no MediaWiki is"}}
	}
	return release, nil
}

func notALink(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "is not there"
	}
	return "is no symbolic link"
}

// Abandoned reports whether something is there and was not touched for long.
func Abandoned(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && time.Since(info.ModTime()) > LeftoverAge
}

// FarmInspection is what is on disk of the farm as a whole.
type FarmInspection struct {
	Rights    []Rights // of the folders that tenants share, where they are wrong
	Strays    []Stray  // of tenants that are none of the farm's
	Leftovers []string // half-written, by runs that were killed
	Unseen    []string // why something was not inspected: this user may not read it
	Journal   bool     // a run was killed between switching releases and the reload
}

// Stray is a file or folder of a tenant that is none of the farm's.
type Stray struct {
	Name string
	Kind string // "vhosts", "pools", "wikis", "secrets", "backups" or "logs"
	Path string
}

// InspectFarm looks at what the state folder holds beside the given tenants. It
// writes nothing.
func (d *Deployer) InspectFarm(known map[string]bool) (i FarmInspection, err error) {
	if i.Rights, _, err = wrongRights(d.sharedRights()); err != nil {
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
		if ignoreAbsent(err) != nil {
			return i, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			name, fits := strings.CutSuffix(e.Name(), kind.ending)
			switch {
			case halfWritten.MatchString(e.Name()) && e.Type().IsRegular():
				if Abandoned(path) && !i.Journal {
					i.Leftovers = append(i.Leftovers, path)
				}
			case strings.HasPrefix(name, "."), known[name], path == d.DefaultVhost(), strings.HasPrefix(name, tenants.GoldenPrefix):
			case fits && (kind.ending != "" || e.IsDir()):
				i.Strays = append(i.Strays, Stray{name, kind.folder, path})
			}
		}
	}
	return i, nil
}

// halfWritten are the names that files have before they are renamed: those of
// beside, and of renameio.
var halfWritten = regexp.MustCompile(`^\..+\.(?:(?:conf|map)\.(?:new|old)|toml[0-9]+)$`)
