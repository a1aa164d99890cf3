package tenants

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"
)

// FarmFile is the name of the file that makes a folder a farm.
const FarmFile = "wikictl.toml"

// Load reads the farm in dir and everything that it names. The error is
// Problems when the farm's files are wrong: every mistake at once, sorted. The
// farm is nil then.
func Load(dir string) (*Farm, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l := loader{farm: &Farm{Dir: dir, Classes: map[string]*Class{}}}
	document, problems := readDocument(dir, FarmFile)
	l.problems = problems
	if len(problems) == 0 {
		l.readFarm(document)
		l.resolveAll()
	}
	if len(l.problems) > 0 {
		l.problems.Sort()
		return nil, slices.Compact(l.problems)
	}
	return l.farm, nil
}

// loader gathers a farm and its problems.
type loader struct {
	farm     *Farm
	problems Problems
	defaults layer
	classes  map[string]*layer
	prefix   string // of database names
}

// resolveAll reads classes and tenants, which the farm file has named.
func (l *loader) resolveAll() {
	l.classes = map[string]*layer{}
	for _, d := range l.readAll(l.farm.classPatterns) {
		if d.root != nil {
			l.addClass(d)
		}
	}
	l.checkClassCycles()
	names := l.match(l.farm.tenantPatterns)
	found := make([]*Tenant, len(names))
	l.each(len(names), func(l *loader, i int) {
		if d := l.read(names[i]); d.root != nil {
			found[i] = l.resolve(l.readLayer(d))
		}
	})
	l.farm.Tenants = slices.DeleteFunc(found, func(t *Tenant) bool { return t == nil })
	slices.SortFunc(l.farm.Tenants, func(a, b *Tenant) int { return strings.Compare(a.Name, b.Name) })
	l.checkTogether()
}

// readAll reads every file that the patterns match.
func (l *loader) readAll(patterns []text) []document {
	names := l.match(patterns)
	documents := make([]document, len(names))
	l.each(len(names), func(l *loader, i int) { documents[i] = l.read(names[i]) })
	return documents
}

// read reads one file; its root is nil when it has problems.
func (l *loader) read(name string) document {
	d, problems := readDocument(l.farm.Dir, name)
	l.problems = append(l.problems, problems...)
	return d
}

// each calls do for every number below n, several at once, each time with a
// loader of its own. What they report comes after what was known, by number.
func (l *loader) each(n int, do func(l *loader, i int)) {
	reported := make([]Problems, n)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				own := *l
				own.problems = slices.Clip(l.problems)
				do(&own, i)
				reported[i] = own.problems[len(l.problems):]
			}
		})
	}
	wait.Wait()
	l.problems = append(l.problems, slices.Concat(reported...)...)
}

// match lists the files that the patterns match, each once, sorted.
func (l *loader) match(patterns []text) []string {
	var names []string
	for _, p := range patterns {
		found, err := doublestar.Glob(os.DirFS(l.farm.Dir), filepath.ToSlash(p.value), doublestar.WithFailOnIOErrors())
		switch {
		case errors.Is(err, doublestar.ErrBadPattern):
			l.report(p.at, "", "", "the pattern %q is not valid", p.value)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			l.report(p.at, "", "", "the pattern %q: %s", p.value, err)
		case len(found) == 0:
			l.report(p.at, "", "patterns are relative to "+FarmFile, "the pattern %q matches no file", p.value)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (l *loader) report(at Position, key, hint, format string, args ...any) {
	s := section{path: "", problems: &l.problems}
	s.report(at, key, hint, format, args...)
}

// path makes a path of the definitions absolute.
func (l *loader) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(l.farm.Dir, p)
}
