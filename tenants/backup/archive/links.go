package archive

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants/disk"
)

// Link is a symbolic link in an upload folder.
type Link struct{ Path, Target string }

// addLink adds a link of an upload folder to the list, unless it is gone.
func (u Uploads) addLink(root *os.Root, name string) error {
	target, err := root.Readlink(name)
	if err == nil {
		u.Links[name] = target
	}
	return disk.IgnoreAbsent(err)
}

// Outward returns the links that lead, or may lead, out of the upload folder, by path. A
// backup has nothing of what is behind them, and a copy would share it.
func (u Uploads) Outward() []Link {
	var links []Link
	for path, target := range u.Links {
		if outward(path, target) {
			links = append(links, Link{path, target})
		}
	}
	slices.SortFunc(links, func(a, b Link) int { return cmp.Compare(a.Path, b.Path) })
	return links
}

// outward reports whether a link in a folder leads, or may lead, out of it. A ".." after a
// name counts: the name may be that of another link.
func outward(path, target string) bool {
	if filepath.IsAbs(target) {
		return true
	}
	above, named := strings.Count(path, "/"), false
	for word := range strings.SplitSeq(target, "/") {
		switch word {
		case "", ".":
		case "..":
			if above--; above < 0 || named {
				return true
			}
		default:
			named = true
		}
	}
	return false
}

// inward returns the links that lead to a place in the upload folder.
func (u Uploads) inward() map[string]string {
	links := maps.Clone(u.Links)
	maps.DeleteFunc(links, outward)
	return links
}

// CheckLinks returns an error if links lead out of the upload folder, with the way to bring
// what is behind the first one into it.
func (u Uploads) CheckLinks(folder string) error {
	links := u.Outward()
	if len(links) == 0 {
		return nil
	}
	path, target := filepath.Join(folder, links[0].Path), links[0].Target
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	more := ""
	if n := len(links) - 1; n > 0 {
		more = fmt.Sprintf(" (%d more links do, too)", n)
	}
	return fmt.Errorf("%s is a link to %s and leads out of the upload folder%s: backups and copies do not follow it; replace it by a folder on which the target is mounted (mount --bind %s %s), or move the files in",
		path, links[0].Target, more, target, path)
}
