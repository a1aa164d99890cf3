package rules

import (
	"strings"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// wikiRules check the wikis' answers through the web server.
var wikiRules = []rule{
	{Rule: audit.Rule{
		ID: "wiki-silent", Severity: audit.Error,
		What:      "A wiki does not answer by one of its host names.",
		Why:       "Users can't read it.",
		Repair:    "The message has the answer; check the logs of the web server and php-fpm, and the other findings.",
		Reference: "Manual:Errors and symptoms",
	}, observed: silentWiki},
	{Rule: audit.Rule{
		ID: "wiki-other", Severity: audit.Error,
		What:      "Another wiki answers for a host name of a wiki, or the wiki runs other code than in the ledger.",
		Why:       "Readers and editors use the wrong wiki or code.",
		Repair:    "Find another virtual host that has the name; then run wikictl render --write.",
		Reference: "API:Siteinfo",
	}, observed: otherWiki},
	{Rule: audit.Rule{
		ID: "private-unsaid", Severity: audit.Error,
		What:      "A wiki requires a log-in for reading, but no definition says so.",
		Why:       "Its files are served to anyone who guesses their names.",
		Repair:    `Set wgGroupPermissions."*".read to false, beside the extension or the hook that requires the log-in.`,
		Reference: "Manual:Image authorization",
	}, observed: privateUnsaid},
	{Rule: audit.Rule{
		ID: "host-unknown", Severity: audit.Error,
		What:      "Some wiki answers for an unknown host name.",
		Why:       "Anyone can point another name at the server and get that wiki under it, with its cookies and caches.",
		Repair:    "Make the web server include all of vhosts/*.conf in the state folder; no other file may define the default server.",
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
	if d.Code != nil && len(d.Changes) == 0 { // otherwise the files are the finding
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
	if d == nil || len(d.Changes) > 0 { // otherwise the files are the finding
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
		r.say(w.Farm.At("web.probe"), "web", "", "the wiki in database %[2]s answers for the unknown host name %[1]s", observe.StrangeHost, database)
	}
}
