package templates

import (
	"slices"
	"text/template/parse"

	"wikictl/templates/escape"
)

// places follows the texts of a template along every path through it.
type places struct {
	check *checker
	parts func(name string) *parse.Tree
	left  []escape.Spots // where break or continue left loops
	depth int
}

func (p *places) list(at escape.Spots, l *parse.ListNode) escape.Spots {
	if l == nil {
		return at
	}
	for _, n := range l.Nodes {
		at = p.node(at, n)
	}
	return at
}

func (p *places) node(at escape.Spots, n parse.Node) escape.Spots {
	switch n := n.(type) {
	case *parse.TextNode:
		return at.Over(string(n.Text))
	case *parse.ActionNode:
		return p.action(at, n)
	case *parse.IfNode:
		return p.list(at, n.List).Join(p.list(at, n.ElseList))
	case *parse.WithNode:
		return p.list(at, n.List).Join(p.list(at, n.ElseList))
	case *parse.RangeNode:
		return p.loop(at, n)
	case *parse.BreakNode, *parse.ContinueNode:
		if len(p.left) > 0 {
			p.left[len(p.left)-1] = p.left[len(p.left)-1].Join(at)
		}
	case *parse.TemplateNode:
		tree := p.parts(n.Name)
		if tree == nil || p.depth > 20 {
			return at.Unknown()
		}
		p.depth++
		file, text := p.check.file, p.check.text
		defer func() { p.depth--; p.check.file, p.check.text = file, text }()
		p.check.file, p.check.text = tree.ParseName, p.check.sources[tree.ParseName]
		return p.list(at, tree.Root)
	}
	return at
}

// loop follows a body until it reaches no new spot.
func (p *places) loop(at escape.Spots, n *parse.RangeNode) escape.Spots {
	begin := slices.Clone(at)
	for {
		p.left = append(p.left, nil)
		end := p.list(begin, n.List)
		end = end.Join(p.left[len(p.left)-1])
		p.left = p.left[:len(p.left)-1]
		known := len(begin)
		if begin = begin.Join(end); len(begin) == known {
			return begin.Join(p.list(at, n.ElseList))
		}
	}
}

// action refuses an escaper that does not fit its place.
func (p *places) action(at escape.Spots, n *parse.ActionNode) escape.Spots {
	if len(n.Pipe.Decl) > 0 {
		return at
	}
	name, _ := n.Pipe.Cmds[len(n.Pipe.Cmds)-1].Args[0].(*parse.IdentifierNode)
	if name != nil && p.check.allowed[name.Ident] == nil {
		name = nil // the checker reports functions that are no escapers
	}
	for _, s := range at {
		if name == nil {
			break
		}
		if hint, ok := s.Takes(name.Ident); !ok {
			p.check.misplaced(n, hint)
		}
	}
	return at.Written()
}
