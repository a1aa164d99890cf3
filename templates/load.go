package templates

import (
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Loaded is an extension or a skin that a wiki loads (MediaWiki: wfLoadExtension).
type Loaded struct {
	Name  string // the folder's, or another that says which part of it
	Below string // the manifest's path below the folder of extensions, from a slash on; empty: the usual one
	File  string // the manifest's absolute path, of one outside of the codebase; empty: it is in it
}

// loads finds how components are loaded.
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

// Outside is an extension or a skin whose files are outside of the codebase.
type Outside struct {
	Pattern string // of the addresses of its styles, scripts and pictures; the group is the path in Folder
	Folder  string // absolute
}

// outside lists what a tenant loads from outside of a codebase, each folder once.
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
