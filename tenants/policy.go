package tenants

// Policy is a rule of the farm's own, [[policy]] in wikictl.toml: tenants, a setting, and
// conditions on its value.
type Policy struct {
	Name     string
	Where    string // as Select takes it; empty: every tenant
	Setting  string // such as "wgEnableUploads"
	Reason   string
	Severity string           // "error", "warning" or "note"
	Test     map[string]Value // must, must_not, one_of, matches, range
	Position Position
}

// Ignore is one accepted finding, [[ignore]] in wikictl.toml.
type Ignore struct {
	Rule     string
	Tenants  []string // names or globs
	Reason   string
	Until    string // YYYY-MM-DD
	Position Position
}
