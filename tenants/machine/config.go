package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants/disk"
)

// Directive is one directive of a web server's configuration.
type Directive struct {
	Name  string   // as written
	Args  []string // without quotes
	File  string   // absolute
	Line  int
	Block []string // names of the enclosing blocks, outermost first
}

// Place returns "file:line".
func (d Directive) Place() string { return fmt.Sprintf("%s:%d", d.File, d.Line) }

// within reports whether the directive is in exactly these blocks.
func (d Directive) within(blocks ...string) bool { return slices.Equal(d.Block, blocks) }

// parser parses the directives of one file, which is included in the blocks block.
type parser func(file, text string, block []string) ([]Directive, error)

// reader reads a configuration file and its includes.
type reader struct {
	parse   parser
	include []string // names of the include directives, in lower case
	base    string   // folder of relative paths
	skip    string   // folder to skip: the farm's own virtual hosts
	found   []Directive
	links   []string // symbolic links among the files
	open    []string // the files being read, to detect cycles
	read    int      // number of files
}

// mostFiles limits the number of configuration files.
const mostFiles = 50_000

// file reads one file and its includes.
func (r *reader) file(path string, block []string) error {
	if slices.Contains(r.open, path) || r.read > mostFiles {
		return fmt.Errorf("%s: it includes itself, or more than %d files", path, mostFiles)
	}
	r.read++
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		r.links = append(r.links, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	all, err := r.parse(path, string(text), block)
	if err != nil {
		return err
	}
	r.open = append(r.open, path)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	for _, d := range all {
		r.found = append(r.found, d)
		if !slices.Contains(r.include, strings.ToLower(d.Name)) || len(d.Args) == 0 {
			continue
		}
		for _, path := range r.included(d.Args[0]) {
			if err := r.file(path, d.Block); err != nil {
				return err
			}
		}
	}
	return nil
}

// included lists the files that match an include, sorted as web servers do. Missing files
// are ignored: the web server's own check reports them.
func (r *reader) included(pattern string) []string {
	pattern = r.absolute(pattern)
	if r.skip != "" && sameFolder(filepath.Dir(pattern), r.skip) {
		return nil
	}
	files, _ := filepath.Glob(pattern)
	if disk.IsFolder(pattern) { // Apache includes the folder's files
		files, _ = filepath.Glob(filepath.Join(pattern, "*"))
	}
	return slices.DeleteFunc(files, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.Mode().IsRegular()
	})
}

func (r *reader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.base, path)
}

// sameFolder reports whether two paths lead to one folder, which need not exist.
func sameFolder(a, b string) bool {
	return filepath.Clean(a) == filepath.Clean(b) || resolve(a) == resolve(b)
}

// resolve resolves the symbolic links in the existing part of a path.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	above := filepath.Dir(path)
	if above == path {
		return path
	}
	return filepath.Join(resolve(above), filepath.Base(path))
}

// matches reports whether an include's pattern matches a file, which need not exist.
func (r *reader) matches(pattern, file string) bool {
	pattern = r.absolute(pattern)
	if disk.IsFolder(pattern) {
		pattern = filepath.Join(pattern, "*")
	}
	if ok, _ := filepath.Match(pattern, file); ok {
		return true
	}
	if strings.ContainsAny(filepath.Dir(pattern), "*?[") || !sameFolder(filepath.Dir(pattern), filepath.Dir(file)) {
		return false
	}
	ok, _ := filepath.Match(filepath.Base(pattern), filepath.Base(file))
	return ok
}
