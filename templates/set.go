package templates

import (
	"cmp"
	"errors"
	html "html/template"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// Set holds all templates, ready to render. It is safe for concurrent use.
type Set struct {
	// Created reports whether the ledger has a tenant, for templates that ask; nil: all
	// count as created.
	Created func(tenant string) (bool, error)

	// Same reports whether a tenant's files were rendered before from the same inputs, so that
	// Check need not render them; nil: none were.
	Same func(t *tenants.Tenant) bool

	asks      bool   // a template asks whether tenants were created
	own       string // digest of the farm's own templates
	bounded   bool   // isBounded is true of all templates
	templates map[string]func() *template.Template
	pages     map[string]*html.Template // of HTML
	infos     map[string]Info
	buffers   sync.Pool
	kept      *kept // nil: nothing is kept

	mu        sync.Mutex
	codebases map[*tenants.Codebase]*coreSettings
	fleets    map[*tenants.Farm]*Fleet
}

// Info describes a template and its origin.
type Info struct {
	Name  string   // of its file
	File  string   // relative to the farm's folder; empty: built in
	Parts []string // parts of the built-in one that File replaces; empty: File replaces it as a whole
	Kind  string   // of its result: ".php", "nginx", "apache", "pool", or one of tenants.FileKinds
	Farm  bool     // it makes a file of the farm as a whole
}

// label returns the name of a template in messages.
func (i Info) label() string {
	if i.File == "" {
		return builtinPrefix + i.Name
	}
	return i.File
}

// Own reports whether the template contains text of the farm's own.
func (i Info) Own() bool { return i.File != "" }

// Infos lists the templates: those of tenants, then those of the farm's files.
func (s *Set) Infos() []Info {
	var all []Info
	for _, name := range names() {
		all = append(all, s.infos[name])
	}
	var files []Info
	for _, i := range s.infos {
		if i.Farm {
			files = append(files, i)
		}
	}
	slices.SortFunc(files, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return append(all, files...)
}

// Builtin returns the text of a built-in template, with its parts: a template of the farm's own
// that holds this text makes the same files. ok is false if there is none of that name.
func Builtin(name string) (text []byte, ok bool) {
	text, err := builtin.ReadFile(name)
	for _, file := range partFiles[name] {
		part, wrong := builtin.ReadFile(file)
		text, err = append(text, part...), cmp.Or(err, wrong)
	}
	return text, err == nil && slices.Contains(names(), name)
}

// Load loads the templates; a file dir/NAME replaces the built-in one of its name or, if
// it only defines parts, those parts. files are the farm's own files, each of which has a
// template in dir. The error is tenants.Problems if a template does not parse, prints
// without an escaper, or has a name that nothing uses. dir need not exist.
func Load(dir string, files ...tenants.File) (*Set, error) {
	s := &Set{
		bounded:   true,
		templates: map[string]func() *template.Template{}, pages: map[string]*html.Template{}, infos: map[string]Info{},
		codebases: map[*tenants.Codebase]*coreSettings{}, fleets: map[*tenants.Farm]*Fleet{},
	}
	own, problems := ownTemplates(dir)
	if len(problems) > 0 {
		return nil, problems
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		s.asks = s.asks || strings.Contains(string(own[name]), ".Created")
		s.own = digestOf(s.own, name, string(own[name]))
	}
	for _, name := range names() {
		problems = append(problems, s.load(name, filepath.Join(filepath.Base(dir), name), own[name])...)
		delete(own, name)
	}
	for _, f := range files {
		problems = append(problems, s.loadFile(f, filepath.Join(filepath.Base(dir), f.Template), own)...)
	}
	for name := range own {
		if _, used := s.infos[name]; used {
			continue
		}
		problems = append(problems, tenants.Problem{
			Position: tenants.Position{File: filepath.Join(filepath.Base(dir), name)},
			Message:  "replaces no template, and no file of [files] is made from it",
			Hint:     "the templates are " + strings.Join(names(), ", "),
		})
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	return s, nil
}

func names() []string {
	return []string{LocalSettings, NginxVhost, NginxDefault, NginxMap, ApacheVhost, ApacheDefault, FPMPool}
}

// load loads the built-in template of a name, with the replacements of the farm's own
// file, if there is one. A built-in template as it is needs no check, and is parsed when it is
// first executed.
func (s *Set) load(name, file string, own []byte) tenants.Problems {
	info := Info{Name: name, Kind: kindOf(name)}
	if own == nil {
		s.templates[name], s.infos[name] = sync.OnceValue(func() *template.Template { return parseBuiltin(name) }), info
		return nil
	}
	text, _ := Builtin(name)
	base := parseBuiltin(name)
	info.File = file
	var problems tenants.Problems
	base, info.Parts, problems = override(base, info.Kind, file, string(own), map[string]string{builtinPrefix + name: string(text)})
	s.add(info, base)
	return problems
}

// add adds a template that was parsed, or nil.
func (s *Set) add(i Info, t *template.Template) {
	s.templates[i.Name], s.infos[i.Name] = func() *template.Template { return t }, i
	s.bounded = s.bounded && (i.Farm || t != nil && isBounded(t))
}

// parseBuiltin parses a built-in template. It panics if it has a mistake, which no file of a
// farm can cause.
func parseBuiltin(name string) *template.Template {
	text, ok := Builtin(name)
	t, problems := parseText(kindOf(name), Info{Name: name}.label(), string(text))
	if !ok || len(problems) > 0 {
		panic("built-in template " + name + ": " + problems.Error())
	}
	return t
}

// override replaces built-in parts by those that the farm's own file defines. A file with
// text outside of parts is the whole template.
func override(base *template.Template, kind, file, text string, sources map[string]string) (*template.Template, []string, tenants.Problems) {
	own, problems := parseText(kind, file, text)
	if own == nil {
		return nil, nil, problems
	}
	var parts []string
	for _, part := range own.Templates() {
		if part.Tree != nil && part.Name() != file {
			parts = append(parts, part.Name())
		}
	}
	slices.Sort(parts)
	if len(parts) == 0 || own.Tree != nil && !parse.IsEmptyTree(own.Tree.Root) {
		return own, nil, checkTemplate(own, kind, map[string]string{file: text})
	}
	for _, name := range parts {
		if base.Lookup(name) == nil || name == base.Name() {
			problems = append(problems, tenants.Problem{
				Position: definedAt(file, text, name), Message: "the built-in template has no part " + name,
				Hint: "it has " + strings.Join(partsOf(base), ", "),
			})
			continue
		}
		if _, err := base.AddParseTree(name, own.Lookup(name).Tree); err != nil {
			problems = append(problems, syntaxProblem(file, err))
		}
	}
	sources[file] = text
	return base, parts, append(problems, checkTemplate(base, kind, sources)...)
}

// definedAt returns the place where a file defines a part.
func definedAt(file, text, part string) tenants.Position {
	i := strings.Index(text, `"`+part+`"`)
	if i < 0 {
		return tenants.Position{File: file}
	}
	return place(file, text, i)
}

// partsOf lists the parts of a template that can be replaced.
func partsOf(t *template.Template) (parts []string) {
	for _, part := range t.Templates() {
		if part.Name() != t.Name() && part.Tree != nil {
			parts = append(parts, part.Name())
		}
	}
	slices.Sort(parts)
	return parts
}

// BuiltinParts lists the parts of a built-in template that an own file can replace.
func BuiltinParts(name string) []string {
	text, ok := Builtin(name)
	if !ok {
		return nil
	}
	t, problems := parseText(kindOf(name), name, string(text))
	if len(problems) > 0 {
		return nil
	}
	return partsOf(t)
}

// ownTemplates reads the farm's own templates.
func ownTemplates(dir string) (map[string][]byte, tenants.Problems) {
	own := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || dir == "" {
		return own, nil
	}
	unread := func(file string, err error) tenants.Problem {
		return tenants.Problem{Position: tenants.Position{File: file}, Message: disk.Reason(err), Hint: "wikictl reads own templates from here"}
	}
	if err != nil {
		return nil, tenants.Problems{unread(filepath.Base(dir), err)}
	}
	var problems tenants.Problems
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		if own[e.Name()], err = disk.Read(filepath.Join(dir, e.Name())); err != nil {
			problems = append(problems, unread(filepath.Join(filepath.Base(dir), e.Name()), err))
		}
	}
	return own, problems
}
