// Package staging defines a copy of a wiki on which new code is tried, and compares pages of
// both. It does not make or upgrade the copy.
package staging

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// Copy holds the values in which a staging copy differs from its wiki.
type Copy struct {
	Name     string
	Host     string // empty: NAME.localhost, which leads to the visitor's own machine
	Database string // empty: as the wiki's, with the copy's name
	Codebase *tenants.Codebase
}

// Refused returns why a wiki can't have a staging copy, or nil: a copy would write into databases
// that it shares with the wiki.
func Refused(t *tenants.Tenant) error {
	switch {
	case t.StageOf != "":
		return fmt.Errorf("%s is a staging copy of %s itself", t.Name, t.StageOf)
	case t.Shared.Users != "":
		return fmt.Errorf("%s has the accounts of %s, into which a copy would write", t.Name, t.Shared.Users)
	case len(t.Databases) > 0:
		return tenants.WithHint(fmt.Errorf("%s has further databases (%s), and a copy with the same settings would use them", t.Name, strings.Join(t.Databases, ", ")),
			"define a copy with databases of its own, and wikictl clone it")
	}
	return nil
}

// Definition returns the definition of a staging copy as TOML: the wiki's definition without
// its classes, addresses and rights in other databases.
func Definition(t *tenants.Tenant, c Copy) []byte {
	own := *t
	own.Name, own.StageOf, own.State, own.Reason = c.Name, t.Name, tenants.StatePrivate, ""
	own.Hosts, own.Aliases, own.Shares, own.Path = []string{cmp.Or(c.Host, c.Name+".localhost")}, nil, false, ""
	own.ScriptPath, own.Articles = strings.TrimPrefix(t.ScriptPath, t.Path), strings.TrimPrefix(t.Articles, t.Path)
	own.Pages = make([]string, len(t.Pages))
	for i, page := range t.Pages {
		own.Pages[i] = strings.TrimPrefix(page, t.Path)
	}
	own.Database, own.Databases, own.Grants, own.Moves = cmp.Or(c.Database, databaseOf(t, c.Name)), nil, nil, nil
	own.Codebase, own.Faults = c.Codebase, nil
	return []byte(fmt.Sprintf("# A staging copy of the wiki %q, written by wikictl stage, which writes it anew.\n", t.Name) + definitions.ShowAlone(&own))
}

// databaseOf returns the name of a copy's database: the copy's name after the prefix that the
// wiki's database has before the wiki's name.
func databaseOf(t *tenants.Tenant, name string) string {
	plain := func(name string) string { return strings.ReplaceAll(name, "-", "_") }
	if prefix, has := strings.CutSuffix(t.Database, plain(t.Name)); has {
		return prefix + plain(name)
	}
	return t.Database + "_" + plain(name)
}

// pages is the number of pages to compare, unless the farm's files name more.
const pages = 10

// choose returns the paths, below the wiki's own path, of pages to compare.
func choose(t *tenants.Tenant, linked, changed []string) []string {
	list := []string{"/"}
	for _, page := range t.Pages {
		list = append(list, strings.TrimPrefix(page, t.Path))
	}
	script := strings.TrimPrefix(t.ScriptPath, t.Path) + "/index.php?title="
	list = append(list, script+version, script+changes)
	for i := range max(len(linked), len(changed)) {
		for _, titles := range [][]string{linked, changed} {
			if i >= len(titles) {
				continue
			}
			path := script + url.QueryEscape(titles[i])
			if len(list) < pages && !slices.Contains(list, path) {
				list = append(list, path)
			}
		}
	}
	return list
}
