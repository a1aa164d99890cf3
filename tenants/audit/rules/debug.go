package rules

import (
	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// debugRules find settings that show internals of a wiki to visitors.
var debugRules = []rule{
	{Rule: audit.Rule{
		ID: "debug-output", Severity: audit.Error,
		What:      "Pages show exception details or debugging output.",
		Why:       "Visitors see file names, queries and sometimes the data of others.",
		Repair:    "Turn it off; use wgDebugLogFile and wgDBerrorLog, which write to files, instead.",
		Reference: "Manual:How to debug, Manual:$wgShowExceptionDetails",
	}, names: []string{"wgShowExceptionDetails", "wgShowDebug", "wgDebugToolbar", "wgDebugComments", "wgDevelopmentWarnings", "wgDebugRawPage"}, setting: on("shows visitors the inside of the wiki")},
	{Rule: audit.Rule{
		ID: "debug-log-served", Severity: audit.Error,
		What:      "A log is written into a folder that the web server serves.",
		Why:       "Debug logs hold sessions and passwords.",
		Repair:    "Write it outside of the codebase and of the wiki's images.",
		Reference: "Manual:$wgDebugLogFile",
	}, names: []string{"wgDebugLogFile", "wgDBerrorLog", "wgRateLimitLog"}, setting: servedLog},
}

// on reports a setting that is on.
func on(why string) func(*subject, string, tenants.Value, *reporter) {
	return func(_ *subject, name string, v tenants.Value, r *reporter) {
		if truthy(v) {
			r.say(v.Position, name, "set it to false or remove it", "is %s: it %s", kind(v), why)
		}
	}
}

// off reports a setting that is off.
func off(why string) func(*subject, string, tenants.Value, *reporter) {
	return func(_ *subject, name string, v tenants.Value, r *reporter) {
		if falsy(v) {
			r.say(v.Position, name, "remove it: the default is true", "is %s: %s", kind(v), why)
		}
	}
}

func servedLog(s *subject, name string, v tenants.Value, r *reporter) {
	path, _ := v.Data.(string)
	for _, folder := range []string{s.tenant.Codebase.Path, s.Farm.Layout().Images(s.tenant.Name)} {
		if inside(path, folder) {
			r.say(v.Position, name, "choose a folder outside of it", "writes below %s, which the web server serves", folder)
		}
	}
}
