package rules

import (
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// databaseDenied is the rule about databases of other wikis that settings name.
var databaseDenied = audit.Rule{
	ID: "database-denied", Severity: audit.Warning,
	What:      "A setting names the database of another wiki, in which the wiki has no rights.",
	Why:       "If MediaWiki or an extension reads it, its requests are errors, or show nothing of it.",
	Repair:    "Write media in [shared] to show the other wiki's files, and grants for other tables; then the removal of the other wiki waits for this one, too.",
	Reference: "Manual:$wgForeignFileRepos",
}

var neighbourRules = []rule{
	{Rule: databaseDenied, setting: namesDatabase},
	{Rule: audit.Rule{
		ID: "folder-shared", Severity: audit.Warning,
		What:      "A setting names a folder of another wiki below state.",
		Why:       "The wiki loses it without a word when the other one is renamed or removed, and shows what only the other's readers may see.",
		Repair:    "Write media in [shared] to show the other wiki's files, or use a folder outside of state.",
		Reference: "Manual:$wgSharedUploadDirectory",
	}, setting: namesFolder},
}

// namesFolder reports texts of a setting that are paths in the folder of another tenant.
func namesFolder(s *subject, name string, v tenants.Value, r *reporter) {
	texts(v, func(text string, at tenants.Position) {
		path, below := strings.CutPrefix(text, s.wikis)
		if other, _, _ := strings.Cut(path, "/"); below && other != s.tenant.Name {
			r.say(at, name, `[shared] media = "`+other+`" in its place`, "it names a folder of %s", other)
		}
	})
}

// namesDatabase reports texts of a setting that are the name of another tenant's database on the
// same server. $wgSharedDB has a rule of its own.
func namesDatabase(s *subject, name string, v tenants.Value, r *reporter) {
	if name == "wgSharedDB" {
		return
	}
	texts(v, func(database string, at tenants.Position) {
		other := s.ownerOf(database)
		if other == nil || other == s.tenant || other.Server != s.tenant.Server || s.tenant.MayUse(database) {
			return
		}
		hint := `grants = [{ on = "` + database + `", tables = […], rights = ["SELECT"] }]`
		if slices.Contains(fileSettings, name) {
			hint = `[shared] media = "` + other.Name + `" in its place`
		}
		r.say(at, name, hint, "it names the database of %s, in which the wiki has no rights", other.Name)
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
		texts(v, func(text string, _ tenants.Position) {
			other := w.ownerOf(text)
			found = found || other != nil && other != t
		})
	}
	return found
}

// texts calls do for each string in a value, and in what an operation adds, with its place.
func texts(v tenants.Value, do func(text string, at tenants.Position)) {
	if text, is := v.Data.(string); is {
		do(text, v.Position)
	}
	for _, e := range elements(v) {
		texts(e, do)
	}
}
