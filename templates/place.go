package templates

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// mode is the syntactic context of an action.
type mode int

const (
	inCode    mode = iota // PHP, or directives
	inLine                // a comment to the end of the line
	inBlock               // a comment of PHP between /* and */
	inSingle              // single quotes
	inDouble              // double quotes
	inOutside             // before <?php, or not known
)

// spot is the position of an action in a file, as far as escapers depend on it.
type spot struct {
	mode    mode
	started bool // the directive has a name, or the line of a pool an =
	blank   bool // after a blank or a bracket
}

// scanner moves a spot over the text of one kind of file.
type scanner struct {
	pieces *regexp.Regexp
	step   func(s spot, piece string) spot
	start  spot
}

var scanners = map[string]scanner{
	"php":    {regexp.MustCompile(`(?s)<\?php|\?>|/\*|\*/|//|<<<|\\.|.`), stepPHP, spot{mode: inOutside}},
	"nginx":  {regexp.MustCompile(`(?s)\\.|.`), stepNginx, spot{blank: true}},
	"apache": {regexp.MustCompile(`(?s)\\.|.`), stepApache, spot{blank: true}},
	"pool":   {regexp.MustCompile(`(?s).`), stepPool, spot{blank: true}},
	"json":   {regexp.MustCompile(`(?s)\\.|.`), stepJSON, spot{}},
	"hosts":  {regexp.MustCompile(`(?s).`), stepHosts, spot{blank: true}},
	"conf":   {regexp.MustCompile(`(?s).`), stepWords, spot{blank: true}},
}

func stepPHP(s spot, piece string) spot {
	switch {
	case s.mode == inOutside && piece == "<?php":
		return spot{mode: inCode}
	case s.mode == inOutside:
	case piece == "?>" && (s.mode == inCode || s.mode == inLine):
		return spot{mode: inOutside}
	case s.mode == inLine && piece == "\n", s.mode == inBlock && piece == "*/", s.mode == inSingle && piece == "'", s.mode == inDouble && piece == `"`:
		return spot{mode: inCode}
	case s.mode != inCode:
	case piece == "#" || piece == "//":
		return spot{mode: inLine}
	case piece == "/*":
		return spot{mode: inBlock}
	case piece == "'":
		return spot{mode: inSingle}
	case piece == `"`:
		return spot{mode: inDouble}
	case piece == "<<<" || piece == "`": // a heredoc or a command: its end is not searched
		return spot{mode: inOutside}
	}
	return s
}

// stepQuoted is the common part of nginx and Apache: quotes at the beginning of a word.
func stepQuoted(s spot, piece string) (spot, bool) {
	switch {
	case s.mode == inLine:
		return s, true
	case s.mode == inSingle && piece == "'", s.mode == inDouble && piece == `"`:
		return spot{started: s.started}, true
	case s.mode != inCode:
		return s, true
	case s.blank && piece == "'":
		return spot{mode: inSingle, started: s.started}, true
	case s.blank && piece == `"`:
		return spot{mode: inDouble, started: s.started}, true
	}
	return s, false
}

func stepNginx(s spot, piece string) spot {
	if s.mode == inLine && piece == "\n" {
		return spot{started: s.started, blank: true}
	}
	if next, done := stepQuoted(s, piece); done {
		return next
	}
	switch {
	case s.blank && piece == "#":
		return spot{mode: inLine, started: s.started}
	case piece == ";" || piece == "{" || piece == "}":
		return spot{blank: true}
	case strings.TrimSpace(piece) == "":
		return spot{started: s.started, blank: true}
	}
	return spot{started: true}
}

func stepApache(s spot, piece string) spot {
	if piece == "\n" {
		return spot{blank: true}
	}
	if next, done := stepQuoted(s, piece); done {
		return next
	}
	switch {
	case s.blank && !s.started && piece == "#":
		return spot{mode: inLine}
	case strings.TrimSpace(piece) == "":
		return spot{started: s.started, blank: true}
	}
	return spot{started: true}
}

func stepPool(s spot, piece string) spot {
	switch {
	case piece == "\n":
		return spot{blank: true}
	case s.mode == inLine:
		return s
	case s.mode == inDouble && piece == `"`, s.mode == inSingle && piece == "'":
		return spot{started: s.started}
	case s.mode != inCode:
		return s
	case piece == ";" || piece == "#" && !s.started && s.blank:
		return spot{mode: inLine}
	case piece == `"`:
		return spot{mode: inDouble, started: s.started}
	case piece == "'":
		return spot{mode: inSingle, started: s.started}
	case piece == "=", piece == "[" && s.blank && !s.started:
		return spot{started: true, blank: true}
	case strings.TrimSpace(piece) == "":
		return spot{started: s.started, blank: s.blank}
	}
	return spot{started: s.started}
}

// stepJSON tracks strings.
func stepJSON(s spot, piece string) spot {
	switch {
	case piece != `"`:
		return s
	case s.mode == inDouble:
		return spot{mode: inCode}
	}
	return spot{mode: inDouble}
}

// stepHosts tracks comments, which may also follow names (hosts(5)).
func stepHosts(s spot, piece string) spot {
	if s.mode == inCode && piece == "#" {
		return spot{mode: inLine}
	}
	return stepWords(s, piece)
}

// stepWords tracks comments at the beginning of lines.
func stepWords(s spot, piece string) spot {
	switch {
	case piece == "\n":
		return spot{blank: true}
	case s.mode == inLine:
		return s
	case s.blank && piece == "#":
		return spot{mode: inLine}
	case strings.TrimSpace(piece) == "":
		return s
	}
	return spot{started: true}
}

// takes reports whether an escaper's result is safe at a spot; otherwise hint says what
// to write.
func (s spot) takes(escaper string) (hint string, ok bool) {
	switch escaper {
	case "comment":
		return "comment is for comments", s.mode == inLine || s.mode == inBlock
	case "php", "assign":
		return "it brings its own quotes: write it as PHP code, outside of comments and strings", s.mode == inCode
	case "apachePlain", "apacheTarget", "nginxPlain":
		return "write it behind a directive's name", s.started && s.mode != inLine
	case "json":
		return "it brings its own quotes: write it outside of strings", s.mode == inCode
	case "word":
		return "write it outside of comments", s.mode == inCode
	case "fpm":
		return "write it behind an =, without quotes", s.mode == inCode && s.started && s.blank
	}
	return "it brings its own quotes: write it as a word of its own behind a directive's name", s.mode == inCode && s.started && s.blank
}

// after returns the spot after a value.
func (s spot) after() spot { return spot{mode: s.mode, started: s.started} }

// places follows the texts of a template along every path through it.
type places struct {
	scanner scanner
	check   *checker
	parts   func(name string) *parse.Tree
	left    [][]spot // where break or continue left loops
	depth   int
}

// text moves spots over a text.
func (p *places) text(at []spot, text string) []spot {
	pieces := p.scanner.pieces.FindAllString(text, -1)
	var next []spot
	for _, s := range at {
		for _, piece := range pieces {
			s = p.scanner.step(s, piece)
		}
		next = join(next, s)
	}
	return next
}

func join(all []spot, more ...spot) []spot {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func (p *places) list(at []spot, l *parse.ListNode) []spot {
	if l == nil {
		return at
	}
	for _, n := range l.Nodes {
		at = p.node(at, n)
	}
	return at
}

func (p *places) node(at []spot, n parse.Node) []spot {
	switch n := n.(type) {
	case *parse.TextNode:
		return p.text(at, string(n.Text))
	case *parse.ActionNode:
		return p.action(at, n)
	case *parse.IfNode:
		return join(p.list(at, n.List), p.list(at, n.ElseList)...)
	case *parse.WithNode:
		return join(p.list(at, n.List), p.list(at, n.ElseList)...)
	case *parse.RangeNode:
		return p.loop(at, n)
	case *parse.BreakNode, *parse.ContinueNode:
		if len(p.left) > 0 {
			p.left[len(p.left)-1] = join(p.left[len(p.left)-1], at...)
		}
	case *parse.TemplateNode:
		tree := p.parts(n.Name)
		if tree == nil || p.depth > 20 {
			return []spot{{mode: inOutside}}
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
func (p *places) loop(at []spot, n *parse.RangeNode) []spot {
	begin := slices.Clone(at)
	for {
		p.left = append(p.left, nil)
		end := p.list(begin, n.List)
		end = join(end, p.left[len(p.left)-1]...)
		p.left = p.left[:len(p.left)-1]
		known := len(begin)
		if begin = join(begin, end...); len(begin) == known {
			return join(begin, p.list(at, n.ElseList)...)
		}
	}
}

// action refuses an escaper that does not fit its place.
func (p *places) action(at []spot, n *parse.ActionNode) []spot {
	if len(n.Pipe.Decl) > 0 {
		return at
	}
	name, _ := n.Pipe.Cmds[len(n.Pipe.Cmds)-1].Args[0].(*parse.IdentifierNode)
	if name != nil && p.check.allowed[name.Ident] == nil {
		name = nil // the checker reports functions that are no escapers
	}
	var after []spot
	for _, s := range at {
		if name != nil {
			if hint, ok := s.takes(name.Ident); !ok {
				p.check.misplaced(n, hint)
			}
		}
		after = join(after, s.after())
	}
	return after
}
