package templates

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// escaper formats a value for one kind of file.
type escaper = func(value any) (string, error)

// escapers lists, for each kind of file, the functions that may end a pipeline that
// prints.
var escapers = map[string]map[string]escaper{
	"php":    {"php": escape.PHP, "assign": assign, "comment": escape.Comment},
	"nginx":  {"nginx": escape.Nginx, "nginxWords": escape.NginxWords, "nginxPlain": escape.NginxPlain, "comment": escape.Comment},
	"apache": {"apache": escape.Apache, "apachePlain": escape.ApachePlain, "apacheTarget": escape.ApacheTarget, "apachePattern": escape.ApachePattern, "apacheAddress": escape.ApacheAddress, "comment": escape.Comment},
	"pool":   {"fpm": escape.FPM, "comment": escape.Comment},
	"json":   {"json": escape.JSON},
	"hosts":  {"word": escape.HostsWord, "comment": escape.Comment},
	"conf":   {"word": escape.ConfWord, "comment": escape.Comment},
}

// kindOf returns the kind of a template, which determines its escapers.
func kindOf(name string) string {
	for _, kind := range []string{"nginx", "apache", "pool"} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return "php"
}

// parseTemplate parses one template of a kind and reports its mistakes. file is its name
// in messages.
func parseTemplate(kind, file, text string) (*template.Template, tenants.Problems) {
	t, problems := parseText(kind, file, text)
	if t == nil {
		return nil, problems
	}
	return t, checkTemplate(t, kind, map[string]string{file: text})
}

// parseText parses a template without checking its escapers.
func parseText(kind, file, text string) (*template.Template, tenants.Problems) {
	// fleet replaces this function by the one that knows the farm.
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

// checkTemplate reports actions that print without an escaper, or with one that does not
// fit their place. sources are the texts of the template by their names in messages.
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
		p := places{check: &c, parts: tree}
		c.file, c.text = t.Tree.ParseName, sources[t.Tree.ParseName]
		p.list(escape.Begin(kind), t.Tree.Root)
	}
	return c.problems
}

var templateError = regexp.MustCompile(`(?s)^(?:html/)?template: ?([^:]*):(\d+)(?::(\d+))?: (.*)$`)

// syntaxProblem converts an error of text/template to a problem with its place.
func syntaxProblem(file string, err error) tenants.Problem {
	p := tenants.Problem{Position: tenants.Position{File: file}, Message: err.Error()}
	if m := templateError.FindStringSubmatch(err.Error()); m != nil {
		p.Position.File = m[1] // of the part with the mistake
		p.Position.Line, _ = strconv.Atoi(m[2])
		p.Position.Column = 1 // the parser knows only the line
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
	file, text string            // current file of the walk
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

// action refuses a pipeline that prints anything other than the result of an escaper.
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

// misplaced reports, once, an escaper whose result is not safe in its place.
func (c *checker) misplaced(n *parse.ActionNode, hint string) {
	p := tenants.Problem{
		Position: place(c.file, c.text, int(n.Position())), Message: "{{" + n.Pipe.String() + "}} does not fit here", Hint: hint,
	}
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
}

// place converts an offset to line and column.
func place(file, text string, offset int) tenants.Position {
	offset = min(offset, len(text))
	before := text[:offset]
	return tenants.Position{
		File: file, Line: strings.Count(before, "\n") + 1,
		Column: offset - strings.LastIndexByte(before, '\n'),
	}
}
