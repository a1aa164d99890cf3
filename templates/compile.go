package templates

import (
	"bytes"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// text/template takes a few microseconds for each action, which is most of the
// time that a farm of 10,000 tenants needs. Templates that use no more of its
// language than the built-in ones are run by the steps of this file instead,
// about five times faster; all others run as they are.

// steps is a list of a template's nodes, ready to run.
type steps []step

type step func(*frame) error

// frame is what steps run on.
type frame struct {
	out   *bytes.Buffer
	view  *View
	dot   any // nil outside of range: the view
	index int // of the innermost range
}

func (s steps) run(f *frame) error {
	for _, step := range s {
		if err := step(f); err != nil {
			return err
		}
	}
	return nil
}

// operand gives a value that an action names.
type operand func(*frame) any

// compiler turns nodes into steps; failed says that it met one it does not know.
type compiler struct {
	escapers map[string]escaper
	index    string   // the name of the innermost range's index, such as "$i"
	elements []string // what stands for the element of the innermost range
	failed   bool
}

// compile returns nil for a template that only text/template can run.
func compile(t *template.Template, escapers map[string]escaper) steps {
	if len(t.Templates()) != 1 {
		return nil
	}
	c := compiler{escapers: escapers}
	compiled := c.list(t.Root)
	if c.failed {
		return nil
	}
	return compiled
}

func (c *compiler) list(l *parse.ListNode) steps {
	if l == nil {
		return nil
	}
	var all steps
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			all = append(all, func(f *frame) error { f.out.Write(n.Text); return nil })
		case *parse.ActionNode:
			all = append(all, c.action(n))
		case *parse.IfNode:
			all = append(all, c.condition(n))
		case *parse.RangeNode:
			all = append(all, c.loop(n))
		case *parse.CommentNode:
		default:
			c.failed = true
		}
	}
	return all
}

// action is {{ escaper operand }}.
func (c *compiler) action(n *parse.ActionNode) step {
	name, value := c.call(n.Pipe)
	escape := c.escapers[name]
	if escape == nil || value == nil {
		c.failed = true
		return nil
	}
	return func(f *frame) error {
		text, err := escape(value(f))
		f.out.WriteString(text)
		return err
	}
}

// call takes a pipeline of a function and its only argument apart.
func (c *compiler) call(p *parse.PipeNode) (function string, argument operand) {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 2 {
		return "", nil
	}
	name, ok := p.Cmds[0].Args[0].(*parse.IdentifierNode)
	if !ok {
		return "", nil
	}
	return name.Ident, c.operand(p.Cmds[0].Args[1])
}

// condition is {{ if operand }} or {{ if not operand }}.
func (c *compiler) condition(n *parse.IfNode) step {
	wanted, value := true, c.single(n.Pipe)
	if len(n.Pipe.Decl) > 0 {
		value = nil
	} else if value == nil {
		var function string
		if function, value = c.call(n.Pipe); function != "not" {
			value = nil
		}
		wanted = false
	}
	then, otherwise := c.list(n.List), c.list(n.ElseList)
	if value == nil {
		c.failed = true
	}
	return func(f *frame) error {
		if truth, _ := template.IsTrue(value(f)); truth == wanted {
			return then.run(f)
		}
		return otherwise.run(f)
	}
}

// single is a pipeline that is nothing but an operand.
func (c *compiler) single(p *parse.PipeNode) operand {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return nil
	}
	return c.operand(p.Cmds[0].Args[0])
}

// loop is {{ range operand }} or {{ range $i, $x := operand }}.
func (c *compiler) loop(n *parse.RangeNode) step {
	list := c.single(n.Pipe)
	inner := compiler{escapers: c.escapers, elements: []string{"."}}
	switch names := n.Pipe.Decl; len(names) {
	case 1:
		inner.elements = append(inner.elements, names[0].Ident[0])
	case 2:
		inner.index = names[0].Ident[0]
		inner.elements = append(inner.elements, names[1].Ident[0])
	}
	body := inner.list(n.List)
	if list == nil || n.ElseList != nil || n.Pipe.IsAssign || inner.failed || shadows(n.Pipe.Decl) {
		c.failed = true
		return nil
	}
	return func(f *frame) error {
		each := *f
		switch list := list(f).(type) {
		case []string:
			for i, s := range list {
				each.dot, each.index = s, i
				if err := body.run(&each); err != nil {
					return err
				}
			}
		case []Section:
			for i := range list {
				each.dot, each.index = &list[i], i
				if err := body.run(&each); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// shadows says whether a loop gives $ another meaning, or two to one name.
func shadows(names []*parse.VariableNode) bool {
	for i, v := range names {
		if v.Ident[0] == "$" || i > 0 && v.Ident[0] == names[0].Ident[0] {
			return true
		}
	}
	return false
}

// operand finds the value of a node; it is nil for what is not in fields.
func (c *compiler) operand(n parse.Node) operand {
	switch n := n.(type) {
	case *parse.DotNode:
		if slices.Contains(c.elements, ".") {
			return func(f *frame) any { return f.dot }
		}
	case *parse.VariableNode:
		switch name := n.Ident[0]; {
		case name == "$" && len(n.Ident) > 1:
			return viewField(n.Ident[1:])
		case len(n.Ident) > 1:
		case name == c.index:
			return func(f *frame) any { return f.index }
		case slices.Contains(c.elements, name):
			return func(f *frame) any { return f.dot }
		}
	case *parse.FieldNode:
		if c.elements == nil {
			return viewField(n.Ident)
		}
		if field := sectionFields[strings.Join(n.Ident, ".")]; field != nil {
			return func(f *frame) any { section, _ := f.dot.(*Section); return field(section) }
		}
	}
	return nil
}

func viewField(path []string) operand {
	field := viewFields[strings.Join(path, ".")]
	if field == nil {
		return nil
	}
	return func(f *frame) any { return field(f.view) }
}
