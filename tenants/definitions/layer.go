package definitions

import (
	"maps"
	"slices"

	"wikictl/tenants"
)

// layer holds the values of one source: the defaults, a class or a tenant's file.
type layer struct {
	file       string
	at         tenants.Position
	name       text
	hosts      []text
	path       text
	aliases    []text
	classes    []text
	single     map[string]text // of singleKeys
	extensions []text
	skins      []text
	unset      []text
	settings   map[string]tenants.Value
	pages      []text
	namespaces map[string]tenants.Value
	constants  bool // its settings name namespaces other than MediaWiki's own
	static     []text
	include    []text
	redirects  map[string]text // by their source
	pool       tenants.Pool
	databases  []text
	grants     []tenants.Grant
	shared     map[string]text  // of [shared], by key
	stageOf    text             // of a tenant
	poolUser   tenants.Position // of the key that sets pool.User
	limits     tenants.Limits
}

// singleKeys lists the values for which only the most specific layer counts.
var singleKeys = []string{"codebase", "server", "database", "language", "sitename", "admin", "state", "reason", "script_path", "article_path"}

// readLayer reads a tenant's file.
func (l *loader) readLayer(d document) *layer {
	s := newSection(tenantKeys, "", d.root, &l.problems)
	name, hosts := l.required(s, d, "name", "the tenant's short name"), s.texts("hosts")
	path, aliases, databases := s.text("path"), s.texts("aliases"), s.texts("databases")
	stageOf := s.text("stage_of")
	v := l.readValues(s)
	v.path, v.databases, v.stageOf = path, databases, stageOf
	v.name, v.hosts, v.aliases, v.file, v.at = name, hosts, aliases, d.file, name.at
	return &v
}

// readValues reads the common keys of defaults, classes and tenants, and ends the
// section.
func (l *loader) readValues(s *section) layer {
	l.refuseInMap(s)
	v := layer{single: map[string]text{}}
	for _, key := range singleKeys {
		if t := s.text(key); t.set() || t.wrong {
			v.single[key] = t
		}
	}
	checkState(s, v.single["state"])
	v.classes = s.texts("classes")
	v.extensions, v.skins = s.texts("extensions"), s.texts("skins")
	v.unset = s.texts("unset")
	inner := *l
	inner.constants = new(bool)
	v.settings = inner.readSettings(s.sub("settings"))
	v.constants = *inner.constants
	v.namespaces = l.readNamespaces(s.sub("namespaces"))
	v.static, v.redirects = l.readStatic(s), readRedirects(s.sub("redirects"))
	v.include = l.readInclude(s)
	v.grants = l.readGrants(s)
	shared := s.sub("shared")
	if shared.table != nil {
		v.shared = map[string]text{"users": shared.text("users"), "media": shared.text("media")}
	}
	shared.end()
	pool := s.sub("pool")
	v.pool, v.poolUser = l.readPool(pool), pool.table["user"].Position
	v.limits = l.readLimits(s.sub("limits"))
	upgrade := s.sub("upgrade")
	v.pages = readPages(upgrade)
	upgrade.end()
	s.end()
	return v
}

// addClass reads a class. Its name is in the file; the default is the file's name.
func (l *loader) addClass(d document) {
	s := newSection(classKeys, "", d.root, &l.problems)
	name := s.text("name")
	if !name.set() {
		name = text{value: baseName(d.file), at: tenants.Position{File: d.file}}
	}
	v := l.readValues(s)
	v.name, v.file, v.at = name, d.file, name.at
	if before, twice := l.classes[name.value]; twice {
		l.report(name.at, "name", "", "the class %q is also in %s", name.value, before.at)
		return
	}
	l.classes[name.value] = &v
	l.farm.Classes[name.value] = &tenants.Class{Name: name.value, Position: name.at}
}

// checkClassCycles reports unknown classes of classes, and cycles.
func (l *loader) checkClassCycles() {
	for _, name := range slices.Sorted(maps.Keys(l.classes)) {
		for _, member := range l.classes[name].classes {
			l.class(member)
			if l.leadsTo(member.value, name, map[string]bool{}) {
				l.report(member.at, "classes", "", "the class %q leads back to itself by %q", name, member.value)
			}
		}
	}
}

func (l *loader) leadsTo(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] || l.classes[from] == nil {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(l.classes[from].classes, func(next text) bool {
		return l.leadsTo(next.value, to, seen)
	})
}

// class returns a class by name, or reports that it does not exist.
func (l *loader) class(name text) *layer {
	c := l.classes[name.value]
	if c == nil {
		l.report(name.at, "classes", tenants.Suggest(name.value, maps.Keys(l.classes)), "there is no class %q", name.value)
	}
	return c
}

// stack lists the layers of a tenant, most general first, each class once.
func (l *loader) stack(v *layer) []*layer {
	layers := []*layer{&l.defaults}
	seen := map[string]bool{}
	var join func(names []text)
	join = func(names []text) {
		for _, name := range names {
			if seen[name.value] {
				continue
			}
			seen[name.value] = true
			if c := l.class(name); c != nil {
				join(c.classes)
				layers = append(layers, c)
			}
		}
	}
	join(l.defaults.classes)
	join(v.classes)
	return append(layers, v)
}

// joinLists appends the new elements of more.
func joinLists(base, more []text) []text {
	for _, t := range more {
		if !slices.ContainsFunc(base, func(b text) bool { return b.value == t.value }) {
			base = append(base, t)
		}
	}
	return base
}
