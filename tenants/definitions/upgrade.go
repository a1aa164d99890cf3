package definitions

import (
	"net/url"
	"path"
	"strings"

	"wikictl/tenants"
)

// readUpgrade reads [upgrade] of the farm: the pages of every tenant, and the steps.
func (l *loader) readUpgrade(s *section) {
	l.pages = readPages(s)
	s.list("step", func(at tenants.Position, sub *section) {
		step := tenants.UpgradeStep{Position: at, Match: func(*tenants.Tenant) bool { return true }}
		script, where := sub.text("script"), sub.text("where")
		step.Script, step.Arguments, step.Where = script.value, values(sub.texts("arguments")), where.value
		step.After = l.oneOf(sub, "when", "after", "before") == "after"
		sub.end()
		switch {
		case script.set() && (path.IsAbs(step.Script) || path.Clean(step.Script) != step.Script || strings.HasPrefix(step.Script, "..") || !strings.HasSuffix(step.Script, ".php")):
			sub.report(script.at, "script", `such as "extensions/Foo/maintenance/setup.php"`, "%q is not a path of a PHP script below the codebase's folder", step.Script)
		case !script.set() && !script.wrong:
			sub.report(at, "script", `such as "extensions/Foo/maintenance/setup.php"`, "is missing")
		}
		if where.set() {
			match, err := tenants.Match(where.value)
			if err != nil {
				sub.report(where.at, "where", `such as "extension=SemanticMediaWiki"`, "%s", err)
				match = func(*tenants.Tenant) bool { return false }
			}
			step.Match = match
		}
		l.farm.UpgradeSteps = append(l.farm.UpgradeSteps, step)
	})
	s.end()
}

// readPages reads the pages that an upgrade checks before and after it changes a wiki. The caller
// ends the section.
func readPages(s *section) []text {
	var pages []text
	for _, page := range s.texts("pages") {
		_, err := url.ParseRequestURI(page.value)
		if err != nil || !strings.HasPrefix(page.value, "/") || strings.HasPrefix(page.value, "//") || strings.Contains(page.value, "#") {
			s.report(page.at, "pages", `such as "/wiki/Report"`, "%q is not a path of a page", page.value)
			continue
		}
		pages = append(pages, page)
	}
	return pages
}

// setPages sets the pages of the farm and of a tenant's layers, each once.
func (l *loader) setPages(t *tenants.Tenant, layers []*layer) {
	pages := l.pages
	for _, layer := range layers {
		pages = joinLists(pages, layer.pages)
	}
	for _, page := range pages {
		t.Pages = append(t.Pages, page.value)
		t.Origins["upgrade.pages."+page.value] = page.at
	}
}
