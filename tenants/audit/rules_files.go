package audit

import "time"

// fileRules compare the definitions with files and with what the wikis answer.
var fileRules = []rule{
	{Rule: Rule{
		ID: "read-only-left", Severity: Error,
		What:      "A wiki is read-only on the web and no upgrade of it goes on.",
		Why:       "Nobody can edit it.",
		Mend:      "Run wikictl upgrade for it, which finishes what was interrupted, or remove the file.",
		Reference: "Manual:$wgReadOnlyFile",
	}, there: readOnlyLeft},
}

func readOnlyLeft(s *subject, r *reporter) {
	if since := s.there.disk[s.tenant.Name].readOnly; !since.IsZero() {
		r.say(s.tenant.Position, "", "wikictl upgrade "+s.tenant.Name, "it has been read-only since %s UTC", since.UTC().Format(time.DateTime))
	}
}
