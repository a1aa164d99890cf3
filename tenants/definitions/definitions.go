// Package definitions reads the farm's TOML files. It returns all mistakes at once with
// their places, or tenants with resolved values and the origin of each. It writes
// nothing.
package definitions

import (
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"wikictl/tenants"
)

// Load reads the farm in dir and all files that it names. If the farm's files have mistakes, the
// farm is nil and the error is Problems: all mistakes, sorted. A problem of a single tenant is not
// an error, but one of its Faults.
func Load(dir string) (*tenants.Farm, error) {
	l, err := load(dir, nil)
	if err != nil {
		return nil, err
	}
	if len(l.problems) == 0 {
		return l.farm, nil
	}
	for _, t := range l.farm.Tenants { // for all tenants first, to report every mistake at once
		l.problems = append(l.problems, t.Faults...)
	}
	l.problems.Sort()
	return nil, slices.Compact(l.problems)
}

// load reads the farm in dir, with the texts of additional definitions by file.
func load(dir string, drafts map[string][]byte) (*loader, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l := &loader{drafts: drafts, farm: &tenants.Farm{Dir: dir, Classes: map[string]*tenants.Class{}}, pems: new(pems), users: new(sync.Map), reserved: new(sync.Map), core: new(sync.Map), languages: new(sync.Map), satisfied: new(sync.Map), machine: ThisMachine()}
	document, problems := readDocument(dir, tenants.FarmFile)
	l.problems = problems
	if document.root != nil {
		l.readFarm(document)
		l.resolveAll()
		l.resolveSizes()
	}
	return l, nil
}

// loader collects a farm and its problems.
type loader struct {
	farm                          *tenants.Farm
	drafts                        map[string][]byte // texts by file
	problems                      tenants.Problems
	defaults                      layer
	classes                       map[string]*layer
	tenantPatterns, classPatterns []text
	prefix                        string    // of database names
	pages                         []text    // of the farm, for upgrades to check
	reserved                      *sync.Map // user names, by codebase and language
	core                          *sync.Map // names of own namespaces of MediaWiki, by codebase and language
	languages                     *sync.Map // whether a codebase has a language, by both
	pems                          *pems
	users                         *sync.Map // whether the machine has a user, by name
	satisfied                     *sync.Map // results of mediawiki.Satisfies
	machine                       tenants.Machine
	lockUnread                    bool                              // the lock file can't be read
	constants                     *bool                             // set by settings that name namespaces other than MediaWiki's own
	printed                       map[string]func() (string, error) // secrets that commands print, by name
}

// resolveAll reads the classes and tenants that the farm file names.
func (l *loader) resolveAll() {
	l.classes = map[string]*layer{}
	for _, d := range l.readAll(l.classPatterns) {
		if d.root != nil {
			l.addClass(d)
		}
	}
	l.checkClassCycles()
	names := l.match(l.tenantPatterns, true)
	names = append(names, slices.Sorted(maps.Keys(l.drafts))...)
	found := make([]*tenants.Tenant, len(names))
	l.each(len(names), func(l *loader, i int) {
		if d := l.read(names[i]); d.root != nil {
			found[i] = l.resolve(l.readLayer(d))
		}
	})
	l.farm.Tenants = slices.DeleteFunc(found, func(t *tenants.Tenant) bool { return t == nil })
	slices.SortFunc(l.farm.Tenants, func(a, b *tenants.Tenant) int { return strings.Compare(a.Name, b.Name) })
	l.checkTogether()
}

// readAll reads every file that the patterns match.
func (l *loader) readAll(patterns []text) []document {
	names := l.match(patterns, false)
	documents := make([]document, len(names))
	l.each(len(names), func(l *loader, i int) { documents[i] = l.read(names[i]) })
	return documents
}

// read reads one file; its root is nil if it can't be parsed.
func (l *loader) read(name string) document {
	if text, is := l.drafts[name]; is {
		root, problems := parseDocument(name, text)
		l.problems = append(l.problems, problems...)
		return document{file: name, root: root}
	}
	d, problems := readDocument(l.farm.Dir, name)
	l.problems = append(l.problems, problems...)
	return d
}

// each calls do concurrently for every number below n, each goroutine with its own loader. It
// appends their problems in order of the numbers.
func (l *loader) each(n int, do func(l *loader, i int)) {
	reported := make([]tenants.Problems, n)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			own := *l
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				own.problems = slices.Clip(l.problems)
				do(&own, i)
				reported[i] = own.problems[len(l.problems):]
			}
		})
	}
	wait.Wait()
	l.problems = append(l.problems, slices.Concat(reported...)...)
}

func (l *loader) report(at tenants.Position, key, hint, format string, args ...any) {
	s := section{path: "", problems: &l.problems}
	s.report(at, key, hint, format, args...)
}

// path converts a path of the definitions to an absolute one.
func (l *loader) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(l.farm.Dir, p)
}
