package rules

import (
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/mediawiki"
)

// codeRules compare settings with the code that reads them.
var codeRules = []rule{
	{Rule: audit.Rule{
		ID: "setting-unknown", Severity: audit.Warning,
		What:      "Neither MediaWiki nor an extension of the tenant reads the setting.",
		Why:       "A misspelt setting has no effect.",
		Repair:    "Correct the name, or remove the setting.",
		Reference: "Manual:Configuration settings",
	}, setting: unknownSetting},
	{Rule: audit.Rule{
		ID: "setting-not-loaded", Severity: audit.Warning,
		What:      "The setting belongs to an extension or a skin that the tenant does not load.",
		Why:       "It has no effect; the extension may be missing by mistake.",
		Repair:    "Add the extension or skin, or remove the setting.",
		Reference: "Manual:Extensions",
	}},
	{Rule: audit.Rule{
		ID: "setting-type", Severity: audit.Error,
		What:      "The value is of a type that the code does not expect.",
		Why:       `PHP takes "false" for true, and a string in place of a list causes an error later, on some page.`,
		Repair:    "Write the value as the type that the message names.",
		Reference: "Manual:Configuration settings",
	}},
	{Rule: audit.Rule{
		ID: "setting-value", Severity: audit.Error,
		What:      "The value is not among those that the setting accepts.",
		Why:       "MediaWiki falls back to another value, or fails at its first use.",
		Repair:    "Use one of the values that the message names.",
		Reference: "Manual:Configuration settings",
	}},
	{Rule: audit.Rule{
		ID: "setting-obsolete", Severity: audit.Warning,
		What:      "The wanted version of MediaWiki no longer reads the setting.",
		Why:       "It has no effect since an upgrade.",
		Repair:    "Use its replacement, or remove it.",
		Reference: "Manual:Configuration settings (alphabetical)",
	}},
	{Rule: audit.Rule{
		ID: "setting-deprecated", Severity: audit.Note,
		What:      "The wanted version of MediaWiki still reads the setting, but a later version will not.",
		Why:       "The next upgrade changes how the wiki behaves.",
		Repair:    "Use its replacement.",
		Reference: "Manual:Configuration settings (alphabetical)",
	}},
}

// unknownSetting decides which of the rules about code a setting breaks: at most one,
// besides those about its value.
func unknownSetting(s *subject, name string, v tenants.Value, r *reporter) {
	if s.code == nil {
		return
	}
	declared, isDeclared, known := s.code.Find(s.tenant, name)
	version := "MediaWiki " + s.tenant.Codebase.Version
	if isDeclared && declared.Obsolete == "" {
		if declared.Deprecated != "" {
			r.as("setting-deprecated", v.Position, name, "", "%s: %s", version, declared.Deprecated)
		}
		c := checker{r: r}
		if more, found := moreTypes[name]; found && fits(v, more) {
			return
		}
		c.check(name, v, declared)
		if !c.checkKnown(name, v, s) {
			c.checkDefault(name, v, declared)
		}
		return
	}
	if isDeclared {
		r.as("setting-obsolete", v.Position, name, "remove it", "%s: %s", version, declared.Obsolete)
		return
	}
	if known {
		return
	}
	if since, instead, gone := mediawiki.RemovedSetting(name, s.tenant.Codebase.Version); gone {
		r.as("setting-obsolete", v.Position, name, instead, "%s does not read it any more%s", version, since)
		return
	}
	if owner, found := s.code.Owners[name]; found {
		r.as("setting-not-loaded", v.Position, name, "add it to extensions or skins, or remove the setting", "it belongs to %s, which is not loaded", owner)
		return
	}
	if other := s.elsewhere(name); other != "" {
		r.as("setting-obsolete", v.Position, name, "remove it", "%s does not read it, MediaWiki %s did", version, other)
		return
	}
	r.say(v.Position, name, s.code.Near(name), "%s and what the tenant loads read no such setting", version)
}

// elsewhere returns the version of an older codebase of the farm that has the setting.
func (s *subject) elsewhere(name string) string {
	for _, other := range slices.Sorted(maps.Keys(s.Farm.Codebases)) {
		c := s.Farm.Codebases[other]
		if c == s.tenant.Codebase || s.wanted.code[c] == nil || mediawiki.CompareVersions(c.Version, s.tenant.Codebase.Version) > 0 {
			continue
		}
		if _, declared, _ := s.wanted.code[c].Find(s.tenant, name); declared {
			return c.Version
		}
	}
	return ""
}

// as reports a finding under another rule than the current one.
func (r *reporter) as(id string, at tenants.Position, key, hint, format string, args ...any) {
	before := r.rule
	defer func() { r.rule = before }()
	for i := range r.all {
		if r.all[i].ID == id {
			r.rule = &r.all[i]
		}
	}
	r.say(at, key, hint, format, args...)
}
