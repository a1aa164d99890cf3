package tenants

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strconv"
)

// MaxSocket is the maximum length of a socket's path on Linux (unix(7)).
const MaxSocket = 107

// Layout names everything below a farm's state folder. All results are absolute.
type Layout struct {
	State string
	Map   bool            // Web.Map
	Parts map[string]bool // Farm.Parts
}

// Identity returns the file that distinguishes the farm from all others.
func (l Layout) Identity() string { return filepath.Join(l.State, "farm.toml") }

// Record returns the file by which a run finds the tenants that need not be rendered.
func (l Layout) Record() string { return filepath.Join(l.State, "rendered") }

// Spent returns the file with the highest number of a release that was moved away from its path.
func (l Layout) Spent() string { return filepath.Join(l.State, "spent-releases") }

// Wikis returns the folder of all tenants' folders.
func (l Layout) Wikis() string { return filepath.Join(l.State, "wikis") }

// Wiki returns the folder of one tenant.
func (l Layout) Wiki(name string) string { return filepath.Join(l.Wikis(), name) }

// Releases returns the folder of a tenant's rendered configurations.
func (l Layout) Releases(name string) string { return filepath.Join(l.Wiki(name), "releases") }

// Release returns the folder of a tenant's n-th rendered configuration.
func (l Layout) Release(name string, n int) string {
	return filepath.Join(l.Releases(name), strconv.Itoa(n))
}

// Current returns the symbolic link to the current release.
func (l Layout) Current(name string) string { return filepath.Join(l.Wiki(name), "current") }

// Before returns the symbolic link to the release for a rollback of the last upgrade.
func (l Layout) Before(name string) string { return filepath.Join(l.Wiki(name), "before") }

// Seen returns the file that names the release from which a tenant last answered.
func (l Layout) Seen(name string) string { return filepath.Join(l.Wiki(name), "seen.json") }

// LocalSettings returns the current configuration, through Current.
func (l Layout) LocalSettings(name string) string {
	return filepath.Join(l.Current(name), "LocalSettings.php")
}

// Images returns a tenant's $wgUploadDirectory.
func (l Layout) Images(name string) string { return filepath.Join(l.Wiki(name), "images") }

// Cache returns a tenant's $wgCacheDirectory.
func (l Layout) Cache(name string) string { return filepath.Join(l.Wiki(name), "cache") }

// CachedPages returns a tenant's $wgFileCacheDirectory.
func (l Layout) CachedPages(name string) string { return filepath.Join(l.Cache(name), "pages") }

// Temporary returns the $wgTmpDirectory of all tenants. MediaWiki stores data there that
// makes identifiers unique on a machine, and starts other programs to find it if there is
// none (GlobalIdGenerator).
func (l Layout) Temporary() string { return filepath.Join(l.State, "tmp") }

// TemporaryOf is Temporary of tenants whose PHP runs as a user of their own.
func (l Layout) TemporaryOf(user string) string {
	if user == "" {
		return l.Temporary()
	}
	return filepath.Join(l.State, "tmp-"+user)
}

// ReadOnly returns the file whose text is a tenant's $wgReadOnly while it exists.
func (l Layout) ReadOnly(name string) string { return filepath.Join(l.Wiki(name), "read-only") }

// Maintenance returns a tenant's maintenance page: while it exists, the web server
// answers with it and status 503.
func (l Layout) Maintenance(name string) string { return filepath.Join(l.Wiki(name), "maintenance") }

// Requests returns the file that a tenant's requests lock until they end: those of while its wiki
// is read-only, or the others.
func (l Layout) Requests(name string, readOnly bool) string {
	if readOnly {
		return filepath.Join(l.Wiki(name), "requests-read-only")
	}
	return filepath.Join(l.Wiki(name), "requests")
}

// CacheEpoch returns the file with the end of a tenant's $wgCachePrefix; it exists since
// the tenant's database was first restored from a dump.
func (l Layout) CacheEpoch(name string) string { return filepath.Join(l.Wiki(name), "cache-epoch") }

// Vhosts returns the folder that the web server includes.
func (l Layout) Vhosts() string { return filepath.Join(l.State, "vhosts") }

// VhostEnding ends the name of a tenant's part of the web server's configuration. The
// web server includes *.conf. A map of host names includes *.map, and the virtual host of a
// host that several tenants share includes theirs by name.
func (l Layout) VhostEnding(name string) string {
	if l.Map != l.Parts[name] {
		return ".map"
	}
	return ".conf"
}

// Vhost returns a tenant's part of the web server's configuration.
func (l Layout) Vhost(name string) string {
	return filepath.Join(l.Vhosts(), name+l.VhostEnding(name))
}

// Part returns the part of a tenant that shares its hosts: its Vhost while it is in Parts.
func (l Layout) Part(name string) string { return filepath.Join(l.Vhosts(), name+".map") }

// HostsVhost returns the file of the virtual hosts of hosts that several tenants share. Its
// name comes after every tenant's: of two virtual hosts of a name the web server takes the
// first, so that a tenant with a host of its own keeps it until it was changed.
func (l Layout) HostsVhost() string { return filepath.Join(l.Vhosts(), "~hosts.conf") }

// DefaultVhost returns the virtual host for names of no tenant; with Map, that of all. Its
// name comes before every tenant's, as Apache takes the first one it reads.
func (l Layout) DefaultVhost() string { return filepath.Join(l.Vhosts(), "+default.conf") }

// OtherVhost returns the part that a tenant had before Map, or its place in Parts, was changed.
func (l Layout) OtherVhost(name string) string {
	l.Map = !l.Map
	return l.Vhost(name)
}

// Pools returns the folder that php-fpm includes.
func (l Layout) Pools() string { return filepath.Join(l.State, "pools") }

// Pool returns the file of a tenant's php-fpm pool.
func (l Layout) Pool(name string) string { return filepath.Join(l.Pools(), name+".conf") }

// PoolSocket returns the socket of a tenant's own php-fpm pool. The dots distinguish it
// from the sockets of servers.
func (l Layout) PoolSocket(name string) string { return filepath.Join(l.Run(), name+".fpm.sock") }

// PoolName returns the name of a tenant's own php-fpm pool, and of its worker in Apache. Both
// programs merge pools of the same name, of which other programs and other farms may have some:
// a section [www] would move Debian's pool, and [global] is no pool.
func (l Layout) PoolName(name string) string {
	sum := sha256.Sum256([]byte(l.State))
	return "wiki-" + name + "-" + hex.EncodeToString(sum[:4]) // Apache truncates host names of workers beyond 63 bytes
}

// Core returns the folder that releases on a codebase link to: its tree or, if its entry
// points have to be wrapped, a folder of wikictl's own with links to all of it.
func (l Layout) Core(c *Codebase) string {
	if !c.Wrapped {
		return c.Path
	}
	sum := sha256.Sum256([]byte(c.Path)) // a tree at another path is another codebase
	return filepath.Join(l.Wrapped(), hex.EncodeToString(sum[:8]))
}

// Wrapped returns the folder of wikictl's own folders with links to codebases.
func (l Layout) Wrapped() string { return filepath.Join(l.State, "wrapped") }

// Secrets returns the 0600 file with a tenant's passwords and keys.
func (l Layout) Secrets(name string) string {
	return filepath.Join(l.State, "secrets", name+".toml")
}

// Backups returns the folder of a tenant's dumps.
func (l Layout) Backups(name string) string { return filepath.Join(l.State, "backups", name) }

// Removed returns the folder of removed tenants that can be brought back.
func (l Layout) Removed() string { return filepath.Join(l.State, "removed") }

// RemovedTenant returns the folder of a tenant that a run removed.
func (l Layout) RemovedTenant(name, run string) string {
	return filepath.Join(l.Removed(), name+"-"+run)
}

// Logs returns the folder of PHP's output for a tenant.
func (l Layout) Logs(name string) string { return filepath.Join(l.State, "logs", name) }

// Run returns the folder of sockets and process ids.
func (l Layout) Run() string { return filepath.Join(l.State, "run") }

// GoldenPrefix begins the name of a golden's folders and logs while it is made, in place
// of a tenant's name.
const GoldenPrefix = "golden-"

// Goldens returns the folder of goldens.
func (l Layout) Goldens() string { return filepath.Join(l.State, "goldens") }

// GoldenSchema returns the file with the schema of a new wiki of some code; key is
// Tenant.ComponentSet.
func (l Layout) GoldenSchema(key string) string {
	return filepath.Join(l.Goldens(), key+".schema.json")
}

// L10n returns the localisation cache that tenants with the same codebase, extensions,
// skins and user share; key is Tenant.MessageSet.
func (l Layout) L10n(key string) string { return filepath.Join(l.State, "l10n", key) }

// SettingsCache returns the cache file of the settings that a codebase declares.
func (l Layout) SettingsCache(codebase string) string {
	return filepath.Join(l.Run(), "settings-"+codebase+".json")
}

// Journal returns the file that lists the releases that a run is switching.
func (l Layout) Journal() string { return filepath.Join(l.Run(), "deploy.json") }

// FarmFiles returns the list of files of the farm as a whole that wikictl made.
func (l Layout) FarmFiles() string { return filepath.Join(l.State, "files.json") }

// PlatformScript returns the script by which php-fpm reports its platform. The web server
// does not serve its folder.
func (l Layout) PlatformScript() string { return filepath.Join(l.Run(), "platform.php") }

// AdminSettings returns the settings file for scripts with the schema account.
func (l Layout) AdminSettings() string { return filepath.Join(l.Run(), "admin.php") }

// ViewSettings returns the settings file for requests that may read a private wiki.
func (l Layout) ViewSettings() string { return filepath.Join(l.Run(), "view.php") }

// EvalScript returns the script that runs an administrator's code.
func (l Layout) EvalScript() string { return filepath.Join(l.Run(), "eval.php") }

// Code returns the file with the code that a run executes.
func (l Layout) Code(run string) string { return filepath.Join(l.Run(), "code-"+run+".php") }

// Input returns a run's file with the standard input of its scripts.
func (l Layout) Input(run string) string { return filepath.Join(l.Run(), "input-"+run) }

// LoadScript returns the script that loads a wiki's settings on the command line.
func (l Layout) LoadScript() string { return filepath.Join(l.Run(), "load.php") }

// Server returns the data folder of a managed MariaDB.
func (l Layout) Server(name string) string { return filepath.Join(l.State, "servers", name) }

// Socket returns the socket of a managed MariaDB.
func (l Layout) Socket(server string) string { return filepath.Join(l.Run(), server+".sock") }

// FarmFile is the name of the file that makes a folder a farm.
const FarmFile = "wikictl.toml"
