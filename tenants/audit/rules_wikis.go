package audit

import (
	"strings"

	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// wikiRules are about what wikis answer through the web server.
var wikiRules = []rule{
	{Rule: Rule{
		ID: "wiki-silent", Severity: Error,
		What:      "A wiki does not answer by one of its host names.",
		Why:       "Nobody can read it.",
		Mend:      "The message says what came instead; look at the web server's and php-fpm's logs, and at the other findings.",
		Reference: "Manual:Errors and symptoms",
	}, there: silentWiki},
	{Rule: Rule{
		ID: "wiki-other", Severity: Error,
		What:      "By a host name of a wiki another one answers, or other code than the ledger says.",
		Why:       "Readers see, and editors change, something else than they think.",
		Mend:      "Look for another virtual host that takes the name; then wikictl render --write.",
		Reference: "API:Siteinfo",
	}, there: otherWiki},
	{Rule: Rule{
		ID: "private-unsaid", Severity: Error,
		What:      "A wiki may not be read without a log-in, but no definition says so.",
		Why:       "Its files are served to whoever guesses their names.",
		Mend:      `Set wgGroupPermissions."*".read to false, beside the extension or the hook that keeps strangers out.`,
		Reference: "Manual:Image authorization",
	}, there: privateUnsaid},
	{Rule: Rule{
		ID: "host-unknown", Severity: Error,
		What:      "A host name of no wiki is answered by some wiki.",
		Why:       "Whoever points a name at the server gets that wiki under it, with its cookies and caches.",
		Mend:      "Have the web server include vhosts/*.conf of the state folder as a whole; no other file may be the default server.",
		Reference: "nginx: How nginx processes a request",
	}, allThere: unknownHost},
}

func silentWiki(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.Broken) > 0 {
		return
	}
	var wrong []string
	for _, a := range d.answers {
		if a.err != nil {
			wrong = append(wrong, a.err.Error())
		}
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "hosts", "", "%s", strings.Join(wrong, "; "))
	}
}

func otherWiki(s *subject, r *reporter) {
	d := s.state()
	if d == nil {
		return
	}
	want := wiki.SiteInfo{DBName: s.tenant.Database, Version: d.row.Version}
	if d.code != nil && len(d.changes) == 0 { // else the files are what is found
		want.Sitename, want.Lang, want.Server = s.tenant.Sitename, s.tenant.Language, s.farm.Web.AddressOf(s.tenant)
	}
	var wrong []string
	for _, a := range d.answers {
		if a.err != nil {
			continue
		}
		if err := session.Differ(a.host, a.info, want); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "hosts", "", "%s", strings.Join(wrong, "; "))
	}
}

func privateUnsaid(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.changes) > 0 { // else the files are what is found
		return
	}
	for _, a := range d.answers {
		if err := session.ServedOpenly(a.host, a.info, wiki.SiteInfo{Hidden: s.tenant.Private()}); err != nil {
			r.say(s.tenant.Position, "settings", "", "%s", err)
			return
		}
	}
}

func unknownHost(w *wanted, r *reporter) {
	if database := w.there.farm.stranger; database != "" {
		r.say(w.farm.At("web.probe"), "web", "", "a host name of no wiki, %s, is answered by the wiki in database %s", strange, database)
	}
}
