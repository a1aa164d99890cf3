package rules

import (
	"strings"

	"wikictl/tenants"
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
		ID: "private-open", Severity: audit.Error,
		What:      "Visitors may read a wiki that its definitions make private.",
		Why:       "What it holds is not for everybody.",
		Repair:    "Find the extension or hook that grants the right, or a PHP expression; Special:ListGroupRights shows the rights.",
		Reference: "Manual:Preventing access",
	}, observed: privateOpen},
	{Rule: audit.Rule{
		ID: "closed-differs", Severity: audit.Error,
		What:      "A wiki takes edits although its definition closes it, or refuses them although it does not.",
		Why:       "A closed wiki is changed, or an open one can't be.",
		Repair:    "Run wikictl render --write; look for a setting, an extension or a database server that is read-only.",
		Reference: "Manual:$wgReadOnly",
	}, observed: closedDiffers},
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

func privateOpen(s *subject, r *reporter) {
	d := s.state()
	if _, right := s.tenant.ReadRight(); d == nil || len(d.Changes) > 0 || right != tenants.ReadDenied {
		return
	}
	for _, a := range d.Answers {
		if a.Err == nil && !a.Info.Hidden && !a.Info.Private {
			r.say(s.tenant.Position, "settings", "", "visitors may read it by %s, although its definitions forbid that", a.Host)
			return
		}
	}
}

func closedDiffers(s *subject, r *reporter) {
	d := s.state()
	if d == nil || len(d.Changes) > 0 || !d.ReadOnly.IsZero() { // otherwise the files are the finding
		return
	}
	for _, a := range d.Answers {
		switch closed := s.tenant.State == tenants.StateClosed; {
		case a.Err != nil || a.Info.Private || a.Info.ReadOnly == closed:
			continue
		case closed:
			r.say(s.at("state"), "state", "", "it takes edits by %s, although it is closed", a.Host)
		default:
			r.say(s.at("state"), "state", "", "it refuses edits by %s, although it is not closed", a.Host)
		}
		return
	}
}

func unknownHost(w *wanted, r *reporter) {
	if database := w.observed.Farm.Stranger; database != "" {
		r.say(w.Farm.At("web.probe"), "web", "", "the wiki in database %[2]s answers for the unknown host name %[1]s", observe.StrangeHost, database)
	}
}
