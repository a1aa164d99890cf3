package templates

import (
	"fmt"
	"strings"
	"sync"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// likeness finds tenants that need not be rendered to know that they can be: those that
// differ from a rendered one only in values that the built-in templates can write of any
// tenant. These are
//
//   - names of plain characters: of the wiki, its database, its hosts and aliases. No
//     escaper refuses them.
//   - the title and the names of its files, which are written as comments, and as literals
//     of PHP: these refuse no text.
//   - settings whose values always have a literal in PHP. Values that are derived from settings
//     count.
//
// All other fields of a tenant count, including those that a later version may add.
type likeness struct{ rendered sync.Map } // keys of tenants

// likeness returns nil if a template of the farm's own could make a difference between
// any two tenants.
func (s *Set) likeness(f *tenants.Farm) *likeness {
	vhost := NginxVhost
	if f.Web.Kind == "apache" {
		vhost = ApacheVhost
	}
	for _, name := range []string{LocalSettings, vhost, FPMPool} {
		if s.infos[name].Own() {
			return nil
		}
	}
	return &likeness{}
}

// key is equal for tenants that are alike. It is empty for a tenant that must be rendered.
func (l *likeness) key(t *tenants.Tenant) string {
	if l == nil || t.Shares || len(t.Hosts) == 0 {
		return ""
	}
	like := *t
	like.Name, like.Database, like.Sitename = withoutPlain(t.Name), withoutPlain(t.Database), ""
	like.Hosts, like.Aliases = withoutAllPlain(t.Hosts), withoutAllPlain(t.Aliases)
	like.Settings = unusual(t.Settings)
	like.Origins, like.Repeats, like.Files, like.Position = nil, nil, nil, tenants.Position{}
	// %#v prints pointers (codebases, servers, other tenants, operations) as addresses.
	return fmt.Sprintf("%t %t %q %#v", t.Private(), maxBody(t) > 0, t.PagePatterns(), like)
}

// has reports whether a tenant with that key was rendered.
func (l *likeness) has(key string) bool {
	if key == "" {
		return false
	}
	_, known := l.rendered.Load(key)
	return known
}

// add records that a tenant with that key was rendered.
func (l *likeness) add(key string) {
	if key != "" {
		l.rendered.Store(key, true)
	}
}

// withoutPlain returns a name, or "-" if it is made of letters, digits, dots, hyphens and
// underscores.
func withoutPlain(name string) string {
	if name == "" {
		return name
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("._-", c) >= 0:
		default:
			return name
		}
	}
	return "-"
}

func withoutAllPlain(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = withoutPlain(name)
	}
	return all
}

// unusual returns the settings that may be impossible to write in PHP: their value is not a
// literal, or their name is not that of a variable.
func unusual(settings map[string]tenants.Value) (found map[string]tenants.Value) {
	for name, v := range settings {
		if escape.IsPHPName(name) && isLiteral(v) {
			continue
		}
		if found == nil {
			found = map[string]tenants.Value{}
		}
		found[name] = v
	}
	return found
}

// isLiteral reports whether a value always has a literal in PHP, at any depth.
func isLiteral(v tenants.Value) bool {
	switch data := v.Data.(type) {
	case string, bool, int64, float64:
		return true
	case []tenants.Value:
		for _, element := range data {
			if !isLiteral(element) {
				return false
			}
		}
		return true
	case map[string]tenants.Value:
		for _, member := range data {
			if !isLiteral(member) {
				return false
			}
		}
		return true
	}
	return false
}
