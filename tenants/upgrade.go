package tenants

// UpgradeStep is a script that an upgrade of some tenants runs beside MediaWiki's updater,
// [[upgrade.step]] in wikictl.toml: what an extension asks its users to run themselves.
type UpgradeStep struct {
	Script    string   // below the codebase's folder, such as "extensions/Foo/maintenance/setup.php"
	Arguments []string // of the script
	After     bool     // run by the new code when the updater has ended; else by the old code before it
	Where     string   // as Select takes it; empty: every tenant
	Position  Position

	Match matcher
}

// For reports whether the step is one of that tenant's.
func (s UpgradeStep) For(t *Tenant) bool { return s.Match(t) }
