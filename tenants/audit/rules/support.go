package rules

import (
	"strings"

	"wikictl/tenants/audit"
	"wikictl/tenants/mediawiki"
)

// ageRules find software that gets no more security fixes.
var ageRules = []rule{
	{Rule: audit.Rule{
		ID: "mediawiki-eol", Severity: audit.Warning,
		What:      "The tenant runs a version of MediaWiki that gets no more security releases.",
		Why:       "Its known vulnerabilities stay open.",
		Repair:    "Install a newer version beside it and set it as the tenant's codebase. The distribution may still provide fixes.",
		Reference: "Version lifecycle",
	}, tenant: oldMediaWiki},
	{Rule: audit.Rule{
		ID: "php-eol", Severity: audit.Warning,
		What:      "The codebase runs on a version of PHP that gets no more security releases.",
		Why:       "Its known vulnerabilities stay open.",
		Repair:    "Name a newer PHP in [codebases]. The distribution may still provide fixes.",
		Reference: "PHP: Supported versions; Compatibility",
	}, tenant: oldPHP},
	{Rule: audit.Rule{
		ID: "php-unfit", Severity: audit.Error,
		What:      "The codebase's PHP is of a version that MediaWiki, an extension or a skin does not run on.",
		Why:       "No page is answered, and wikictl upgrade refuses to begin.",
		Repair:    "Name another PHP in [codebases], and have php-fpm run the same version.",
		Reference: "Compatibility",
	}, tenant: unfitPHP},
	{Rule: audit.Rule{
		ID: "mediawiki-unknown", Severity: audit.Note,
		What:      "The codebase is of a version of MediaWiki that came after this wikictl.",
		Why:       "wikictl treats it like the newest version that it knows, and does not check later changes.",
		Repair:    "Look for a newer wikictl, and try the upgrade of one wiki first.",
		Reference: "Version lifecycle",
	}, tenant: unknownMediaWiki},
	{Rule: audit.Rule{
		ID: "mediawiki-unchecked", Severity: audit.Note,
		What:      "The codebase does not state the types of its settings, as MediaWiki before 1.39.",
		Why:       "Settings of wrong types and values, and those without effect, are not found: only names are compared.",
		Repair:    "Upgrade its tenants.",
		Reference: "Manual:Configuration settings",
	}, tenant: uncheckedMediaWiki},
}

func oldMediaWiki(s *subject, r *reporter) {
	c := s.tenant.Codebase
	if c.Version == "" {
		return
	}
	if end := s.ended("MediaWiki", c.Version); end != "" {
		hint := "upgrade its tenants to one of " + strings.Join(mediawiki.Maintained(s.today), ", ")
		r.say(c.Position, "codebases."+c.Name, hint, "MediaWiki %s: security releases ended on %s", c.Version, end)
	}
}

// ended is mediawiki.Ended, called once for all tenants with the same version.
func (w *wanted) ended(software, version string) string {
	key := [2]string{software, version}
	end, known := w.ends[key]
	if !known {
		end = mediawiki.Ended(software, version, w.today)
		if w.ends == nil {
			w.ends = map[[2]string]string{}
		}
		w.ends[key] = end
	}
	return end
}

func oldPHP(s *subject, r *reporter) {
	c := s.tenant.Codebase
	if s.code == nil {
		return
	}
	if end := s.ended("PHP", s.code.PHP); end != "" {
		r.say(c.Position, "codebases."+c.Name+".php", "set a newer one", "PHP %s: security releases ended on %s", s.code.PHP, end)
	}
}

func unfitPHP(s *subject, r *reporter) {
	c := s.tenant.Codebase
	if s.code == nil || s.code.PHP == "" {
		return
	}
	for _, problem := range mediawiki.PHPProblems(s.tenant, c, s.code.PHP) {
		r.say(c.Position, "codebases."+c.Name+".php", "name another in [codebases]", "%s", problem)
	}
}

func unknownMediaWiki(s *subject, r *reporter) {
	if c := s.tenant.Codebase; mediawiki.NewerThanKnown(c.Version) {
		r.say(c.Position, "codebases."+c.Name, "", "MediaWiki %s is newer than %s, the newest that this wikictl knows", c.Version, mediawiki.Newest())
	}
}

func uncheckedMediaWiki(s *subject, r *reporter) {
	if c := s.tenant.Codebase; c.Version != "" && mediawiki.CompareVersions(c.Version, "1.39") < 0 {
		r.say(c.Position, "codebases."+c.Name, "", "MediaWiki %s states no types of its settings: only their names are checked", c.Version)
	}
}
