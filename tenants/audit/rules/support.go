package rules

import (
	"strings"
	"time"

	"wikictl/tenants/audit"
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
}

// endOfLife has the ends of security releases by version, from the pages "Version
// lifecycle" of MediaWiki and "Supported versions" of PHP in 2025. A missing version is
// older than the first or newer than the last.
var (
	mediawikiEnds = []lifetime{
		{"1.35", "2023-12-31"}, {"1.36", "2022-05-31"}, {"1.37", "2022-11-30"}, {"1.38", "2023-06-30"},
		{"1.39", "2025-12-31"}, {"1.40", "2024-06-30"}, {"1.41", "2024-12-31"}, {"1.42", "2025-06-30"},
		{"1.43", "2027-12-31"}, {"1.44", "2026-06-30"}, {"1.45", "2026-12-31"},
	}
	phpEnds = []lifetime{
		{"7.4", "2022-11-28"}, {"8.0", "2023-11-26"}, {"8.1", "2025-12-31"}, {"8.2", "2026-12-31"},
		{"8.3", "2027-12-31"}, {"8.4", "2028-12-31"},
	}
)

// lifetime is a release and the last day of its security releases.
type lifetime struct{ release, end string }

// ended returns the day on which a version's security releases ended before
// today, or "".
func ended(version string, ends []lifetime, today time.Time) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	release := parts[0] + "." + parts[1]
	for _, l := range ends {
		if l.release == release {
			if l.end < today.Format(time.DateOnly) {
				return l.end
			}
			return ""
		}
	}
	if newer(ends[0].release, release) {
		return ends[0].end
	}
	return ""
}

func oldMediaWiki(s *subject, r *reporter) {
	c := s.tenant.Codebase
	if c.Version == "" {
		return
	}
	if end := ended(c.Version, mediawikiEnds, s.today); end != "" {
		r.say(c.Position, "codebases."+c.Name, "upgrade its tenants to another codebase", "MediaWiki %s: security releases ended on %s", c.Version, end)
	}
}

func oldPHP(s *subject, r *reporter) {
	c := s.tenant.Codebase
	if s.code == nil {
		return
	}
	if end := ended(s.code.PHP, phpEnds, s.today); end != "" {
		r.say(c.Position, "codebases."+c.Name+".php", "set a newer one", "PHP %s: security releases ended on %s", s.code.PHP, end)
	}
}
