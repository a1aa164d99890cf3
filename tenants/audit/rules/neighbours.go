package rules

import (
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// databaseDenied is the rule about databases of other wikis that settings name.
var databaseDenied = audit.Rule{
	ID: "database-denied", Severity: audit.Warning,
	What:      "A setting names the database of another wiki, in which the wiki has no rights.",
	Why:       "If MediaWiki or an extension reads it, pages are errors.",
	Repair:    "Write media in [shared] to show the other wiki's files, and grants for other tables; then the removal of the other wiki waits for this one, too.",
	Reference: "Manual:$wgForeignFileRepos",
}

var neighbourRules = []rule{{Rule: databaseDenied, setting: namesDatabase}}

// namesDatabase reports texts of a setting that are the name of another tenant's database on the
// same server. $wgSharedDB has a rule of its own.
func namesDatabase(s *subject, name string, v tenants.Value, r *reporter) {
	if name == "wgSharedDB" {
		return
	}
	texts(v, func(text tenants.Value) {
		database, _ := text.Data.(string)
		other := s.ownerOf(database)
		if other == nil || other == s.tenant || other.Server != s.tenant.Server || s.tenant.MayUse(database) {
			return
		}
		hint := `grants = [{ on = "` + database + `", tables = […], rights = ["SELECT"] }]`
		if slices.Contains(fileSettings, name) {
			hint = `[shared] media = "` + other.Name + `" in its place`
		}
		r.say(text.Position, name, hint, "it names the database of %s, in which the wiki has no rights", other.Name)
	})
}

// fileSettings are the settings by which MediaWiki shows files of another wiki's database.
var fileSettings = []string{"wgForeignFileRepos", "wgSharedUploadDBname"}

// ownerOf returns the tenant that has a database, or nil.
func (w *wanted) ownerOf(database string) *tenants.Tenant {
	if w.databases == nil {
		w.databases = map[string]*tenants.Tenant{}
		for _, t := range w.Farm.Tenants {
			for _, name := range append([]string{t.Database}, t.Databases...) {
				w.databases[name] = t
			}
		}
	}
	return w.databases[database]
}

// namesOthers reports whether a setting of a tenant has the name of another one's database.
func (w *wanted) namesOthers(t *tenants.Tenant) (found bool) {
	for _, v := range t.Settings {
		texts(v, func(text tenants.Value) {
			other := w.ownerOf(text.Data.(string))
			found = found || other != nil && other != t
		})
	}
	return found
}

// texts calls do for each string in a value, and in what an operation adds.
func texts(v tenants.Value, do func(tenants.Value)) {
	if _, is := v.Data.(string); is {
		do(v)
	}
	for _, e := range elements(v) {
		texts(e, do)
	}
}
