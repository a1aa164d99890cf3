package templates

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"wikictl/tenants"
)

// escaper writes a value in the form of one kind of file.
type escaper = func(value any) (string, error)

// escapers names, for each kind of file, the functions that may end a pipeline
// that prints.
var escapers = map[string]map[string]escaper{
	"php":    {"php": phpLiteral, "assign": phpAssign, "comment": comment},
	"nginx":  {"nginx": nginxValue, "nginxWords": nginxWords, "nginxPlain": nginxPlain, "comment": comment},
	"apache": {"apache": apacheValue, "apachePlain": apachePlain, "apacheTarget": apacheTarget, "apachePattern": apachePattern, "apacheAddress": apacheAddress, "comment": comment},
	"pool":   {"fpm": fpmValue, "comment": comment},
	"json":   {"json": jsonValue},
	"hosts":  {"word": hostsWord, "comment": comment},
	"conf":   {"word": confWord, "comment": comment},
}

// kindOf says which escapers a template may use.
func kindOf(name string) string {
	for _, kind := range []string{"nginx", "apache", "pool"} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return "php"
}

// parseTemplate reads one template of a kind and reports what is wrong with it. file is what
// messages call it.
func parseTemplate(kind, file, text string) (*template.Template, tenants.Problems) {
	t, problems := parseText(kind, file, text)
	if t == nil {
		return nil, problems
	}
	return t, checkTemplate(t, kind, map[string]string{file: text})
}

// parseText reads a template without looking at what it prints where.
func parseText(kind, file, text string) (*template.Template, tenants.Problems) {
	// The real function needs the farm; fleet gives it.
	functions := template.FuncMap{"tenants": func(...string) ([]*Member, error) { return nil, nil }}
	for name, escape := range escapers[kind] {
		functions[name] = escape
	}
	t := template.New(file).Funcs(functions)
	if _, err := t.Parse(text); err != nil {
		return nil, tenants.Problems{syntaxProblem(file, err)}
	}
	return t, nil
}

// checkTemplate reports what prints without an escaper, or with one that does not fit its
// place. sources are the texts that the template was read from, by what messages call them.
func checkTemplate(t *template.Template, kind string, sources map[string]string) tenants.Problems {
	c := checker{sources: sources, allowed: escapers[kind]}
	for _, part := range t.Templates() {
		if part.Tree != nil {
			c.tree(part.Tree)
		}
	}
	if t.Tree != nil {
		tree := func(name string) *parse.Tree {
			if part := t.Lookup(name); part != nil {
				return part.Tree
			}
			return nil
		}
		p := places{scanner: scanners[kind], check: &c, parts: tree}
		c.file, c.text = t.Tree.ParseName, sources[t.Tree.ParseName]
		p.list([]spot{p.scanner.start}, t.Tree.Root)
	}
	return c.problems
}

var templateError = regexp.MustCompile(`(?s)^(?:html/)?template: ?([^:]*):(\d+)(?::(\d+))?: (.*)$`)

// syntaxProblem takes the place out of text/template's message.
func syntaxProblem(file string, err error) tenants.Problem {
	p := tenants.Problem{Position: tenants.Position{File: file}, Message: err.Error()}
	if m := templateError.FindStringSubmatch(err.Error()); m != nil {
		p.Position.File = m[1] // of the part that is at fault
		p.Position.Line, _ = strconv.Atoi(m[2])
		p.Position.Column = 1 // the parser knows the line only
		if column, err := strconv.Atoi(m[3]); err == nil {
			p.Position.Column = column + 1
		}
		p.Message = m[4]
	}
	return p
}

// checker walks a template's tree for actions that print without an escaper.
type checker struct {
	sources    map[string]string // texts by file
	file, text string            // that the walk is in
	allowed    map[string]escaper
	problems   tenants.Problems
}

// tree walks one part of a template.
func (c *checker) tree(t *parse.Tree) {
	c.file, c.text = t.ParseName, c.sources[t.ParseName]
	c.list(t.Root)
}

func (c *checker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n)
	}
}

func (c *checker) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		c.action(n)
	case *parse.IfNode:
		c.list(n.List)
		c.list(n.ElseList)
	case *parse.RangeNode:
		c.list(n.List)
		c.list(n.ElseList)
	case *parse.WithNode:
		c.list(n.List)
		c.list(n.ElseList)
	}
}

// action refuses a pipeline that prints what no escaper returned.
func (c *checker) action(n *parse.ActionNode) {
	if len(n.Pipe.Decl) > 0 {
		return // declares or assigns a variable and prints nothing
	}
	last := n.Pipe.Cmds[len(n.Pipe.Cmds)-1]
	if name, ok := last.Args[0].(*parse.IdentifierNode); ok {
		if _, ok := c.allowed[name.Ident]; ok {
			return
		}
	}
	at := place(c.file, c.text, int(n.Position()))
	c.problems = append(c.problems, tenants.Problem{
		Position: at, Message: "{{" + n.Pipe.String() + "}} prints without an escaper",
		Hint: "end it with one of " + strings.Join(slices.Sorted(maps.Keys(c.allowed)), ", "),
	})
}

// misplaced reports an escaper whose text is not safe where it stands, once.
func (c *checker) misplaced(n *parse.ActionNode, hint string) {
	p := tenants.Problem{
		Position: place(c.file, c.text, int(n.Position())), Message: "{{" + n.Pipe.String() + "}} does not fit here", Hint: hint,
	}
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
}

// place turns an offset into line and column.
func place(file, text string, offset int) tenants.Position {
	offset = min(offset, len(text))
	before := text[:offset]
	return tenants.Position{
		File: file, Line: strings.Count(before, "\n") + 1,
		Column: offset - strings.LastIndexByte(before, '\n'),
	}
}
