package templates

import (
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Loaded is an extension or a skin that a wiki loads (MediaWiki: wfLoadExtension).
type Loaded struct {
	Name  string // of the folder, or of a part of it
	Below string // manifest's path below the folder of extensions, beginning with a slash; empty: the usual one
	File  string // manifest's absolute path outside of the codebase; empty: it is in the codebase
}

// loads returns the arguments that load components.
func loads(names []string, have map[string]*tenants.Component) []Loaded {
	list := make([]Loaded, len(names))
	for i, name := range names {
		list[i].Name = name
		c := have[name]
		switch {
		case c == nil || c.Manifest == "":
		case filepath.IsAbs(c.Manifest):
			list[i].File = c.Manifest
		default:
			list[i].Below = "/" + c.Manifest
		}
	}
	return list
}

// Outside is an extension or a skin outside of the codebase.
type Outside struct {
	Pattern string // matches addresses of its styles, scripts and pictures; the group is the path in Folder
	Folder  string // absolute
}

// outside lists the components that a tenant loads from outside of a codebase, each
// folder once.
func outside(t *tenants.Tenant, c *tenants.Codebase) (list []Outside) {
	add := func(kind string, names []string, have map[string]*tenants.Component) {
		for _, name := range names {
			part := have[name]
			if part == nil || !filepath.IsAbs(part.Manifest) {
				continue
			}
			folder, _, _ := strings.Cut(name, ":")
			o := Outside{"^" + exactly(t.ScriptPath) + "/" + kind + "/" + folder + "(/(?!(?:.*/)?[.]).+[.]" + codeTypes + ")" + end, part.Path}
			if !slices.Contains(list, o) {
				list = append(list, o)
			}
		}
	}
	add("extensions", t.Extensions, c.Extensions)
	add("skins", t.Skins, c.Skins)
	return list
}
