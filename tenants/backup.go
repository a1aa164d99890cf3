package tenants

// Backup says where backups go, and holds the operator's own commands for dumps, of [backup]. In their words
// {database} stands for a wiki's database, {file} for the file to write or read, and
// {options} for an option file with the credentials for MariaDB's clients.
type Backup struct {
	Dump    []string // writes the database into the file
	Restore []string // loads the file into the empty database

	// Restic is the repository of restic that gets backups in place of state/archives;
	// empty: none does.
	Restic       string
	PasswordFile string // of that repository; empty: the environment says the password

	// MaxAgeDays is the age of the latest dump from which an audit reports it; zero:
	// dumps are made elsewhere.
	MaxAgeDays int64
}
