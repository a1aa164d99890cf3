package upgrade

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// farmSQL are the farm's own files of SQL, in order.
type farmSQL struct {
	dir   fs.FS
	files []sqlFile
}

type sqlFile struct {
	name, checksum string
	match          func(*tenants.Tenant) bool // of the file's header
}

// where is the line of a header that says which tenants a file is for.
var where = regexp.MustCompile(`(?m)^--\s*where:\s*(.*\S)\s*$`)

// readFarmSQL reads the *.sql files of a folder, which need not exist.
func readFarmSQL(folder string) (farmSQL, error) {
	f := farmSQL{dir: os.DirFS(folder)}
	names, err := fs.Glob(f.dir, "*.sql")
	if err != nil {
		return f, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(f.dir, name)
		if err != nil {
			return f, err
		}
		sum := sha256.Sum256(text)
		file := sqlFile{name: name, checksum: hex.EncodeToString(sum[:]), match: func(*tenants.Tenant) bool { return true }}
		if m := where.FindSubmatch(header(text)); m != nil {
			if file.match, err = tenants.Match(string(m[1])); err != nil {
				return f, fmt.Errorf("%s: %w", name, err)
			}
		}
		f.files = append(f.files, file)
	}
	return f, nil
}

// header is the comment at a file's beginning.
func header(text []byte) []byte {
	end := 0
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "--") {
			break
		}
		end += len(line)
	}
	return text[:end]
}

// pending are the files that a tenant has not seen; seen is by name. A file that
// was changed after the tenant saw it is an error.
func (f farmSQL) pending(t *tenants.Tenant, seen map[string]string) ([]string, error) {
	var names []string
	for _, file := range f.files {
		old, was := seen[file.name]
		switch {
		case was && old != file.checksum:
			return nil, fmt.Errorf("migrations/%s was changed after it was applied; restore the file and add a new one", file.name)
		case !was && file.match(t):
			names = append(names, file.name)
		}
	}
	return names, nil
}

// of are the files of one tenant, and their checksums.
func (f farmSQL) of(t *tenants.Tenant) (fs.FS, map[string]string) {
	checksums := map[string]string{}
	var names []string
	for _, file := range f.files {
		if file.match(t) {
			names, checksums[file.name] = append(names, file.name), file.checksum
		}
	}
	return some{f.dir, names}, checksums
}

// some is a file system of which only some files are listed.
type some struct {
	fs.FS
	names []string
}

// Glob implements fs.GlobFS.
func (s some) Glob(pattern string) ([]string, error) {
	all, err := fs.Glob(s.FS, pattern)
	return slices.DeleteFunc(all, func(n string) bool { return !slices.Contains(s.names, n) }), err
}
