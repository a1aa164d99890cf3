package upgrade

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/migrations"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// farmSQL are the farm's own files of SQL, in order, as they were when a plan was
// made: what is applied later is what was checked.
type farmSQL struct{ files []sqlFile }

type sqlFile struct {
	name, checksum string
	text           []byte
	match          func(*tenants.Tenant) bool // of the file's header
}

// where is the line of a header that says which tenants a file is for.
var where = regexp.MustCompile(`(?m)^--\s*where:\s*(.*\S)\s*$`)

// readFarmSQL reads the *.sql files of a folder, which need not exist. Those that
// can't be cut into statements are tenants.Problems, all of them.
func readFarmSQL(folder string) (farmSQL, error) {
	var f farmSQL
	var problems tenants.Problems
	names, err := fs.Glob(os.DirFS(folder), "*.sql")
	if err != nil {
		return f, err
	}
	for _, name := range names {
		text, err := disk.Read(filepath.Join(folder, name))
		if err != nil {
			at := tenants.Position{File: filepath.Join(filepath.Base(folder), name)}
			problems = append(problems, tenants.Problem{Position: at, Message: disk.Reason(err)})
			continue
		}
		file, problem := parseSQL(name, text)
		if problem != nil {
			problem.Position.File = filepath.Join(filepath.Base(folder), name)
			problems = append(problems, *problem)
		}
		f.files = append(f.files, file)
	}
	if len(problems) > 0 {
		return f, problems
	}
	return f, nil
}

// parseSQL checks one file; a problem has no file in its position yet.
func parseSQL(name string, text []byte) (sqlFile, *tenants.Problem) {
	sum := sha256.Sum256(text)
	file := sqlFile{name: name, text: text, checksum: hex.EncodeToString(sum[:]), match: func(*tenants.Tenant) bool { return true }}
	var syntax *migrations.SyntaxError
	if _, err := migrations.Split(string(text)); errors.As(err, &syntax) {
		return file, &tenants.Problem{Position: tenants.Position{Line: syntax.Line}, Message: syntax.Err.Error()}
	}
	m := where.FindSubmatchIndex(header(text))
	if m == nil {
		return file, nil
	}
	var err error
	if file.match, err = tenants.Match(string(text[m[2]:m[3]])); err != nil {
		line := 1 + bytes.Count(text[:m[2]], []byte("\n"))
		return file, &tenants.Problem{Position: tenants.Position{Line: line}, Key: "where", Message: err.Error()}
	}
	return file, nil
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
	checksums, files := map[string]string{}, texts{}
	for _, file := range f.files {
		if file.match(t) {
			files[file.name], checksums[file.name] = file.text, file.checksum
		}
	}
	return files, checksums
}

// texts is a file system of files in memory, by name.
type texts map[string][]byte

// Open implements fs.FS. Nothing needs more than ReadFile and Glob.
func (t texts) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// ReadFile implements fs.ReadFileFS.
func (t texts) ReadFile(name string) ([]byte, error) {
	text, ok := t[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return text, nil
}

// Glob implements fs.GlobFS; names are sorted.
func (t texts) Glob(pattern string) (names []string, err error) {
	for name := range t {
		match, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if match {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
