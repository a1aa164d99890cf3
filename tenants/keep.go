package tenants

import "time"

// Keep is how long what wikictl writes by the way stays, of [keep]. Zero of an age means
// for ever.
type Keep struct {
	Runs    time.Duration // of the ledger: runs with their steps, lock sessions, ended upgrades
	Logs    time.Duration // what PHP printed, below state/logs
	Dumps   int64         // the newest dumps of each tenant, at least one, however old
	DumpAge time.Duration // dumps that are younger stay, too; zero: all do
	Removed time.Duration // what was removed, below state/removed
	Goldens time.Duration // goldens that no tenant is made from any more
	Backups KeepBackups
}

// KeepBackups are how many backups of each tenant stay: the newest of so many days, weeks
// and months, and in any case the newest of all.
type KeepBackups struct{ Daily, Weekly, Monthly int64 }
