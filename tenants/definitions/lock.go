package definitions

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// lockHead begins the lock file.
const lockHead = "# The extensions and skins that wikictl extensions fetch fetched: it writes this file.\n# Keep it in git with wikictl.toml: another machine fetches the same files by it.\n"

// lockFile is the form of the lock file.
type lockFile struct {
	Fetched []lockEntry `toml:"fetched"`
}

// lockEntry is one entry of the lock file.
type lockEntry struct {
	Kind    string `toml:"kind"`
	Name    string `toml:"name"`
	Git     string `toml:"git,omitempty"`
	Version string `toml:"version,omitempty"`
	Archive string `toml:"archive,omitempty"`
	SHA256  string `toml:"sha256,omitempty"`
	Commit  string `toml:"commit,omitempty"`
	Tree    string `toml:"tree"`
	Vendor  string `toml:"vendor,omitempty"`
}

// readLock reads the lock file. Without one, nothing was fetched yet.
func (l *loader) readLock() {
	locked, err := ReadLock(l.farm.Dir)
	if problems := (tenants.Problems)(nil); errors.As(err, &problems) {
		l.problems = append(l.problems, problems...)
		l.lockUnread = true
	}
	l.farm.Locked = locked
}

// notTold reports whether a component is fetched or not fetched according to a lock file that can't
// be read.
func (l *loader) notTold(kind, name string) bool {
	return l.lockUnread && slices.ContainsFunc(l.farm.Sources, func(s tenants.Source) bool {
		folder := strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == ':' })
		return s.Kind() == kind && len(folder) > 0 && s.Name == folder[0]
	})
}

// ReadLock reads the lock file in a farm's folder. It is empty if there is none. The error is
// Problems, all of the file.
func ReadLock(dir string) ([]tenants.Locked, error) {
	data, err := disk.Read(filepath.Join(dir, tenants.LockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, tenants.Problems{{Position: tenants.Position{File: tenants.LockFile}, Message: disk.Reason(err), Hint: lockHint}}
	}
	entries, problems := parseLock(data)
	for i, entry := range entries {
		entries[i] = absolute(dir, entry)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return entries, nil
}

// lockHint is the hint for a lock file that can't be read.
const lockHint = "bring it back from git; or remove it, and wikictl extensions fetch --update fetches everything anew"

// mergeMark matches what git writes into a file that two sides of a merge changed.
var mergeMark = regexp.MustCompile(`(?m)^(?:<{7} |={7}\r?$|>{7} )`)

// parseLock returns the entries of a lock file, or all its mistakes.
func parseLock(data []byte) (entries []tenants.Locked, problems tenants.Problems) {
	if at := mergeMark.FindIndex(data); at != nil {
		return nil, tenants.Problems{{Position: positionAt(tenants.LockFile, data, at[0]), Message: "has both sides of a merge",
			Hint: "keep the entries of one side and remove git's marks; wikictl extensions fetch adds what is missing"}}
	}
	var file lockFile
	decoder := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		p := syntaxProblem(tenants.LockFile, err)
		p.Message, p.Hint = "is not a lock file of this version: "+tenants.OneLine(p.Message), lockHint
		return nil, tenants.Problems{p}
	}
	places, problem := findPlaces(tenants.LockFile, data)
	if problem != nil {
		return nil, tenants.Problems{*problem}
	}
	report := func(i int, hint, format string, args ...any) {
		at := places.member("fetched").element(i).at
		problems = append(problems, tenants.Problem{Position: at, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	for i, e := range file.Fetched {
		entry := tenants.Locked(e)
		if err := checkLocked(entry); err != nil {
			report(i, lockHint, "%s", err)
		}
		if slices.ContainsFunc(entries, entry.SameSource) {
			report(i, "remove one of them; wikictl extensions verify compares the files", "the %s %s has another entry of the same source", entry.Kind, entry.Name)
		}
		entries = append(entries, entry)
	}
	return entries, problems
}

// checkLocked refuses an entry whose path could leave the folder of components.
func checkLocked(l tenants.Locked) error {
	switch {
	case l.Kind != "extension" && l.Kind != "skin":
		return fmt.Errorf("the kind %q is neither extension nor skin", l.Kind)
	case !componentName.MatchString(l.Name):
		return fmt.Errorf("the name %q can't be one", l.Name)
	case !sum256.MatchString(l.Tree) || l.Vendor != "" && !sum256.MatchString(l.Vendor):
		return fmt.Errorf("the entry of %s has no SHA-256 of its files", l.Name)
	case l.Git != "" && !commit.MatchString(l.Commit):
		return fmt.Errorf("the entry of %s has no commit", l.Name)
	}
	return nil
}

// absolute and relative convert paths of the lock file, which are relative to its folder
// if they are below it, to those of a Source, and back.
func absolute(dir string, l tenants.Locked) tenants.Locked {
	for _, address := range []*string{&l.Git, &l.Archive} {
		if isFile(*address) && !filepath.IsAbs(*address) {
			*address = filepath.Join(dir, *address)
		}
	}
	return l
}

func relative(dir string, l tenants.Locked) tenants.Locked {
	for _, address := range []*string{&l.Git, &l.Archive} {
		if below, err := filepath.Rel(dir, *address); err == nil && filepath.IsAbs(*address) && filepath.IsLocal(below) && !scp.MatchString(below) {
			*address = below
		}
	}
	return l
}

// FormatLock returns the text of the lock file in a farm's folder.
func FormatLock(dir string, list []tenants.Locked) ([]byte, error) {
	file := lockFile{Fetched: []lockEntry{}}
	for _, l := range list {
		file.Fetched = append(file.Fetched, lockEntry(relative(dir, l)))
	}
	slices.SortFunc(file.Fetched, func(a, b lockEntry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Git+a.Archive, b.Git+b.Archive), cmp.Compare(a.Version+a.SHA256, b.Version+b.SHA256))
	})
	text, err := toml.Marshal(file)
	if err != nil {
		return nil, err
	}
	return append([]byte(lockHead+"\n"), text...), nil
}
