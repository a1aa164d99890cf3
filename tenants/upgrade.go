package tenants

// UpgradeStep is a script that an upgrade runs besides MediaWiki's updater,
// [[upgrade.step]] in wikictl.toml: one that an extension's documentation asks users to
// run.
type UpgradeStep struct {
	Script    string   // below the codebase's folder, such as "extensions/Foo/maintenance/setup.php"
	Arguments []string // of the script
	After     bool     // run by the new code after the updater; otherwise by the old code before it
	Where     string   // an expression for Select; empty: all tenants
	Position  Position

	Match matcher
}

// For reports whether the step applies to a tenant.
func (s UpgradeStep) For(t *Tenant) bool { return s.Match(t) }
