package definitions

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// namespaceKeys are the keys of a table below [namespaces].
var namespaceKeys = []Key{
	{Name: "number", Type: Number, Example: "3000", Doc: "The number of its pages, even and from 100; that of their talk pages is one more. It never changes."},
	{Name: "name", Type: Text, Example: `"Portal"`, Doc: "The beginning of its titles; without it the table's name."},
	{Name: "talk", Type: Text, Example: `"Portal_talk"`, Doc: "The beginning of its talk pages' titles; without it the name with _talk."},
	{Name: "aliases", Type: Texts, Example: `["P"]`, Doc: "Further names."},
	{Name: "talk_aliases", Type: Texts, Example: `["PT"]`, Doc: "Further names of the talk pages."},
	{Name: "content", Type: Bool, Example: "true", Doc: "Its pages count as content."},
	{Name: "subpages", Type: Bool, Example: "true", Doc: "Its pages may have subpages, as its talk pages always may."},
	{Name: "search", Type: Bool, Example: "true", Doc: "It is searched by default."},
}

// namespaceKey matches the name of a namespace's table, from which its constant is made.
var namespaceKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// readNamespaces checks the tables below [namespaces]. Each of their keys is inherited on
// its own.
func (l *loader) readNamespaces(s *section) map[string]tenants.Value {
	if s.table == nil {
		return nil
	}
	for _, name := range sorted(s.table) {
		at := s.table[name].Position
		n := s.sub(name)
		n.keys = s.keys
		if !namespaceKey.MatchString(name) {
			s.report(at, name, namespaceHint(name), "can't be part of a PHP constant, such as NS_BOOK")
		}
		get[int64](n, "number", "an integer")
		for _, key := range []string{"name", "talk"} {
			n.text(key)
		}
		for _, key := range []string{"aliases", "talk_aliases"} {
			n.texts(key)
		}
		for _, key := range []string{"content", "subpages", "search"} {
			n.bool(key)
		}
		n.end()
	}
	return s.table
}

// namespaceHint says how to write a namespace whose key is no part of a constant.
func namespaceHint(key string) string {
	number := "3000"
	if n, err := strconv.Atoi(key); err == nil {
		number = strconv.Itoa(n)
	}
	return "letters, digits and _, such as [namespaces.BOOK] with number = " + number + " and any name"
}

// setNamespaces sets a tenant's namespaces from its layers.
func (l *loader) setNamespaces(t *tenants.Tenant, tables map[string]tenants.Value) {
	for _, key := range slices.Sorted(maps.Keys(tables)) {
		if n, ok := l.namespace(t, key, tables[key]); ok {
			l.checkNamespace(t, n, "namespaces."+key)
			t.Namespaces = append(t.Namespaces, n)
		}
	}
}

// setNamespaceSettings sets MediaWiki's settings for a tenant's namespaces. The definitions' own
// settings win, so their constants are resolved before.
func (l *loader) setNamespaceSettings(t *tenants.Tenant) {
	if len(t.Namespaces) == 0 {
		return
	}
	quiet := merger{repeat: func(tenants.Repeat) {}, clash: l.reportClash}
	tables, content := namespaceSettings(t.Namespaces)
	t.Settings = quiet.merge(tables, t.Settings, "")
	t.Settings = quiet.merge(t.Settings, content, "")
}

// namespace reads one namespace. It reports a missing number.
func (l *loader) namespace(t *tenants.Tenant, key string, v tenants.Value) (n tenants.Namespace, ok bool) {
	table, _ := v.Data.(map[string]tenants.Value)
	path := "namespaces." + key
	number, given := table["number"].Data.(int64)
	if !given {
		if table["number"].Data == nil {
			l.report(v.Position, path+".number", "such as 3000", "is missing")
		}
		return n, false
	}
	str := func(name, otherwise string) string {
		if text, is := table[name].Data.(string); is {
			otherwise = text
		}
		return strings.ReplaceAll(otherwise, " ", "_")
	}
	n = tenants.Namespace{Key: key, Constant: "NS_" + strings.ToUpper(key), Number: number, Position: table["number"].Position}
	n.Name = str("name", key)
	n.Talk = str("talk", n.Name+"_talk")
	n.Content, n.Subpages, n.Search = table["content"].Data == true, table["subpages"].Data == true, table["search"].Data == true
	for _, alias := range texts(table["aliases"]) {
		n.Aliases = append(n.Aliases, strings.ReplaceAll(alias, " ", "_"))
	}
	for _, alias := range texts(table["talk_aliases"]) {
		n.TalkAliases = append(n.TalkAliases, strings.ReplaceAll(alias, " ", "_"))
	}
	return n, true
}

// texts returns the strings of a list; other elements were reported.
func texts(v tenants.Value) (all []string) {
	list, _ := v.Data.([]tenants.Value)
	for _, element := range list {
		if text, is := element.Data.(string); is {
			all = append(all, text)
		}
	}
	return all
}

// checkNamespace reports a namespace that is invalid, or conflicts with those before it or those of
// the tenant's extensions.
func (l *loader) checkNamespace(t *tenants.Tenant, n tenants.Namespace, path string) {
	for _, name := range names(n) {
		if why, hint := mediawiki.NamespaceProblem(n.Number, name); why != "" {
			l.report(n.Position, path, hint, "%s", why)
			break
		}
	}
	if _, core := mediawiki.Constants[n.Constant]; core {
		l.report(n.Position, path, "choose another name", "%s is MediaWiki's own namespace", n.Constant)
	}
	if project := projectName(t); nameIn(names(n), project) {
		l.report(n.Position, path, "choose another name, or another wgMetaNamespace", "%q is the namespace of pages about the wiki", project)
	}
	l.checkInLanguage(t, n, path)
	for _, other := range t.Namespaces {
		if other.Number == n.Number || other.Constant == n.Constant || slices.ContainsFunc(names(other), func(name string) bool { return nameIn(names(n), name) }) {
			l.report(n.Position, path, "", "has the number or a name of namespaces.%s at %s", other.Key, other.Position)
		}
	}
	for constant, number := range mediawiki.ExtensionConstants(t) {
		if number == n.Number && constant != n.Constant {
			t.Fault(tenants.Problem{Position: n.Position, Key: path, Hint: "choose another number",
				Message: fmt.Sprintf("an extension of the tenant %q has a namespace of the number %d, %s", t.Name, number, constant)})
		}
	}
}

// checkInLanguage reports a namespace with a name that one of MediaWiki's own has in the language
// of the wiki: pages of that could not be read any more.
func (l *loader) checkInLanguage(t *tenants.Tenant, n tenants.Namespace, path string) {
	if t.Codebase == nil || !tenants.LanguageCode.MatchString(t.Language) {
		return
	}
	key := [2]string{t.Codebase.Path, t.Language}
	known, ok := l.core.Load(key)
	if !ok {
		known = mediawiki.NamespaceNames(t.Codebase.Path, t.Language)
		l.core.Store(key, known)
	}
	for _, name := range names(n) {
		if nameIn(known.([]string), name) {
			t.Fault(tenants.Problem{Position: n.Position, Key: path, Hint: "choose another name",
				Message: fmt.Sprintf("%q is a name of MediaWiki's own namespaces in the language %s, whose pages could not be read any more", name, t.Language)})
			return
		}
	}
}

// names returns all names of a namespace and of its talk pages.
func names(n tenants.Namespace) []string {
	return slices.Concat([]string{n.Name, n.Talk}, n.Aliases, n.TalkAliases)
}

// nameIn reports whether a list has a namespace's name, which MediaWiki compares in small letters.
func nameIn(list []string, name string) bool {
	return slices.ContainsFunc(list, func(one string) bool { return strings.EqualFold(one, name) })
}

// projectName returns the name of the namespace Project: wgMetaNamespace, or the wiki's name
// (Manual:$wgMetaNamespace).
func projectName(t *tenants.Tenant) string {
	name, given := t.Settings["wgMetaNamespace"].Data.(string)
	if !given {
		name = t.Sitename
	}
	return strings.ReplaceAll(name, " ", "_")
}

// namespaceSettings returns MediaWiki's settings for namespaces (Manual:Using custom
// namespaces) and, separately, those of content, which are added to MediaWiki's own.
func namespaceSettings(list []tenants.Namespace) (tables, content map[string]tenants.Value) {
	tables = map[string]tenants.Value{}
	set := func(setting string, key any, data any, at tenants.Position) {
		if tables[setting].Data == nil {
			tables[setting] = tenants.Value{Data: map[string]tenants.Value{}, Position: at}
		}
		tables[setting].Data.(map[string]tenants.Value)[fmt.Sprint(key)] = tenants.Value{Data: data, Position: at}
	}
	var numbers []tenants.Value
	for _, n := range list {
		set("wgExtraNamespaces", n.Number, n.Name, n.Position)
		set("wgExtraNamespaces", n.Number+1, n.Talk, n.Position)
		if n.Subpages {
			set("wgNamespacesWithSubpages", n.Number, true, n.Position)
		}
		set("wgNamespacesWithSubpages", n.Number+1, true, n.Position)
		for _, alias := range n.Aliases {
			set("wgNamespaceAliases", alias, n.Number, n.Position)
		}
		for _, alias := range n.TalkAliases {
			set("wgNamespaceAliases", alias, n.Number+1, n.Position)
		}
		if n.Search {
			set("wgNamespacesToBeSearchedDefault", n.Number, true, n.Position)
		}
		if n.Content {
			numbers = append(numbers, tenants.Value{Data: n.Number, Position: n.Position})
		}
	}
	content = map[string]tenants.Value{}
	if len(numbers) > 0 {
		content["wgContentNamespaces"] = tenants.Value{Data: &tenants.Operation{Append: numbers}, Position: numbers[0].Position}
	}
	return tables, content
}

// namespaceConstant matches a constant of a namespace.
var namespaceConstant = regexp.MustCompile(`^NS_[A-Z0-9_]+$`)

// constantKey returns the value of one of MediaWiki's constants as a key in PHP.
func constantKey(name string) string {
	switch value := mediawiki.Constants[name].(type) {
	case int64:
		return strconv.FormatInt(value, 10)
	case string:
		return value
	}
	return name
}
