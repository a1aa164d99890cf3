package rules

import (
	"path/filepath"

	"wikictl/tenants/audit"
)

// folderRules are about the folders of the farm's own that the web server sends files from.
var folderRules = []rule{
	{Rule: audit.Rule{
		ID: "static-closed", Severity: audit.Error,
		What:      "The web server's user can't read a folder of a wiki's static files.",
		Why:       "robots.txt, icons and logos in it are not found.",
		Repair:    "Let the user in: chmod o+rx for the folder, o+x for those above it.",
		Reference: "wikictl help web",
	}, observed: closedStatic},
	{Rule: audit.Rule{
		ID: "acme-closed", Severity: audit.Error,
		What:      "The folder of the ACME client's answers, web.acme, is missing, or the web server's user can't read it.",
		Why:       "No certificate is issued, and none is renewed.",
		Repair:    "Make the folder with mode 0755, and name it as the client's webroot.",
		Reference: "RFC 8555: HTTP Challenge",
	}, observedFarm: closedACME},
}

// closedStatic leaves out folders that are missing: those block their tenant.
func closedStatic(s *subject, r *reporter) {
	if s.tenant.Blocked() {
		return
	}
	for _, folder := range s.tenant.Static {
		if err := s.observed.Folders[filepath.Join(s.Farm.Dir, folder)]; err != nil {
			r.say(s.tenant.Origins["static."+folder], "static", "", "%s", err)
		}
	}
}

func closedACME(w *wanted, r *reporter) {
	if err := w.observed.Folders[w.Farm.Web.ACME]; err != nil {
		r.say(w.Farm.At("web.acme"), "web.acme", "", "%s", err)
	}
}
