package rules

import (
	"strings"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// wikiRules are about what wikis answer through the web server.
var wikiRules = []rule{
	{Rule: audit.Rule{
		ID: "wiki-silent", Severity: audit.Error,
		What:      "A wiki does not answer by one of its host names.",
		Why:       "Nobody can read it.",
		Repair:    "The message says what came instead; look at the web server's and php-fpm's logs, and at the other findings.",
		Reference: "Manual:Errors and symptoms",
	}, observed: silentWiki},
	{Rule: audit.Rule{
		ID: "wiki-other", Severity: audit.Error,
		What:      "By a host name of a wiki another one answers, or other code than the ledger says.",
		Why:       "Readers see, and editors change, something else than they think.",
		Repair:    "Look for another virtual host that takes the name; then wikictl render --write.",
		Reference: "API:Siteinfo",
	}, observed: otherWiki},
	{Rule: audit.Rule{
		ID: "private-unsaid", Severity: audit.Error,
		What:      "A wiki may not be read without a log-in, but no definition says so.",
		Why:       "Its files are served to whoever guesses their names.",
		Repair:    `Set wgGroupPermissions."*".read to false, beside the extension or the hook that keeps strangers out.`,
		Reference: "Manual:Image authorization",
	}, observed: privateUnsaid},
	{Rule: audit.Rule{
		ID: "host-unknown", Severity: audit.Error,
		What:      "A host name of no wiki is answered by some wiki.",
		Why:       "Whoever points a name at the server gets that wiki under it, with its cookies and caches.",
		Repair:    "Have the web server include vhosts/*.conf of the state folder as a whole; no other file may be the default server.",
		Reference: "nginx: How nginx processes a request",
	}, observedFarm: unknownHost},
}

func silentWiki(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.Broken) > 0 {
		return
	}
	var wrong []string
	for _, a := range d.Answers {
		if a.Err != nil {
			wrong = append(wrong, a.Err.Error())
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
	want := wiki.SiteInfo{DBName: s.tenant.Database, Version: d.Row.Version}
	if d.Code != nil && len(d.Changes) == 0 { // else the files are what is found
		want.Sitename, want.Lang, want.Server = s.tenant.Sitename, s.tenant.Language, s.Farm.Web.AddressOf(s.tenant)
	}
	var wrong []string
	for _, a := range d.Answers {
		if a.Err != nil {
			continue
		}
		if err := session.Differ(a.Host, a.Info, want); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "hosts", "", "%s", strings.Join(wrong, "; "))
	}
}

func privateUnsaid(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.Changes) > 0 { // else the files are what is found
		return
	}
	for _, a := range d.Answers {
		if err := session.ServedOpenly(a.Host, a.Info, wiki.SiteInfo{Hidden: s.tenant.Private()}); err != nil {
			r.say(s.tenant.Position, "settings", "", "%s", err)
			return
		}
	}
}

func unknownHost(w *wanted, r *reporter) {
	if database := w.observed.Farm.Stranger; database != "" {
		r.say(w.Farm.At("web.probe"), "web", "", "a host name of no wiki, %s, is answered by the wiki in database %s", observe.StrangeHost, database)
	}
}
