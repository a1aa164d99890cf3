package rules

import (
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mariadb/schema"
	"wikictl/tenants/mediawiki"
)

// tablesShared is the rule about tables of another database in place of the wiki's own.
var tablesShared = audit.Rule{
	ID: "shared-tables", Severity: audit.Warning,
	What:      "A wiki uses tables of another wiki's database.",
	Why:       "Its account can't reach them, and every wiki's upgrade would change them again. wikictl upgrade refuses such a wiki.",
	Repair:    "Unset it. A new wiki can have the accounts of another by users in [shared]; wikis that exist share them by an extension such as CentralAuth, or by an external log-in.",
	Reference: "Manual:$wgSharedDB",
}

// schemaRules compare the tables of wikis with those of new ones. They do not compare
// defaults of columns, which InnoDB's dictionary lacks.
var schemaRules = []rule{
	{Rule: audit.Rule{
		ID: "schema-version", Severity: audit.Error,
		What:      "The schema of a wiki's database belongs to another version of MediaWiki than the wiki runs on.",
		Why:       "The code uses tables that are missing or different: pages fail, and data may be lost.",
		Repair:    "Run wikictl upgrade --force for it, or restore its database from a backup.",
		Reference: "Manual:Upgrading",
	}, observed: schemaVersion},
	{Rule: audit.Rule{
		ID: "schema-missing", Severity: audit.Error,
		What:      "A wiki's database lacks tables or columns of its code or extensions.",
		Why:       "Features that need them fail.",
		Repair:    "Run wikictl upgrade --force for it. This does not create tables of MediaWiki's core: restore it from a backup, or run its CREATE TABLE from the codebase's tables-generated.sql.",
		Reference: "Manual:update.php",
	}, observed: schemaMissing},
	{Rule: audit.Rule{
		ID: "schema-type", Severity: audit.Error,
		What:      "Columns of a wiki's database have other types, sizes or character sets than in a new wiki.",
		Why:       "Text may be truncated or not be found, numbers may not fit, and the next upgrade may fail on them.",
		Repair:    "Find the cause; run ALTER TABLE … MODIFY with the types in the finding.",
		Reference: "Manual:Database layout",
	}, observed: schemaType},
	{Rule: audit.Rule{
		ID: "schema-index", Severity: audit.Warning,
		What:      "A wiki's database lacks indexes, or has them on other columns than a new wiki.",
		Why:       "Pages get slow as the wiki grows; without a unique index rows may be duplicated.",
		Repair:    "Run wikictl upgrade --force for it, or create the index.",
		Reference: "Manual:Database layout",
	}, observed: schemaIndex},
	{Rule: audit.Rule{
		ID: "schema-extra", Severity: audit.Note,
		What:      "A wiki's database has tables, columns or indexes that come neither from its code nor from the farm's own SQL.",
		Why:       "They may come from an extension that is no longer loaded, or from manual changes; an upgrade may fail on them.",
		Repair:    "Drop them if nothing uses them, or add a file that creates them to migrations.",
		Reference: "Manual:Uninstalling extensions",
	}, observed: schemaExtra},
	{Rule: tablesShared, names: []string{"wgSharedDB"}, setting: sharedTables},
	{Rule: audit.Rule{
		ID: "shared-replaced", Severity: audit.Warning,
		What:      "A wiki shares a table that its version of MediaWiki has replaced by others.",
		Why:       "The new tables are not shared, without any error: each wiki has its own rows.",
		Repair:    "Name the new tables in $wgSharedTables, and move the shared rows into them.",
		Reference: "Manual:$wgSharedTables",
	}, names: []string{"wgSharedTables"}, setting: sharedReplaced},
	{Rule: audit.Rule{
		ID: "jobs-queued", Severity: audit.Warning,
		What:      "A wiki's job queue is long: a thousand jobs or more.",
		Why:       "Its jobs run too rarely or not at all: links, categories, thumbnails and mails are late. After an upgrade they would run on the new code.",
		Repair:    "Run wikictl jobs run for it, and have a service do so (runner in [jobs]), or set $wgJobRunRate.",
		Reference: "Manual:Job queue",
	}, observed: jobsQueued},
}

func schemaVersion(s *subject, r *reporter) {
	row, found := s.inUse()
	if found == nil || found.Level.Fits(row.Version) {
		return
	}
	if found.Level.MadeAhead(row.Version) {
		r.sayAs(audit.Note, s.tenant.Position, row.Database, "wikictl upgrade "+s.tenant.Name, "its database %s has columns of a newer MediaWiki already, as wikictl upgrade --ahead only makes them; it runs on MediaWiki %s",
			row.Database, row.Version)
		return
	}
	r.say(s.tenant.Position, row.Database, "wikictl upgrade --force "+s.tenant.Name, "the schema of its database %s is %s, and it runs on MediaWiki %s",
		row.Database, found.Level, row.Version)
}

// compared returns the differences between the tenant's schema and that of its code, and
// the reference's origin. It leaves out those from the farm's own SQL and wikictl's
// tables. A schema of another version is one fault, not a hundred, so it returns none
// then.
func (s *subject) compared() ([]schema.Difference, string) {
	row, found := s.inUse()
	if found == nil || !found.Level.Fits(row.Version) {
		return nil, ""
	}
	want, known := s.observed.Schemas[row.ComponentSet]
	if !known {
		return nil, ""
	}
	return slices.DeleteFunc(want.Schema.Differences(found.Schema), func(d schema.Difference) bool {
		return d.Table == mariadb.MigrationTable || slices.ContainsFunc(s.observed.FarmSQL, func(w observe.SQLWords) bool { return w.Explains(d) })
	}), want.Source
}

// differ reports the differences of one kind as one finding.
func (s *subject) differ(r *reporter, what, hint string, kind func(schema.Difference) bool) {
	all, source := s.compared()
	all = slices.DeleteFunc(all, func(d schema.Difference) bool { return !kind(d) })
	if len(all) == 0 {
		return
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.String()
		if d.Want != "" && d.Got != "" {
			names[i] += fmt.Sprintf(" (%s, want %s)", d.Got, d.Want)
		}
	}
	r.say(s.tenant.Position, s.tenant.Database+"."+all[0].Table, hint, "%s, compared with %s: %s", fmt.Sprintf(what, s.tenant.Database), source, firstOf(names))
}

func schemaMissing(s *subject, r *reporter) {
	s.differ(r, "%s lacks", "wikictl upgrade --force "+s.tenant.Name, func(d schema.Difference) bool { return !d.Index && d.Got == "" })
}

func schemaType(s *subject, r *reporter) {
	s.differ(r, "%s has other types", "", func(d schema.Difference) bool { return !d.Index && d.Want != "" && d.Got != "" })
}

func schemaIndex(s *subject, r *reporter) {
	s.differ(r, "%s lacks indexes or has others", "wikictl upgrade --force "+s.tenant.Name, func(d schema.Difference) bool { return d.Index && d.Want != "" })
}

func schemaExtra(s *subject, r *reporter) {
	s.differ(r, "%s has more", "drop them if nothing uses them", func(d schema.Difference) bool { return d.Want == "" })
}

func sharedTables(_ *subject, name string, v tenants.Value, r *reporter) {
	if truthy(v) {
		r.say(v.Position, name, "unset it", "it uses tables of the database %v", v.Data)
	}
}

// replaced lists tables that a version of MediaWiki replaced by others (its
// RELEASE-NOTES).
var replaced = map[string]struct {
	since string
	by    []string
}{
	"ipblocks": {"1.42", []string{"block", "block_target"}},
}

func sharedReplaced(s *subject, name string, v tenants.Value, r *reporter) {
	var shared []string
	for _, e := range elements(v) {
		text, _ := e.Data.(string)
		shared = append(shared, text)
	}
	for _, e := range elements(v) {
		table, _ := e.Data.(string)
		n, known := replaced[table]
		missing := slices.DeleteFunc(slices.Clone(n.by), func(by string) bool { return slices.Contains(shared, by) })
		if known && len(missing) > 0 && mediawiki.CompareVersions(s.tenant.Codebase.Version, n.since) >= 0 {
			r.say(e.Position, name, "add "+strings.Join(missing, " and "), "it shares %s, and MediaWiki %s has %s in its place since %s, which it does not share",
				table, s.tenant.Codebase.Version, strings.Join(n.by, " and "), n.since)
		}
	}
}

func jobsQueued(s *subject, r *reporter) {
	if _, found := s.inUse(); found != nil && found.Jobs >= observe.ManyJobs {
		r.say(s.tenant.Position, s.tenant.Database+".job", "wikictl jobs run "+s.tenant.Name, "%d jobs wait in its queue", found.Jobs)
	}
}
