package definitions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"wikictl/tenants"
)

// Show writes the resolved tenant as TOML that Load can read. With origins, each line
// names the place of its value.
func Show(t *tenants.Tenant, origins bool) string {
	return (&shower{origins: origins}).tenant(t)
}

// ShowAlone writes the resolved tenant, with the origin of each value, as TOML that a
// farm without its classes can load: a comment names them, and their values are included.
func ShowAlone(t *tenants.Tenant) string {
	return (&shower{origins: true, alone: true}).tenant(t)
}

// tenant writes all of a tenant.
func (w *shower) tenant(t *tenants.Tenant) string {
	for _, p := range t.Faults {
		w.b.WriteString("# blocked: " + strings.ReplaceAll(p.String(), "\n", " ") + "\n")
	}
	w.place(t)
	w.line("language", t.Language, t.Origins["language"])
	w.line("sitename", t.Sitename, positionOf(t, "sitename"))
	w.line("admin", t.Admin, t.Origins["admin"])
	w.unless(string(tenants.StateOpen), "state", string(t.State), t)
	w.unless("", "reason", t.Reason, t)
	w.unless("", "stage_of", t.StageOf, t)
	w.unless("", "script_path", strings.TrimPrefix(t.ScriptPath, t.Path), t)
	w.unless(tenants.DefaultArticles, "article_path", strings.TrimPrefix(t.Articles, t.Path), t)
	w.components("extensions", t.Extensions, t)
	w.components("skins", t.Skins, t)
	w.list("include", t.Include, func(name string) tenants.Position { return t.Origins["include."+name] })
	w.list("static", t.Static, func(name string) tenants.Position { return t.Origins["static."+name] })
	w.moves(t)
	w.pool(t)
	w.unless("", "shared.users", t.Shared.Users, t)
	w.unless("", "shared.media", t.Shared.Media, t)
	if len(t.Pages) > 0 {
		w.b.WriteString("\n[upgrade]\n")
		w.pages(t)
	}
	for _, n := range t.Namespaces {
		w.namespace(n)
	}
	w.settings(t)
	return w.b.String()
}

// place writes the tenant's names, and the places of its code and data.
func (w *shower) place(t *tenants.Tenant) {
	w.line("name", t.Name, positionOf(t, "name"))
	w.line("hosts", t.Hosts, positionOf(t, "hosts"))
	if t.Shares {
		w.line("path", pathOf(t), t.Origins["path"])
	}
	w.list("aliases", t.Aliases, func(name string) tenants.Position { return t.Origins["hosts."+name] })
	if len(t.Classes) > 0 {
		if w.alone {
			w.b.WriteString("# their values are below: ")
		}
		w.line("classes", t.Classes, positionOf(t, "name"))
	}
	w.line("codebase", t.Codebase.Name, positionOf(t, "codebase"))
	w.line("server", t.Server.Name, positionOf(t, "server"))
	w.line("database", t.Database, t.Origins["database"])
	if len(t.Databases) > 0 {
		w.line("databases", t.Databases, t.Origins["databases"])
	}
	if len(t.Grants) > 0 {
		w.line("grants", grantsTable(t.Grants), t.Grants[0].Position)
	}
}

func (w *shower) settings(t *tenants.Tenant) {
	if len(t.Settings) > 0 {
		w.b.WriteString("\n[settings]\n")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		if table, is := t.Settings[name].Data.(map[string]tenants.Value); is && len(table) > 0 && w.origins {
			w.b.WriteString("# " + name + ": merged into what MediaWiki and extensions have\n")
		}
		w.setting(name, t.Settings[name])
	}
}

// unless writes a key of the tenant, unless it has its usual value.
func (w *shower) unless(usual, key, value string, t *tenants.Tenant) {
	if value != usual {
		w.line(key, value, t.Origins[key])
	}
}

// defined holds a tenant's addresses from a definition that Show wrote.
type defined struct {
	Name, Path     string
	StageOf        string `toml:"stage_of"`
	Hosts, Aliases []string
	Limits         tenants.Limits
}

// readDefined reads a definition that Show wrote; it returns the zero value for any other text.
func readDefined(definition []byte) (d defined) {
	if toml.Unmarshal(definition, &d) != nil {
		return defined{}
	}
	d.Path = strings.TrimSuffix(d.Path, "/")
	return d
}

// DefinedPlaces returns the Places of a definition that Show wrote; nil if it has none.
func DefinedPlaces(definition []byte) []string {
	d := readDefined(definition)
	return (&tenants.Tenant{Hosts: d.Hosts, Path: d.Path}).Places()
}

// DefinedNames returns the name, all host names, including aliases, and the path of a
// definition that Show wrote.
func DefinedNames(definition []byte) (name string, hosts []string, path string) {
	d := readDefined(definition)
	return d.Name, append(d.Hosts, d.Aliases...), d.Path
}

// DefinedTenant returns a tenant with the values that the virtual host of a shared host needs, from
// a definition that Show wrote: its name, addresses and bounds.
func DefinedTenant(definition []byte) *tenants.Tenant {
	d := readDefined(definition)
	return &tenants.Tenant{Name: d.Name, Hosts: d.Hosts, Aliases: d.Aliases, Path: d.Path, Shares: true, Limits: d.Limits}
}

// DefinedStage returns the tenant of which a definition that Show wrote is a staging copy; "" if
// it is not a staging copy.
func DefinedStage(definition []byte) string { return readDefined(definition).StageOf }

// ownKeys lists the top-level keys in which otherwise equal wikis differ.
var ownKeys = []string{"name", "hosts", "aliases", "static", "classes", "codebase", "server", "database", "databases", "sitename", "admin"}

// DefinedAlike returns a digest of a definition that Show wrote, without names, hosts and places.
// Definitions with equal digests result in settings that differ only in these.
func DefinedAlike(definition []byte) string {
	h := sha256.New()
	top := true
	for line := range bytes.Lines(definition) {
		key, _, _ := bytes.Cut(line, []byte(" = "))
		top = top && !bytes.HasPrefix(line, []byte("["))
		if !top || !slices.Contains(ownKeys, string(key)) {
			h.Write(line)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

type shower struct {
	b       strings.Builder
	origins bool
	alone   bool // it must load without classes
}

// line writes one key; a value without a place is wikictl's default.
func (w *shower) line(key string, value any, at tenants.Position) {
	w.b.WriteString(key + " = " + tomlText(value))
	if w.origins {
		from := "default"
		if at.File != "" {
			from = at.String()
		}
		w.b.WriteString(" # " + from)
	}
	w.b.WriteByte('\n')
}

// components writes a list of folders.
func (w *shower) components(key string, names []string, t *tenants.Tenant) {
	w.list(key, names, func(name string) tenants.Position { return t.Origins[key+"."+name] })
}

func (w *shower) pages(t *tenants.Tenant) {
	w.list("pages", t.Pages, func(page string) tenants.Position { return t.Origins["upgrade.pages."+page] })
}

// namespace writes the names of a namespace; the rest is in its settings.
func (w *shower) namespace(n tenants.Namespace) {
	w.b.WriteString("\n[namespaces." + n.Key + "]\n")
	w.line("number", n.Number, n.Position)
	w.line("name", n.Name, n.Position)
	w.line("talk", n.Talk, n.Position)
}

// pool writes the bounds of a pool, and of requests, that differ from the farm's.
func (w *shower) pool(t *tenants.Tenant) {
	if t.Pool.User != "" {
		w.line("pool.user", t.Pool.User, t.Origins["pool.user"])
	}
	if t.Limits.Requests != "" {
		w.b.WriteString("limits.requests = " + tomlText(t.Limits.Requests) + "\n")
	}
	for _, bound := range []struct {
		key   string
		value int64
	}{
		{"pool.children", t.Pool.Children}, {"pool.queue", t.Pool.Queue}, {"pool.memory_limit", t.Pool.MemoryLimit}, {"pool.timeout", t.Pool.Timeout},
		{"limits.burst", t.Limits.Burst}, {"limits.connections", t.Limits.Connections}, {"limits.total", t.Limits.Total},
	} {
		if bound.value > 0 {
			w.b.WriteString(bound.key + " = " + tomlText(bound.value) + "\n")
		}
	}
}

// moves writes the redirects as one table on one line, so that the following keys belong
// to no table.
func (w *shower) moves(t *tenants.Tenant) {
	for _, m := range t.Moves {
		from, to := strings.TrimPrefix(m.From, t.Path), m.To
		if strings.HasPrefix(to, "/") {
			to = strings.TrimPrefix(to, t.Path)
		}
		if m.Below {
			from += "*"
		}
		if m.Rest {
			to += "*"
		}
		w.line("redirects."+tomlKey(from), to, t.Origins["redirects."+from])
	}
}

// list writes a list, one element a line if each has an origin to show.
func (w *shower) list(key string, names []string, origin func(name string) tenants.Position) {
	if len(names) == 0 {
		return
	}
	if !w.origins {
		w.line(key, names, tenants.Position{})
		return
	}
	w.b.WriteString(key + " = [\n")
	for _, name := range names {
		fmt.Fprintf(&w.b, "  %s, # %s\n", tomlText(name), origin(name))
	}
	w.b.WriteString("]\n")
}

// setting writes a table leaf by leaf, because each leaf has its own origin.
func (w *shower) setting(key string, v tenants.Value) {
	table, ok := v.Data.(map[string]tenants.Value)
	if !ok || len(table) == 0 {
		w.line(key, plain(v.Data), v.Position)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		w.setting(key+"."+tomlKey(name), table[name])
	}
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func tomlKey(key string) string {
	if bareKey.MatchString(key) {
		return key
	}
	return tomlText(key)
}

// plain removes the places from a value. PHP keeps its form in TOML.
func plain(data any) any {
	switch data := data.(type) {
	case []tenants.Value:
		list := make([]any, len(data))
		for i, v := range data {
			list[i] = plain(v.Data)
		}
		return list
	case map[string]tenants.Value:
		table := make(map[string]any, len(data))
		for key, v := range data {
			table[key] = plain(v.Data)
		}
		return table
	case tenants.PHP:
		return map[string]any{"php": string(data)}
	case *tenants.Hidden:
		return map[string]any{"secret": data.Name}
	case *tenants.Operation:
		return operationTable(data)
	}
	return data
}

// tomlText formats a value as TOML on one line.
func tomlText(value any) string {
	if s, ok := value.(string); ok && strconv.CanBackquote(s) && !strings.ContainsAny(s, `"\`) {
		return `"` + s + `"`
	}
	var out bytes.Buffer
	e := toml.NewEncoder(&out)
	e.SetTablesInline(true)
	if err := e.Encode(map[string]any{"v": value}); err != nil {
		return strconv.Quote(fmt.Sprint(value))
	}
	return strings.TrimSpace(strings.TrimPrefix(out.String(), "v = "))
}

// Plain returns the settings for encoding/json and the TOML encoder: maps, lists and
// scalars without places.
func Plain(t *tenants.Tenant) map[string]any {
	table, _ := plain(t.Settings).(map[string]any)
	return table
}
