package templates

import (
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Move is an address that leads elsewhere, as virtual hosts have it.
type Move struct {
	Pattern string // of the path as it was sent; its group follows Target
	Target  string // full address
	Query   bool   // what was asked for behind a ? is kept
}

// moves gives a tenant's redirects their full addresses.
func moves(t *tenants.Tenant, server string) []Move {
	var all []Move
	for _, m := range t.Moves {
		target := m.To
		if strings.HasPrefix(target, "/") {
			target = server + target
		}
		all = append(all, Move{Pattern: m.Pattern(), Target: target, Query: m.Query()})
	}
	return all
}

// staticFolders are a tenant's folders of static files, the most general first.
func staticFolders(f *tenants.Farm, t *tenants.Tenant) []string {
	var folders []string
	for _, folder := range slices.Backward(t.Static) {
		folders = append(folders, filepath.Join(f.Dir, folder))
	}
	return folders
}
