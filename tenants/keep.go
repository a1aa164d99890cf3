package tenants

import "time"

// Keep is how long wikictl keeps its own records and files, of [keep]. An age of zero
// means no limit.
type Keep struct {
	Runs    time.Duration // of the ledger: runs with their steps, lock sessions, ended upgrades
	Logs    time.Duration // PHP's output, below state/logs
	Dumps   int64         // the newest dumps of each tenant, at least one, however old
	DumpAge time.Duration // younger dumps are kept, too; zero: all
	Removed time.Duration // removed tenants, below state/removed
	Goldens time.Duration // goldens that no tenant uses any more
	Backups KeepBackups

	Components time.Duration // fetched extensions and skins that no release uses any more
	Caches     time.Duration // localisation caches and links to codebases that no release uses any more
	Temporary  time.Duration // files of killed PHP processes and backups
}

// KeepBackups is the number of days, weeks and months whose newest backup of each tenant is
// kept; the newest of all is always kept.
type KeepBackups struct{ Daily, Weekly, Monthly int64 }
