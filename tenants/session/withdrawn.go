package session

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
)

// Withdrawn returns, by tenant, remarks on the pages and rows in the databases of served tenants
// that belong to extensions and namespaces of their releases which their definitions no longer
// have. It changes nothing.
func (h *Host) Withdrawn(ctx context.Context, list []*tenants.Tenant) map[string][]string {
	remarks := map[string][]string{}
	options := fleet.Options[*tenants.Tenant]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, list, options, h.withdrawn) {
		if r.Err != nil {
			r.Value = append(r.Value, "the pages and rows of removed extensions and namespaces could not be counted: "+r.Err.Error())
		}
		if len(r.Value) > 0 {
			remarks[r.Item.Name] = r.Value
		}
	}
	return remarks
}

// withdrawal lists the extensions and namespaces that a tenant's definitions no longer have.
type withdrawal struct {
	extensions []*tenants.Component
	unknown    []string         // extensions that no codebase has
	namespaces map[int64]string // own ones, by number
}

func (h *Host) withdrawn(ctx context.Context, t *tenants.Tenant) ([]string, error) {
	text, err := h.Deploy.Definition(t.Name)
	if err != nil {
		return nil, nil // not served yet, or this user may not read it
	}
	w := h.withdrawal(t, definitions.DefinedLoads(text))
	var remarks []string
	for _, name := range w.unknown {
		remarks = append(remarks, fmt.Sprintf("removes the extension %s, which no codebase has any more, so it is unknown whether pages need it", name))
	}
	if len(w.extensions)+len(w.namespaces) == 0 {
		return remarks, nil
	}
	server, err := h.Server(ctx, t.Server)
	if err != nil {
		return remarks, nil // the plan reports it
	}
	for _, c := range w.extensions {
		names := map[int64]string{}
		for _, n := range c.Declared().Namespaces {
			names[n.Number] = n.Name
		}
		still := mediawiki.ExtensionConstants(t)
		maps.DeleteFunc(names, func(number int64, _ string) bool { return covers(t, still, number) })
		models := slices.DeleteFunc(slices.Clone(c.Declared().Models), func(model string) bool { return handles(t, model) })
		use, err := server.Uses(ctx, t.Database, slices.Sorted(maps.Keys(names)), models, mediawiki.OwnTables(c))
		if err != nil {
			return remarks, err
		}
		if what := inWords(use, names); what != "" {
			remarks = append(remarks, "removes the extension "+c.Name+", and its database has "+what)
		}
	}
	if len(w.namespaces) == 0 {
		return remarks, nil
	}
	use, err := server.Uses(ctx, t.Database, slices.Sorted(maps.Keys(w.namespaces)), nil, nil)
	if what := inWords(use, w.namespaces); what != "" {
		remarks = append(remarks, "removes namespaces, and its database has "+what)
	}
	return remarks, err
}

// withdrawal compares what a release loads with the definitions.
func (h *Host) withdrawal(t *tenants.Tenant, was definitions.Loads) withdrawal {
	w := withdrawal{namespaces: map[int64]string{}}
	for _, name := range was.Extensions {
		if slices.Contains(t.Extensions, name) {
			continue
		}
		c := t.Codebase.Extensions[name]
		if old := h.Farm.Codebases[was.Codebase]; old != nil && old.Extensions[name] != nil {
			c = old.Extensions[name]
		}
		if c == nil || c.Path == "" {
			w.unknown = append(w.unknown, name)
			continue
		}
		w.extensions = append(w.extensions, c)
	}
	still := mediawiki.ExtensionConstants(t)
	for number, name := range was.Namespaces {
		if !covers(t, still, number) {
			w.namespaces[number] = name
		}
	}
	return w
}

// covers reports whether a tenant's definitions have a namespace.
func covers(t *tenants.Tenant, constants map[string]int64, number int64) bool {
	for _, n := range constants {
		if n == number {
			return true
		}
	}
	table, _ := t.Settings["wgExtraNamespaces"].Data.(map[string]tenants.Value)
	_, found := table[fmt.Sprint(number)]
	return found
}

// handles reports whether an extension that a tenant loads has a content model.
func handles(t *tenants.Tenant, model string) bool {
	return slices.ContainsFunc(t.Extensions, func(name string) bool {
		c := t.Codebase.Extensions[name]
		return c != nil && slices.Contains(c.Declared().Models, model)
	})
}

// inWords returns the numbers of pages and rows as text, or "" if all are 0.
func inWords(use mariadb.Use, names map[int64]string) string {
	var parts []string
	for _, number := range slices.Sorted(maps.Keys(use.Namespaces)) {
		parts = append(parts, fmt.Sprintf("%s in namespace %d (%s)", plural(use.Namespaces[number], "page"), number, names[number]))
	}
	for _, model := range slices.Sorted(maps.Keys(use.Models)) {
		parts = append(parts, fmt.Sprintf("%s of content model %s", plural(use.Models[model], "page"), model))
	}
	pages := len(parts) > 0
	for _, table := range slices.Sorted(maps.Keys(use.Tables)) {
		parts = append(parts, fmt.Sprintf("%s in table %s", plural(use.Tables[table], "row"), table))
	}
	what := strings.Join(parts, ", ")
	if pages {
		what += ": readers will not be able to open these pages"
	}
	return what
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case n >= mariadb.Many && noun == "row":
		return fmt.Sprintf("%d or more %ss", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
