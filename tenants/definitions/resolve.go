package definitions

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// reserved are databases of servers and of wikictl itself; reservedPrefix begins the
// names of others that wikictl makes: further farms' ledgers, and goldens.
var reserved = []string{"information_schema", "mysql", "performance_schema", "sys", "test", "wikictl"}

const reservedPrefix = "wikictl_"

func baseName(file string) string { return strings.TrimSuffix(path.Base(file), ".toml") }

// usualOrigins is the number of values that most tenants have.
const usualOrigins = 14

// resolve makes a tenant from its layers; nil if the tenant has no usable name.
func (l *loader) resolve(v *layer) *tenants.Tenant {
	if !v.name.set() {
		return nil
	}
	if !tenants.ValidName(v.name.value) {
		l.report(v.name.at, "name", "", "%q is not made of a-z, 0-9, _ and - (at most 48, a letter or digit first)", v.name.value)
		return nil
	}
	t := &tenants.Tenant{Name: v.name.value, Position: v.at, Admin: "Admin", Language: "en", Origins: make(tenants.Origins, usualOrigins)}
	t.Origins["name"] = v.name.at
	single := map[string]text{}
	var extensions, skins []text
	var namespaces map[string]tenants.Value
	constants := false
	layers := l.stack(v)
	for _, layer := range layers {
		extensions, skins, namespaces = l.takeAway(t, layer, single, extensions, skins, namespaces)
		maps.Copy(single, layer.single)
		namespaces = quietly.merge(namespaces, layer.namespaces, "")
		constants = constants || layer.constants
		extensions, skins = joinLists(extensions, layer.extensions), joinLists(skins, layer.skins)
		l.mergeLayer(t, layer)
		if layer.file != "" {
			t.Files = append(t.Files, layer.file)
			if layer != v {
				t.Classes = append(t.Classes, layer.name.value)
			}
		} else {
			t.Files = append(t.Files, tenants.FarmFile)
		}
	}
	l.setSingle(t, v, single)
	l.setDatabases(t, v)
	setGrants(t, layers)
	l.setShared(t, v, layers)
	l.setState(t, v, single)
	l.checkServerSettings(t)
	l.checkVirtualDomains(t)
	l.setHosts(t, v)
	l.setComponents(t, extensions, skins)
	l.setNamespaces(t, namespaces)
	if constants {
		l.resolveConstants(t)
	}
	l.setNamespaceSettings(t)
	l.checkCopies(t)
	l.setPages(t, layers)
	l.setPath(t, v)
	l.setPaths(t, single)
	l.setStatic(t, layers)
	l.setInclude(t, layers)
	l.checkMap(t)
	l.setMoves(t, layers)
	placeBelow(t)
	l.setPool(t, layers)
	if t.Codebase != nil {
		for _, fault := range t.Codebase.Faults {
			t.Fault(fault)
		}
	}
	l.checkCertificate(t)
	return t
}

// setSingle checks and sets the values of which one layer decides.
func (l *loader) setSingle(t *tenants.Tenant, v *layer, single map[string]text) {
	for key, value := range single {
		if value.set() {
			t.Origins[key] = value.at
		}
	}
	// MediaWiki returns the name in this form, by which the wiki is recognised.
	t.Sitename = norm.NFC.String(single["sitename"].value)
	if t.Sitename == "" && !single["sitename"].wrong {
		l.report(v.at, "sitename", "", "the tenant %q has none", t.Name)
	}
	t.Codebase = pick(l, t, v, "codebase", single["codebase"], l.farm.Codebases)
	t.Server = pick(l, t, v, "server", single["server"], l.farm.Servers)
	t.Database = l.prefix + strings.ReplaceAll(t.Name, "-", "_")
	if d := single["database"]; d.set() {
		t.Database = d.value
	}
	l.checkDatabaseName(t)
	if s := single["language"]; s.set() {
		t.Language = s.value
		l.checkLanguage(t, s)
	}
	if a := single["admin"]; a.set() {
		t.Admin = a.value
		l.checkAdmin(t, a)
	}
}

// pick returns the entry of a farm's table that a tenant names.
func pick[T any](l *loader, t *tenants.Tenant, v *layer, key string, name text, table map[string]*T) *T {
	if name.wrong {
		return nil
	}
	if !name.set() {
		l.report(v.at, key, "set it here or in [defaults]", "the tenant %q has none", t.Name)
		return nil
	}
	found := table[name.value]
	// The problem of an existing codebase that could not be read was reported already.
	if found == nil && !l.reported(key+"s."+name.value) {
		l.report(name.at, key, tenants.Suggest(name.value, maps.Keys(table)), "there is no %s %q", key, name.value)
	}
	return found
}

// reported reports whether there is a problem below a dotted path.
func (l *loader) reported(path string) bool {
	return slices.ContainsFunc(l.problems, func(p tenants.Problem) bool { return strings.HasPrefix(p.Key, path+".") })
}

func (l *loader) checkDatabaseName(t *tenants.Tenant) {
	at := positionOf(t, "database")
	switch {
	case !tenants.ValidDatabase(t.Database):
		l.report(at, "database", "MediaWiki splits names at a hyphen", "%q is not made of 1 to 64 letters, digits and _", t.Database)
	case isReserved(t.Database):
		l.report(at, "database", "choose another", "%q belongs to the server or to wikictl", t.Database)
	}
}

// isReserved reports whether a database belongs to the server or to wikictl.
func isReserved(database string) bool {
	database = strings.ToLower(database)
	return slices.Contains(reserved, database) || strings.HasPrefix(database, reservedPrefix)
}

// positionOf returns the place that set key, or the tenant's own.
func positionOf(t *tenants.Tenant, key string) tenants.Position {
	if p, ok := t.Origins[key]; ok {
		return p
	}
	return t.Position
}

func (l *loader) checkLanguage(t *tenants.Tenant, s text) {
	switch {
	case !tenants.LanguageCode.MatchString(s.value):
		l.report(s.at, "language", `such as "en" or "pt-br"`, "%q is not a language code", s.value)
	case t.Codebase != nil && len(t.Codebase.Faults) == 0 && !l.hasLanguage(t.Codebase, s.value):
		t.Fault(tenants.Problem{Position: s.at, Key: "language", Message: fmt.Sprintf("MediaWiki %s has no language %q", t.Codebase.Version, s.value)})
	}
}

// hasLanguage is mediawiki.HasLanguage, which it asks once for a codebase and a language.
func (l *loader) hasLanguage(c *tenants.Codebase, code string) bool {
	key := [2]string{c.Path, code}
	known, ok := l.languages.Load(key)
	if !ok {
		known = mediawiki.HasLanguage(c, code)
		l.languages.Store(key, known)
	}
	return known.(bool)
}

// setHosts converts hosts to the form that a browser sends.
func (l *loader) setHosts(t *tenants.Tenant, v *layer) {
	if len(v.hosts) == 0 {
		l.report(v.at, "hosts", `such as hosts = ["wiki.example.org"]`, "the tenant %q has none", t.Name)
	}
	t.Hosts, t.Aliases = l.hostNames(t, "hosts", v.hosts), l.hostNames(t, "aliases", v.aliases)
}

// hostNames returns the valid host names, and adds their places to the tenant's origins.
func (l *loader) hostNames(t *tenants.Tenant, key string, names []text) (hosts []string) {
	for i, h := range names {
		host, err := idna.Lookup.ToASCII(strings.TrimSuffix(h.value, "."))
		if err != nil || !isHostName(host) {
			l.report(h.at, key, "a name only, without scheme, port or path", "%q is not a host name", h.value)
			continue
		}
		hosts = append(hosts, host)
		if _, twice := t.Origins["hosts."+host]; !twice {
			t.Origins["hosts."+host] = h.at
		}
		if i == 0 {
			t.Origins[key] = h.at
		}
	}
	return hosts
}

// isHostName reports whether a host name in ASCII has labels of letters, digits and inner
// hyphens (RFC 1123).
func isHostName(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(host) <= 253
}
