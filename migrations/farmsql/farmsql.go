// Package farmsql reads the farm's own SQL, the *.sql files of its folder migrations: the
// tenants of each file, and the files that a tenant lacks. It knows nothing of servers or
// the ledger, and applies nothing.
package farmsql

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

// Files are the farm's own files of SQL, in order, with their content at the time of
// Read: a run applies exactly the files that it checked.
type Files struct{ files []file }

type file struct {
	name, checksum string
	text           []byte
	match          func(*tenants.Tenant) bool // from the file's header
}

// where matches the line of a header that selects the tenants of a file.
var where = regexp.MustCompile(`(?m)^--\s*where:\s*(.*\S)\s*$`)

// Read reads the *.sql files of a folder, which need not exist. The error is
// tenants.Problems with all files that can't be read or split into statements.
func Read(folder string) (Files, error) {
	var f Files
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
		one, problem := parse(name, text)
		if problem != nil {
			problem.Position.File = filepath.Join(filepath.Base(folder), name)
			problems = append(problems, *problem)
		}
		f.files = append(f.files, one)
	}
	if len(problems) > 0 {
		return f, problems
	}
	return f, nil
}

// parse checks one file; the position of its problem has no file yet.
func parse(name string, text []byte) (file, *tenants.Problem) {
	sum := sha256.Sum256(text)
	f := file{name: name, text: text, checksum: hex.EncodeToString(sum[:]), match: func(*tenants.Tenant) bool { return true }}
	var syntax *migrations.SyntaxError
	if _, err := migrations.Split(string(text)); errors.As(err, &syntax) {
		return f, &tenants.Problem{Position: tenants.Position{Line: syntax.Line}, Message: syntax.Err.Error()}
	}
	m := where.FindSubmatchIndex(header(text))
	if m == nil {
		return f, nil
	}
	var err error
	if f.match, err = tenants.Match(string(text[m[2]:m[3]])); err != nil {
		line := 1 + bytes.Count(text[:m[2]], []byte("\n"))
		return f, &tenants.Problem{Position: tenants.Position{Line: line}, Key: "where", Message: err.Error()}
	}
	return f, nil
}

// header returns the comment at the beginning of a file.
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

// Empty reports whether there are no files.
func (f Files) Empty() bool { return len(f.files) == 0 }

// Pending lists the files that a tenant lacks; seen has the checksums of the files that
// were applied to it, by name. A file that was changed after it was applied is an error.
func (f Files) Pending(t *tenants.Tenant, seen map[string]string) ([]string, error) {
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

// Of returns the files of one tenant, and their checksums by name.
func (f Files) Of(t *tenants.Tenant) (fs.FS, map[string]string) {
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

// Open implements fs.FS. Callers need only ReadFile and Glob.
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
