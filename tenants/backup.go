package tenants

// Backup are the operator's own commands for dumps, of [backup]. In their words
// {database} is a wiki's database, {file} the one file to write or to read, and
// {options} an option file for MariaDB's clients that tells how to connect.
type Backup struct {
	Dump    []string // writes the database into the file
	Restore []string // fills the database, which is empty, from the file

	// MaxAgeDays is how old the latest dump of a wiki may be before an audit says
	// so; zero: dumps are made elsewhere.
	MaxAgeDays int64
}
