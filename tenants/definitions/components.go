package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// setComponents checks extensions and skins against the tenant's codebase.
func (l *loader) setComponents(t *tenants.Tenant, extensions, skins []text) {
	if len(skins) == 0 && t.Codebase != nil {
		if name := mediawiki.DefaultSkin(t.Codebase); name != "" {
			skins = []text{{value: name, at: t.Codebase.Position}}
		}
	}
	t.Extensions, t.Skins = values(extensions), values(skins)
	for _, e := range extensions {
		t.Origins["extensions."+e.value] = e.at
	}
	for _, s := range skins {
		t.Origins["skins."+s.value] = s.at
	}
	if t.Codebase == nil || len(t.Codebase.Faults) > 0 { // its default skin is unknown
		return
	}
	if len(skins) == 0 {
		t.Fault(tenants.Problem{Position: t.Position, Key: "skins", Hint: `such as skins = ["Vector"]`,
			Message: fmt.Sprintf("the tenant %q has none, and MediaWiki %s at %s has none of its own", t.Name, t.Codebase.Version, t.Codebase.Path)})
	}
	t.Extensions = mediawiki.ParentsFirst(t.Extensions, t.Codebase.Extensions)
	l.checkComponents(t, "extensions", extensions, t.Codebase.Extensions)
	l.checkComponents(t, "skins", skins, t.Codebase.Skins)
}

// checkComponents finds the extensions or skins that the tenant loads and its codebase
// lacks.
func (l *loader) checkComponents(t *tenants.Tenant, key string, wanted []text, have map[string]*tenants.Component) {
	kind := strings.TrimSuffix(key, "s")
	for _, w := range wanted {
		c := have[w.value]
		switch {
		case l.notTold(kind, w.value):
			continue
		case c == nil:
			t.Fault(absent(t, w, key, kind, have))
			continue
		case c.Declared().Fault != "":
			t.Fault(tenants.Problem{Position: w.at, Key: key, Hint: c.Declared().Hint,
				Message: fmt.Sprintf("the %s %q of MediaWiki %s: %s", kind, w.value, t.Codebase.Version, c.Declared().Fault)})
		}
		if c.Parent != "" && have[c.Parent] != nil && !slices.ContainsFunc(wanted, func(w text) bool { return w.value == c.Parent }) {
			t.Fault(tenants.Problem{Position: w.at, Key: key, Hint: fmt.Sprintf("add %q", c.Parent),
				Message: fmt.Sprintf("%s is a part of %s, which the tenant %q does not load", w.value, c.Parent, t.Name)})
		}
		for _, missing := range mediawiki.Unmet(c.Declared().Requires, t, l.satisfies) {
			t.Fault(tenants.Problem{Position: w.at, Key: key, Message: fmt.Sprintf("%s of tenant %q needs %s", w.value, t.Name, missing)})
		}
	}
}

// satisfies is mediawiki.Satisfies with cached results: most tenants load the same components.
func (l *loader) satisfies(version, constraint string) bool {
	key := version + "\x00" + constraint
	if known, ok := l.satisfied.Load(key); ok {
		return known.(bool)
	}
	met := mediawiki.Satisfies(version, constraint)
	l.satisfied.Store(key, met)
	return met
}

// absent returns the problem of a component that a codebase lacks.
func absent(t *tenants.Tenant, w text, key, kind string, have map[string]*tenants.Component) tenants.Problem {
	p := tenants.Problem{Position: w.at, Key: key, Hint: tenants.Suggest(w.value, maps.Keys(have)),
		Message: fmt.Sprintf("MediaWiki %s at %s has no %s %q", t.Codebase.Version, t.Codebase.Path, kind, w.value)}
	if why, hint := mediawiki.MovedProblem(w.value, t.Codebase.Version); why != "" {
		p.Message, p.Hint = fmt.Sprintf("%s, and MediaWiki %s at %s has no %s of that name", why, t.Codebase.Version, t.Codebase.Path, kind), hint
	} else if other := (map[string]map[string]*tenants.Component{"extension": t.Codebase.Skins, "skin": t.Codebase.Extensions})[kind]; other[w.value] != nil {
		p.Hint = map[string]string{"extension": "it is a skin: name it in skins", "skin": "it is an extension: name it in extensions"}[kind]
	} else if others := mediawiki.Others(w.value, have); len(others) > 0 {
		p.Hint = "its folder has " + strings.Join(others, " and ")
	}
	return p
}
