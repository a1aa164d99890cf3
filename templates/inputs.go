package templates

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// Inputs returns a digest of everything from which a tenant's files are rendered, except its
// secrets and the answers to the expressions by which templates ask for tenants. Equal digests,
// secrets and answers give equal files, in any process of this program. ok is false if that is
// not certain.
func (s *Set) Inputs(d Data) (digest string, ok bool) {
	if s.asks || !s.bounded {
		return "", false
	}
	fleet := s.fleet(d.Farm)
	d.Secrets = secrets.Secrets{}
	if found, known := fleet.contents.Load(d); known {
		return found.(string), found != ""
	}
	if digest, ok = s.inputs(fleet, d); !ok {
		digest = ""
	}
	fleet.contents.Store(d, digest)
	return digest, ok
}

func (s *Set) inputs(fleet *Fleet, d Data) (digest string, ok bool) {
	basis, ok := fleet.basis()
	content, known := fleet.content(d.Tenant)
	if !ok || !known {
		return "", false
	}
	c, core := d.Codebase, s.core(d.Codebase)
	parts := []string{s.own, basis, content, c.Name, c.Path, c.PHP, c.Version, strconv.FormatBool(c.Wrapped), core.digest(), d.Tenant.MessageSet(c)}
	for _, list := range []struct {
		names []string
		have  map[string]*tenants.Component
	}{{d.Tenant.Extensions, c.Extensions}, {d.Tenant.Skins, c.Skins}} {
		for _, name := range list.names {
			if have := list.have[name]; have != nil {
				parts = append(parts, have.Manifest, have.Path)
			}
			parts = append(parts, name)
		}
	}
	return digestOf(parts...), true
}

// Answer returns a digest of the tenants that an expression chooses, with all their values that
// templates may print. ok is false if the digest may miss some of these.
func (s *Set) Answer(f *tenants.Farm, where string) (digest string, ok bool) {
	fleet := s.fleet(f)
	answer, known := fleet.contents.Load(where)
	if !known { // all tenants ask at the same time
		answer, _ = fleet.contents.LoadOrStore(where, sync.OnceValue(func() string { return fleet.answer(where) }))
	}
	digest = answer.(func() string)()
	return digest, digest != ""
}

// answer returns an empty digest if it may miss some values.
func (v *Fleet) answer(where string) string {
	list, err := v.ask(where)
	if err != nil {
		return ""
	}
	v.prepare(list)
	parts := make([]string, 0, 10*len(list))
	for _, member := range list {
		content, known := v.content(member.Tenant)
		if !known || member.Codebase == nil {
			return ""
		}
		c := member.Codebase
		parts = append(parts, content, member.Address, member.Scripts, member.Pages, c.Name, c.Path, c.PHP, c.Version, strconv.FormatBool(c.Wrapped))
	}
	return digestOf(parts...)
}

// prepare finds the contents of many tenants, on all processors.
func (v *Fleet) prepare(list []*Member) {
	var wait sync.WaitGroup
	for part := range slices.Chunk(list, len(list)/runtime.GOMAXPROCS(0)+1) {
		wait.Go(func() {
			for _, member := range part {
				v.content(member.Tenant)
			}
		})
	}
	wait.Wait()
}

// digestOf identifies texts in their order.
func digestOf(parts ...string) string {
	text := make([]byte, 0, 4<<10) // on the stack
	for _, part := range parts {
		text = append(strconv.AppendInt(text, int64(len(part)), 10), ':')
		text = append(text, part...)
	}
	return tenants.Digest(text)
}

// content returns Tenant.Content, which it finds once for each tenant.
func (v *Fleet) content(t *tenants.Tenant) (digest string, ok bool) {
	if found, known := v.contents.Load(t); known {
		return found.(string), found != ""
	}
	if digest, ok = t.Content(); !ok {
		digest = ""
	}
	v.contents.Store(t, digest)
	return digest, ok
}

// basisOf returns a digest of the values that all tenants of a farm share.
func (v *Fleet) basisOf() (digest string, ok bool) {
	content, ok := v.Farm.Content()
	shared := fmt.Sprintf("%q %q %q %d %t %#v", v.DefaultListens, v.DefaultCertificate, v.DefaultCertificateKey, v.NamesHashSize, v.LongNames, v.usual)
	return digestOf(content, shared), ok
}

// isBounded reports whether the farm's own text in a template can name only values that Inputs
// and Answer know. The built-in text does.
func isBounded(t *template.Template) bool {
	for _, part := range t.Templates() {
		if part.Tree == nil || strings.HasPrefix(part.Tree.ParseName, builtinPrefix) {
			continue
		}
		if !boundedNodes(part.Tree.Root) {
			return false
		}
	}
	return true
}

// unknown lists the fields of views, farms and tenants that Inputs and Answer do not know, or
// know without places.
var unknown = []string{
	"Tenants", "Codebases", "Servers", "Ledger", "Policies", "Ignores", "UpgradeSteps", "Owner", "Members", "Media", "MediaDenied", "Viewers",
	"Origins", "Repeats", "Position", "Faults",
}

// known lists the fields that may follow those with a farm and with a codebase.
var known = map[string][]string{
	"Farm":     {"Dir", "State", "AllowPHP", "Web", "PHP", "Jobs", "Backup", "Keep"},
	"Codebase": {"Name", "Path", "PHP", "Version", "Wrapped"},
}

// boundedChain reports whether names of fields that follow one another are known.
func boundedChain(names []string) bool {
	for i, name := range names {
		allowed, leads := known[name]
		if slices.Contains(unknown, name) || leads && (i+1 == len(names) || !slices.Contains(allowed, names[i+1])) {
			return false
		}
	}
	return true
}

func boundedNodes(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.ListNode:
		return n == nil || !slices.ContainsFunc(n.Nodes, func(n parse.Node) bool { return !boundedNodes(n) })
	case *parse.PipeNode:
		return n == nil || !slices.ContainsFunc(n.Cmds, func(n *parse.CommandNode) bool { return !boundedNodes(n) })
	case *parse.CommandNode:
		return !slices.ContainsFunc(n.Args, func(n parse.Node) bool { return !boundedNodes(n) })
	case *parse.ActionNode:
		return boundedNodes(n.Pipe)
	case *parse.IfNode:
		return boundedNodes(n.Pipe) && boundedNodes(n.List) && boundedNodes(n.ElseList)
	case *parse.RangeNode:
		return boundedNodes(n.Pipe) && boundedNodes(n.List) && boundedNodes(n.ElseList)
	case *parse.WithNode:
		return boundedNodes(n.Pipe) && boundedNodes(n.List) && boundedNodes(n.ElseList)
	case *parse.TemplateNode:
		return boundedNodes(n.Pipe)
	case *parse.ChainNode:
		return boundedNodes(n.Node) && boundedChain(n.Field)
	case *parse.FieldNode:
		return boundedChain(n.Ident)
	case *parse.VariableNode:
		return boundedChain(n.Ident[1:])
	case *parse.TextNode, *parse.DotNode, *parse.NilNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode,
		*parse.IdentifierNode, *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
		return true
	}
	return false
}
