package rules

import (
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// listShortened reports lists that replace MediaWiki's own but lack some of its elements.
var listShortened = rule{Rule: audit.Rule{
	ID: "list-shortened", Severity: audit.Warning,
	What:      "A list adds elements, but lacks some of MediaWiki's default.",
	Why:       "The list replaces MediaWiki's own: without http:// and https:// among $wgUrlProtocols links are plain text.",
	Repair:    "Write { append = [\"…\"] } to keep the default, or write the complete list.",
	Reference: "wikictl help files",
}, setting: shortenedList}

// essential lists elements of default lists without which hardly any wiki works as
// intended.
var essential = map[string][]string{
	"wgUrlProtocols":      {"http://", "https://", "mailto:"},
	"wgFileExtensions":    {"png", "jpg"},
	"wgContentNamespaces": {"0"},
	"wgImplicitGroups":    {"*", "user", "autoconfirmed"},
}

// wholeLists lists settings whose list is meant to be replaced.
var wholeLists = []string{"wgSharedTables", "wgFragmentMode", "wgLocaltimezone"}

// shortenedList compares a list with MediaWiki's default that it replaces. It ignores the
// defaults of extensions, which are merged into a list, and lists of numbers: these are
// limits and sizes, which are replaced on purpose.
func shortenedList(s *subject, name string, v tenants.Value, r *reporter) {
	list, isList := v.Data.([]tenants.Value)
	if !isList || len(list) == 0 || slices.Contains(wholeLists, name) || !s.code.IsCore(name) {
		return
	}
	own, isList := s.defaultOf(name).Data.([]tenants.Value)
	if !isList || !ofTexts(own) && essential[name] == nil {
		return
	}
	lacks, adds := lacking(own, list), lacking(list, own)
	if len(lacks) == 0 || len(adds) == 0 && !slices.ContainsFunc(essential[name], func(e string) bool { return slices.Contains(lacks, e) }) {
		return
	}
	severity := audit.Note
	if len(lacks) == len(own) || slices.ContainsFunc(essential[name], func(e string) bool { return slices.Contains(lacks, e) }) {
		severity = r.rule.Severity
	}
	hint := "remove it"
	if len(adds) > 0 {
		hint = fmt.Sprintf("%s = { append = [%s] } keeps the default", name, quotedTexts(list, own))
	}
	r.sayAs(severity, v.Position, name, hint, "lacks what MediaWiki has by default: %s", strings.Join(lacks, ", "))
}

// lacking returns the scalars of one list that another lacks, as texts.
func lacking(list, other []tenants.Value) (texts []string) {
	has := func(text string) bool {
		return slices.ContainsFunc(other, func(v tenants.Value) bool { found, ok := scalarText(v); return ok && found == text })
	}
	for _, v := range list {
		if text, ok := scalarText(v); ok && !has(text) {
			texts = append(texts, text)
		}
	}
	return texts
}

func ofTexts(list []tenants.Value) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(v tenants.Value) bool { _, is := v.Data.(string); return !is })
}

// quotedTexts returns the elements of a list that another lacks, in TOML.
func quotedTexts(list, other []tenants.Value) string {
	var texts []string
	for _, v := range list {
		text, ok := scalarText(v)
		if !ok || !slices.Contains(lacking(list, other), text) {
			continue
		}
		if _, is := v.Data.(string); is {
			text = fmt.Sprintf("%q", text)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}
