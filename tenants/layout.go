package tenants

import (
	"path/filepath"
	"strconv"
)

// Layout names everything below a farm's state folder. All results are absolute.
type Layout struct {
	State string
}

// Identity is the file that tells the farm from every other.
func (l Layout) Identity() string { return filepath.Join(l.State, "farm.toml") }

// Wiki is the folder of one tenant.
func (l Layout) Wiki(name string) string { return filepath.Join(l.State, "wikis", name) }

// Releases is the folder of a tenant's rendered configurations.
func (l Layout) Releases(name string) string { return filepath.Join(l.Wiki(name), "releases") }

// Release is the folder of a tenant's n-th rendered configuration.
func (l Layout) Release(name string, n int) string {
	return filepath.Join(l.Releases(name), strconv.Itoa(n))
}

// Current is the symbolic link to the release that is served.
func (l Layout) Current(name string) string { return filepath.Join(l.Wiki(name), "current") }

// Before is the symbolic link to the release that a rollback of the last upgrade
// serves again.
func (l Layout) Before(name string) string { return filepath.Join(l.Wiki(name), "before") }

// Seen is the file that says from which release a tenant was last seen to answer.
func (l Layout) Seen(name string) string { return filepath.Join(l.Wiki(name), "seen.json") }

// LocalSettings is the configuration that is served, by way of Current.
func (l Layout) LocalSettings(name string) string {
	return filepath.Join(l.Current(name), "LocalSettings.php")
}

// Images is a tenant's $wgUploadDirectory.
func (l Layout) Images(name string) string { return filepath.Join(l.Wiki(name), "images") }

// Cache is a tenant's $wgCacheDirectory.
func (l Layout) Cache(name string) string { return filepath.Join(l.Wiki(name), "cache") }

// Temporary is the $wgTmpDirectory of all tenants. MediaWiki keeps there what makes
// identifiers unique on a machine, and starts other programs to find out when it has
// nothing (GlobalIdGenerator).
func (l Layout) Temporary() string { return filepath.Join(l.State, "tmp") }

// ReadOnly is a tenant's $wgReadOnlyFile.
func (l Layout) ReadOnly(name string) string { return filepath.Join(l.Wiki(name), "read-only") }

// Maintenance is the page that the web server answers with, by status 503, in place of
// a tenant's wiki while it exists.
func (l Layout) Maintenance(name string) string { return filepath.Join(l.Wiki(name), "maintenance") }

// CacheEpoch is the file with what a tenant's $wgCachePrefix ends in; it is there
// since the tenant's database was first put back from a dump.
func (l Layout) CacheEpoch(name string) string { return filepath.Join(l.Wiki(name), "cache-epoch") }

// Vhosts is the folder that the web server includes.
func (l Layout) Vhosts() string { return filepath.Join(l.State, "vhosts") }

// Vhost is a tenant's part of the web server's configuration.
func (l Layout) Vhost(name string) string { return filepath.Join(l.Vhosts(), name+".conf") }

// Pools is the folder that php-fpm includes.
func (l Layout) Pools() string { return filepath.Join(l.State, "pools") }

// Pool is a tenant's php-fpm pool.
func (l Layout) Pool(name string) string { return filepath.Join(l.Pools(), name+".conf") }

// PoolSocket is where a tenant's own php-fpm pool listens. The dots keep it apart
// from the sockets of servers.
func (l Layout) PoolSocket(name string) string { return filepath.Join(l.Run(), name+".fpm.sock") }

// Secrets is the 0600 file with a tenant's passwords and keys.
func (l Layout) Secrets(name string) string {
	return filepath.Join(l.State, "secrets", name+".toml")
}

// Backups is the folder of a tenant's dumps.
func (l Layout) Backups(name string) string { return filepath.Join(l.State, "backups", name) }

// Removed is the folder of what was removed and can be brought back.
func (l Layout) Removed() string { return filepath.Join(l.State, "removed") }

// RemovedTenant is the folder of what a run removed of a tenant.
func (l Layout) RemovedTenant(name, run string) string {
	return filepath.Join(l.Removed(), name+"-"+run)
}

// Logs is the folder of what PHP printed for a tenant.
func (l Layout) Logs(name string) string { return filepath.Join(l.State, "logs", name) }

// Run is the folder of sockets and process ids.
func (l Layout) Run() string { return filepath.Join(l.State, "run") }

// GoldenPrefix begins the name that a golden's folders and logs have while it is
// made, where a tenant's have its own.
const GoldenPrefix = "golden-"

// Goldens is the folder of golden dumps.
func (l Layout) Goldens() string { return filepath.Join(l.State, "goldens") }

// GoldenSchema is the file with the schema that a fresh wiki of that code has; key
// is Tenant.ComponentSet.
func (l Layout) GoldenSchema(key string) string {
	return filepath.Join(l.Goldens(), key+".schema.json")
}

// L10n is the localisation cache that tenants of one codebase and one set of
// extensions and skins share; key is Tenant.ComponentSet for that codebase.
func (l Layout) L10n(key string) string { return filepath.Join(l.State, "l10n", key) }

// SettingsCache is the file that remembers which settings a codebase reads.
func (l Layout) SettingsCache(codebase string) string {
	return filepath.Join(l.Run(), "settings-"+codebase+".json")
}

// Journal is the file that tells of releases that a run is switching.
func (l Layout) Journal() string { return filepath.Join(l.Run(), "deploy.json") }

// PlatformScript is the script that php-fpm runs to say what it is. No web server
// serves what is in this folder.
func (l Layout) PlatformScript() string { return filepath.Join(l.Run(), "platform.php") }

// AdminSettings is the file by which an upgrade's own steps read a wiki's settings.
func (l Layout) AdminSettings() string { return filepath.Join(l.Run(), "admin.php") }

// EvalScript is the script that runs code of an administrator's.
func (l Layout) EvalScript() string { return filepath.Join(l.Run(), "eval.php") }

// Code is the file with the code that a run was given to run.
func (l Layout) Code(run string) string { return filepath.Join(l.Run(), "code-"+run+".php") }

// LoadScript is the script by which the command line's PHP loads a wiki's settings.
func (l Layout) LoadScript() string { return filepath.Join(l.Run(), "load.php") }

// Server is the data folder of a managed MariaDB.
func (l Layout) Server(name string) string { return filepath.Join(l.State, "servers", name) }

// Socket is where a managed MariaDB listens.
func (l Layout) Socket(server string) string { return filepath.Join(l.Run(), server+".sock") }

// FarmFile is the name of the file that makes a folder a farm.
const FarmFile = "wikictl.toml"
