package definitions

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// match lists the files that the patterns match, each once, sorted, without editors'
// leftovers. A pattern may match nothing. The folder that it begins with must exist if a
// typing mistake in it would look like an empty farm.
func (l *loader) match(patterns []text, needsFolder bool) []string {
	var names []string
	for _, p := range patterns {
		pattern := path.Clean(filepath.ToSlash(p.value))
		found, err := doublestar.Glob(os.DirFS(l.farm.Dir), pattern, doublestar.WithFailOnIOErrors())
		folder, rest := doublestar.SplitPattern(pattern)
		plain := !strings.ContainsAny(rest, `*?[{\`)
		switch {
		case errors.Is(err, doublestar.ErrBadPattern):
			l.report(p.at, "", "", "the pattern %q is not valid", p.value)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			l.report(p.at, "", "", "the pattern %q: %s", p.value, err)
		case len(found) == 0 && (plain || needsFolder && !disk.IsFolder(filepath.Join(l.farm.Dir, folder))):
			l.report(p.at, "", "patterns are relative to "+tenants.FarmFile, "the pattern %q matches no file", p.value)
		}
		for _, name := range found {
			if !l.leftover(pattern, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// leftover reports whether a matched file is no definition: a folder, a file left by an
// editor or a merge, or a hidden file that the pattern does not name.
func (l *loader) leftover(pattern, name string) bool {
	asked := strings.Split(pattern, "/")
	for _, element := range strings.Split(name, "/") {
		if strings.HasPrefix(element, ".") && !slices.Contains(asked, element) {
			return true
		}
	}
	if strings.HasSuffix(name, ".toml") {
		return leftBehind.MatchString(path.Base(name))
	}
	return leftBehind.MatchString(path.Base(name)) || disk.IsFolder(filepath.Join(l.farm.Dir, name))
}

// leftBehind matches names of files that Emacs (#x#, x~), Vim (x.swp, x.un~, 4913),
// patch, git and package managers leave beside a file.
var leftBehind = regexp.MustCompile(`^#.*#$|~$|^[0-9]+$|\.(?:sw[a-z]|un~|orig|rej|bak|tmp|save|dpkg-[a-z]+|rpm(?:new|save|orig))$`)
