package tenants

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// furtherPages matches an address of $wgActionPaths or $wgVariantArticlePath that the web
// server can answer: folders of plain characters, then a variant of the language, a page's
// title, or both.
var furtherPages = regexp.MustCompile(`^((?:/[A-Za-z0-9_~.-]+)*)(/\$2)?/\$1$`)

// PagePatterns returns regular expressions (PCRE) for the pages that have addresses beside
// Articles, by the settings $wgActionPaths and $wgVariantArticlePath.
func (t *Tenant) PagePatterns() []string {
	var patterns []string
	add := func(v Value) {
		if address, isText := v.Data.(string); isText {
			if pattern := t.PagePattern(address); pattern != "" {
				patterns = append(patterns, pattern)
			}
		}
	}
	actions := tableOf(t.Settings["wgActionPaths"])
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		add(actions[action])
	}
	add(t.Settings["wgVariantArticlePath"])
	return slices.Compact(patterns)
}

// tableOf returns the members of a table, also of one that replaces MediaWiki's own.
func tableOf(v Value) map[string]Value {
	if o, is := v.Data.(*Operation); is && o.Replace != nil {
		v = *o.Replace
	}
	table, _ := v.Data.(map[string]Value)
	return table
}

// PagePattern returns a regular expression (PCRE) for the paths of an address of such a
// setting, such as "/edit/$1". It is empty for addresses that are not the wiki's own, or that
// say no more than the title of a page. It has no backslash and no $, which nginx and Apache
// read in different ways.
func (t *Tenant) PagePattern(address string) string {
	m := furtherPages.FindStringSubmatch(address)
	if m == nil || !strings.HasPrefix(address, t.Path+"/") || m[1] == t.Path && m[2] == "" {
		return ""
	}
	pattern := "^" + strings.ReplaceAll(m[1], ".", "[.]")
	if m[2] != "" {
		language, _, _ := strings.Cut(t.Language, "-")
		if language == "iu" { // its variants are ike-cans and ike-latn
			language = "(?:iu|ike)"
		}
		pattern += "/" + language + "(?:-[a-z]+)*"
	}
	return pattern + "/.+"
}
