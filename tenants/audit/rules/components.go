package rules

import (
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/components"
)

// componentRules check extensions and skins that are fetched, or are outside of the codebases.
var componentRules = []rule{
	{Rule: audit.Rule{
		ID: "component-changed", Severity: audit.Error,
		What:      "The files of a fetched extension or skin are not those of " + tenants.LockFile + ".",
		Why:       "Somebody changed code that wikis run.",
		Repair:    "Find out who; wikictl extensions fetch fetches the files of the lock file anew.",
		Reference: "wikictl help files",
	}, observedFarm: changedComponents},
	{Rule: audit.Rule{
		ID: "component-unused", Severity: audit.Note,
		What:      "No tenant loads an extension or a skin of [extensions] or [skins].",
		Why:       "Unused code gets no updates.",
		Repair:    "Remove it from wikictl.toml, or name it in a tenant.",
		Reference: "wikictl help files",
	}, farm: unusedComponents},
	{Rule: audit.Rule{
		ID: "component-unencrypted", Severity: audit.Warning,
		What:      "A repository is fetched over a connection that is not encrypted.",
		Why:       "An attacker between the machines can replace the code, and the lock file then records that code.",
		Repair:    "Use an address with https or ssh.",
		Reference: "wikictl help files",
	}, farm: unencrypted},
	{Rule: audit.Rule{
		ID: "lock-stray", Severity: audit.Note,
		What:      "The lock file has an extension or a skin that wikictl.toml has no source for.",
		Why:       "It may have been renamed or removed by mistake.",
		Repair:    "Restore it in wikictl.toml, or run wikictl extensions fetch, which drops the entry.",
		Reference: "wikictl help files",
	}, farm: strayLocks},
}

func changedComponents(w *wanted, r *reporter) {
	for _, c := range w.observed.Farm.Fetched {
		if c.Err != nil && c.Locked.Tree != "" {
			r.say(c.Source.Position, c.Source.Key(), "wikictl extensions fetch "+c.Source.Name, "%s", c.Err)
		}
	}
}

func unusedComponents(w *wanted, r *reporter) {
	used := map[string]bool{}
	for _, t := range w.Farm.Tenants {
		for kind, names := range map[string][]string{"extensions.": t.Extensions, "skins.": t.Skins} {
			for _, name := range names {
				folder, _, _ := strings.Cut(name, "/")
				folder, _, _ = strings.Cut(folder, ":")
				used[kind+folder] = true
			}
		}
	}
	for key, at := range w.Farm.Origins {
		kind, name, below := strings.Cut(key, ".")
		if below && (kind == "extensions" || kind == "skins") && !used[key] {
			r.say(at, key, "remove it, or name it in the "+kind+" of a tenant", "no tenant loads %s", name)
		}
	}
}

func unencrypted(w *wanted, r *reporter) {
	for _, s := range w.Farm.Sources {
		scheme, rest, _ := strings.Cut(s.Git, "://")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, ":")
		if (scheme == "http" || scheme == "git") && !slices.Contains([]string{"localhost", "127.0.0.1", "[::1]"}, host) {
			r.say(s.Position, s.Key()+".git", "use https or ssh", "%s is fetched without encryption", s.Git)
		}
	}
}

func strayLocks(w *wanted, r *reporter) {
	for _, l := range components.Unwanted(w.Farm) {
		r.say(tenants.Position{File: tenants.LockFile}, l.Kind+"s."+l.Name, "wikictl extensions fetch drops it", "%s of %s is not in %s", l.Name, strings.TrimSpace(l.Git+l.Archive+" "+l.Version), tenants.FarmFile)
	}
}
