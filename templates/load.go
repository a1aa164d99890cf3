package templates

import (
	"path/filepath"

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
