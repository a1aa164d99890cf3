package definitions

import "slices"

// Type is the type of a key's value.
type Type string

// Types of keys.
const (
	Text     Type = "text"     // a string that is not blank
	Blank    Type = "blank"    // a string that may be blank
	Bool     Type = "bool"     // true or false
	Texts    Type = "texts"    // a list of strings that are not blank
	Number   Type = "number"   // an integer
	Size     Type = "size"     // bytes: an integer, or text such as "512M"
	Days     Type = "days"     // an age: a number of days, or text such as "90d"
	Table    Type = "table"    // the keys below it are known
	Tables   Type = "tables"   // tables by names of the user's choice, such as [servers.main]
	List     Type = "list"     // an array of tables, such as [[policy]]
	Settings Type = "settings" // MediaWiki's variables by their full names
	Folders  Type = "folders"  // a string, or a list of strings, that are not blank
	Map      Type = "map"      // strings by names of the user's choice
	Any      Type = "any"      // any value
)

// Key is one key that a definition file may have.
type Key struct {
	Name     string
	Type     Type
	Doc      string   // a sentence or two for a person who edits the file
	Example  string   // a value in TOML; empty for tables
	Choices  []string // the only values of a text
	Required bool
	Keys     []Key // below a table, a table of Tables, or a table of a List
}

// FarmKeys returns the keys of wikictl.toml.
func FarmKeys() []Key { return slices.Clone(farmKeys) }

// ClassKeys returns the keys of a class's file.
func ClassKeys() []Key { return slices.Clone(classKeys) }

// TenantKeys returns the keys of a tenant's file.
func TenantKeys() []Key { return slices.Clone(tenantKeys) }

// find returns the key of a name, or nil.
func find(keys []Key, name string) *Key {
	for i := range keys {
		if keys[i].Name == name {
			return &keys[i]
		}
	}
	return nil
}

// pagesKey is in [upgrade] of the farm, [defaults], classes and tenants.
var pagesKey = Key{Name: "pages", Type: Texts, Example: `["/wiki/Report"]`, Doc: "Paths of pages that an upgrade requests before and after; a wiki is restored if one of them breaks. Added to those inherited."}

// valueKeys are common to [defaults], classes and tenants.
var valueKeys = []Key{
	{Name: "codebase", Type: Text, Example: `"1.43"`, Doc: "The MediaWiki that the wiki runs on: the name of one of [codebases]."},
	{Name: "server", Type: Text, Example: `"main"`, Doc: "The database server: the name of one of [servers]."},
	{Name: "database", Type: Text, Example: `"wiki_alpha"`, Doc: "The name of the database; without it database_prefix and the tenant's name."},
	{Name: "language", Type: Text, Example: `"en"`, Doc: "MediaWiki's code of the wiki's language; without it \"en\"."},
	{Name: "sitename", Type: Text, Example: `"Alpha Handbook"`, Doc: "The name that readers see."},
	{Name: "admin", Type: Text, Example: `"Admin"`, Doc: "The user name of the first administrator, as MediaWiki writes it; without it \"Admin\"."},
	{Name: "state", Type: Text, Choices: []string{"open", "private", "closed"}, Example: `"closed"`, Doc: "\"closed\": readers read and no user saves; \"private\": only users who are logged in read, and only administrators make accounts; without it \"open\"."},
	{Name: "reason", Type: Text, Example: `"This wiki has moved to new.example.org."`, Doc: "Why the wiki is closed, for those who try to save."},
	{Name: "classes", Type: Texts, Example: `["handbook"]`, Doc: "Classes whose values precede those of this file; later ones win."},
	{Name: "extensions", Type: Texts, Example: `["Cite", "ParserFunctions"]`, Doc: "Extensions to load, added to those inherited: folders, parts (\"ConfirmEdit/QuestyCaptcha\") and further manifests (\"Wikibase:repo\")."},
	{Name: "skins", Type: Texts, Example: `["Vector"]`, Doc: "Folders of skins to load, added to those inherited; the first is the default skin. Without any, the codebase's default."},
	{Name: "unset", Type: Texts, Example: `["wgFoo"]`, Doc: "Inherited settings to remove, such as \"wgFoo\" or \"wgGroupPermissions.user.move\"."},
	{Name: "namespaces", Type: Tables, Doc: "Namespaces of the wiki's own; the table's name makes the constant, NS_PORTAL of portal.", Keys: namespaceKeys},
	{Name: "script_path", Type: Text, Example: `"/w"`, Doc: "The path of MediaWiki's entry points, such as index.php, and of its files; without it the root, \"/\"."},
	{Name: "article_path", Type: Text, Example: `"/wiki/$1"`, Doc: "The path of pages, with $1 for the title; without it \"/wiki/$1\"."},
	{Name: "pool", Type: Table, Doc: "Bounds of the wiki's own php-fpm pool, with pools in [web].", Keys: poolKeys},
	{Name: "limits", Type: Table, Doc: "Limits of requests to the wiki's PHP, with nginx; more get status 429. Requests from this machine are not counted.", Keys: limitKeys},
	{Name: "static", Type: Folders, Example: `"static/alpha"`, Doc: "A folder of files to send as they are, such as robots.txt, relative to wikictl.toml; searched before those inherited."},
	{Name: "include", Type: Folders, Example: `"php/hooks.php"`, Doc: "PHP files of your own, included at the end of the wiki's settings, relative to wikictl.toml; requires allow_php. Added to those inherited."},
	{Name: "redirects", Type: Map, Example: `{ "/mw/*" = "/*" }`, Doc: "Redirects, by path; a * at the end stands for the rest of the path. Merged with those inherited."},
	{Name: "grants", Type: List, Doc: "Rights of the wiki's accounts in databases of other wikis. Added to those inherited.", Keys: grantKeys},
	{Name: "shared", Type: Table, Doc: "Accounts and files that the wiki shares with others.", Keys: sharedKeys},
	{Name: "settings", Type: Settings, Doc: "MediaWiki's settings by their full names, such as wgMaxUploadSize."},
	{Name: "upgrade", Type: Table, Doc: "Checks in upgrades of the wiki.", Keys: []Key{pagesKey}},
}

// grantKeys are the keys of one grant.
var grantKeys = []Key{
	{Name: "on", Type: Text, Required: true, Example: `"wiki_pool"`, Doc: "A database of another tenant on the same server."},
	{Name: "tables", Type: Texts, Required: true, Example: `["user"]`, Doc: "Its tables; [\"*\"] for all of them."},
	{Name: "rights", Type: Texts, Required: true, Example: `["SELECT"]`, Doc: "SELECT, INSERT, UPDATE, DELETE: no others are allowed."},
}

// sharedKeys name other tenants.
var sharedKeys = []Key{
	{Name: "users", Type: Text, Example: `"pool"`, Doc: "The tenant whose accounts and preferences the wiki uses in place of its own, on the same server; decided when the wiki is created. Groups and blocks are the wiki's own."},
	{Name: "media", Type: Text, Example: `"commons"`, Doc: "The tenant whose files the wiki shows beside its own, on the same server; it must not be private."},
}

// poolKeys are the bounds of a wiki's own php-fpm pool.
var poolKeys = []Key{
	{Name: "children", Type: Number, Example: "4", Doc: "Maximum number of processes; without it children of [php]."},
	{Name: "memory_limit", Type: Size, Example: `"256M"`, Doc: "Memory of one request; without it PHP's own."},
	{Name: "timeout", Type: Number, Example: "120", Doc: "Seconds that one request may take; without it php-fpm's own."},
	{Name: "queue", Type: Number, Example: "64", Doc: "Maximum number of requests that wait for a process, with nginx; others are refused at once. Without it php-fpm's own."},
	{Name: "user", Type: Text, Example: `"wiki-alpha"`, Doc: "The user of the pool and of the wiki's scripts, to whom its uploads and caches belong; without it user of [web]."},
}

// limitKeys are the bounds of the requests to a wiki's PHP.
var limitKeys = []Key{
	{Name: "requests", Type: Text, Example: `"10/s"`, Doc: "Requests from one address in a second (\"10/s\") or minute (\"300/m\")."},
	{Name: "burst", Type: Number, Example: "40", Doc: "Requests from one address that may exceed this rate at once."},
	{Name: "connections", Type: Number, Example: "10", Doc: "Requests from one address at the same time."},
	{Name: "total", Type: Number, Example: "100", Doc: "Requests from all addresses at the same time."},
}

var tenantKeys = append([]Key{
	{Name: "name", Type: Text, Required: true, Example: `"alpha"`, Doc: "The tenant's short name: a-z, 0-9, _ and -, at most 48."},
	{Name: "hosts", Type: Texts, Required: true, Example: `["alpha.example.org"]`, Doc: "Host names that serve the wiki; the first is in its links."},
	{Name: "path", Type: Text, Example: `"/en"`, Doc: "The folder of the wiki's addresses, \"/\" for the root, on hosts that several wikis share; without it the hosts are the wiki's alone."},
	{Name: "databases", Type: Texts, Example: `["cargo_alpha"]`, Doc: "Further databases of the wiki's own, on its server: made, granted to its accounts, dumped, restored and removed with it."},
	{Name: "aliases", Type: Texts, Example: `["www.alpha.example.org"]`, Doc: "Further host names, which redirect to the first of hosts."},
	{Name: "stage_of", Type: Text, Example: `"beta"`, Doc: "The wiki that this one is a staging copy of; wikictl stage writes it. A staging copy is private, sends no mail, and runs no jobs by itself; wikictl stage replaces its content."},
}, valueKeys...)

var classKeys = append([]Key{
	{Name: "name", Type: Text, Example: `"handbook"`, Doc: "The class's name; without it the file's."},
}, valueKeys...)

var farmKeys = []Key{
	{Name: "state", Type: Text, Required: true, Example: `"/var/lib/wikictl"`, Doc: "The folder below which wikictl writes everything."},
	{Name: "tenants", Type: Texts, Required: true, Example: `["tenants/**/*.toml"]`, Doc: "Patterns of the tenants' files, relative to wikictl.toml."},
	{Name: "classes", Type: Texts, Example: `["classes/*.toml"]`, Doc: "Patterns of the classes' files, relative to wikictl.toml."},
	{Name: "allow_php", Type: Bool, Example: "true", Doc: "Definitions may contain PHP code, as { php = \"…\" }: all who write them can run code."},
	{Name: "database_prefix", Type: Blank, Example: `"wiki_"`, Doc: "The prefix of names of databases; without it \"wiki_\"."},
	{Name: "ledger", Type: Text, Example: `"main"`, Doc: "The server that holds wikictl's own database; without it the first."},
	{Name: "codebases", Type: Tables, Doc: "MediaWiki trees that tenants share.", Keys: []Key{
		{Name: "path", Type: Text, Required: true, Example: `"/srv/mediawiki/1.43"`, Doc: "The folder of an unpacked MediaWiki, to which wikictl never writes."},
		{Name: "php", Type: Text, Example: `"/usr/bin/php8.2"`, Doc: "The PHP command line program; without it the first of php, php8.5, php8.4, … in PATH."},
	}},
	{Name: "extensions", Type: Tables, Doc: "Extensions outside of the codebases, for tenants to load by name: a folder, or a source for wikictl extensions fetch.", Keys: outsideKeys},
	{Name: "skins", Type: Tables, Doc: "Skins outside of the codebases, as extensions are.", Keys: outsideKeys},
	{Name: "secrets", Type: Tables, Doc: "Secrets that a command prints.", Keys: secretKeys},
	{Name: "servers", Type: Tables, Doc: "MariaDB or MySQL servers.", Keys: serverKeys},
	{Name: "web", Type: Table, Doc: "The web server and php-fpm.", Keys: webKeys},
	{Name: "backup", Type: Table, Doc: "Where backups go, commands of your own for dumps, and how old a dump may be.", Keys: []Key{
		{Name: "store", Type: Text, Example: `"restic:/srv/backups/wikis"`, Doc: "The repository of restic that gets backups; without it they go to state/archives."},
		{Name: "password_file", Type: Text, Example: `"/etc/wikictl/restic.password"`, Doc: "A file of mode 0600 with the repository's password; or set RESTIC_PASSWORD_FILE in the environment."},
		{Name: "dump", Type: Texts, Example: `["mydump", "--defaults-file={options}", "{database}", "{file}"]`, Doc: "The command that writes a database into a file."},
		{Name: "restore", Type: Texts, Example: `["myload", "--defaults-file={options}", "{database}", "{file}"]`, Doc: "The command that fills an empty database from a file."},
		{Name: "max_age_days", Type: Number, Example: "7", Doc: "Age in days from which audit warns about a wiki's latest dump; 0: dumps are made elsewhere."},
	}},
	{Name: "keep", Type: Table, Doc: "How long wikictl keeps records, logs, dumps and backups; 0: for ever.", Keys: []Key{
		{Name: "runs", Type: Days, Example: `"365d"`, Doc: "Runs with their steps, in wikictl's own database."},
		{Name: "logs", Type: Days, Example: `"90d"`, Doc: "PHP's output, below state/logs."},
		{Name: "dumps", Type: Number, Example: "3", Doc: "Number of dumps of each wiki that stay, however old; at least 1."},
		{Name: "dump_age", Type: Days, Example: `"90d"`, Doc: "Younger dumps stay, too."},
		{Name: "removed", Type: Days, Example: `"90d"`, Doc: "Removed wikis, below state/removed."},
		{Name: "goldens", Type: Days, Example: `"90d"`, Doc: "Databases for cloning new wikis that no wiki needs any more."},
		{Name: "components", Type: Days, Example: `"90d"`, Doc: "Fetched versions of extensions and skins that no wiki uses any more."},
		{Name: "caches", Type: Days, Example: `"90d"`, Doc: "Localisation caches, and links to codebases, that no release uses any more."},
		{Name: "temporary", Type: Days, Example: `"7d"`, Doc: "Temporary files that killed scripts and backups left."},
		{Name: "backups", Type: Table, Doc: "How many backups of each wiki stay: the newest of so many days, weeks and months.", Keys: []Key{
			{Name: "daily", Type: Number, Example: "7", Doc: "Of days that have one."},
			{Name: "weekly", Type: Number, Example: "4", Doc: "Of weeks that have one."},
			{Name: "monthly", Type: Number, Example: "6", Doc: "Of months that have one."},
		}},
	}},
	{Name: "php", Type: Table, Doc: "Bounds of the PHP that runs maintenance scripts, and of the wikis' own pools.", Keys: []Key{
		{Name: "memory_limit", Type: Size, Example: `"512M"`, Doc: "Memory of one script."},
		{Name: "opcache", Type: Size, Example: `"256M"`, Doc: "Compiled code that the scripts of a codebase share."},
		{Name: "file_size", Type: Size, Example: `"1G"`, Doc: "The largest file that a script may write."},
		{Name: "children", Type: Number, Example: "8", Doc: "Processes of each wiki's own php-fpm pool."},
	}},
	{Name: "jobs", Type: Table, Doc: "How MediaWiki's jobs are run.", Keys: []Key{
		{Name: "runner", Type: Text, Choices: []string{"requests", "service"}, Example: `"service"`, Doc: "\"service\": wikictl jobs run --forever runs them, and readers' requests do not; without it \"requests\"."},
		{Name: "children", Type: Number, Example: "4", Doc: "PHP processes that run jobs at once; without it one for each core."},
		{Name: "memory_limit", Type: Size, Example: `"256M"`, Doc: "Memory of one of them."},
		{Name: "time_limit", Type: Number, Example: "600", Doc: "Seconds after which one of these processes is ended, in the middle of a job."},
		{Name: "weight", Type: List, Doc: "Tenants that get a larger share of the time.", Keys: []Key{
			{Name: "where", Type: Text, Required: true, Example: `"class=handbook"`, Doc: "The tenants."},
			{Name: "weight", Type: Number, Example: "4", Doc: "Their share; that of the others is 1."},
		}},
	}},
	{Name: "upgrade", Type: Table, Doc: "Checks and scripts in upgrades, besides MediaWiki's updater.", Keys: []Key{
		pagesKey,
		{Name: "step", Type: List, Doc: "Scripts of extensions to run in upgrades.", Keys: []Key{
			{Name: "script", Type: Text, Required: true, Example: `"extensions/Foo/maintenance/setup.php"`, Doc: "A PHP script, below the codebase's folder."},
			{Name: "arguments", Type: Texts, Example: `["--all"]`, Doc: "Its arguments."},
			{Name: "when", Type: Text, Choices: []string{"after", "before"}, Example: `"after"`, Doc: "After MediaWiki's updater, by the new code, or before it, by the old; without it after."},
			{Name: "where", Type: Text, Example: `"extension=Foo"`, Doc: "The tenants for which it runs; without it all."},
		}},
	}},
	{Name: "files", Type: Tables, Doc: "Files of the farm as a whole, such as a host map, from templates of your own.", Keys: fileKeys},
	{Name: "defaults", Type: Table, Doc: "Values that all tenants begin with.", Keys: valueKeys},
	{Name: "policy", Type: List, Doc: "Rules of audit of the farm's own.", Keys: []Key{
		{Name: "name", Type: Text, Example: `"uploads"`, Doc: "The rule's name."},
		{Name: "where", Type: Text, Example: `"class=handbook"`, Doc: "The tenants that it checks; without it all."},
		{Name: "setting", Type: Text, Required: true, Example: `"wgMaxUploadSize"`, Doc: "The setting that it checks."},
		{Name: "reason", Type: Text, Example: `"the disk is small"`, Doc: "Why."},
		{Name: "severity", Type: Text, Choices: []string{"error", "warning", "note"}, Example: `"warning"`, Doc: "How bad a finding is; without it an error."},
		{Name: "must", Type: Any, Example: "false", Doc: "The value that the setting must have."},
		{Name: "must_not", Type: Any, Example: "true", Doc: "A value that it must not have."},
		{Name: "one_of", Type: Any, Example: "[1, 2]", Doc: "The values that it may have."},
		{Name: "matches", Type: Any, Example: `"^https://"`, Doc: "A regular expression that it must match."},
		{Name: "range", Type: Any, Example: "[0, 20971520]", Doc: "Its minimum and its maximum."},
	}},
	{Name: "ignore", Type: List, Doc: "Findings of audit that are accepted until a date.", Keys: []Key{
		{Name: "rule", Type: Text, Required: true, Example: `"external-images"`, Doc: "The rule."},
		{Name: "tenants", Type: Texts, Example: `["beta"]`, Doc: "Names or globs of tenants; without it all."},
		{Name: "reason", Type: Text, Required: true, Example: `"shows a weather map"`, Doc: "Why."},
		{Name: "until", Type: Text, Required: true, Example: `"2099-06-30"`, Doc: "The last day, as YYYY-MM-DD."},
	}},
}

var serverKeys = []Key{
	{Name: "dsn", Type: Text, Example: `"root@unix(/run/mysqld/mysqld.sock)/"`, Doc: "How the administrator connects: USER@unix(SOCKET)/ or USER@tcp(HOST:PORT)/, without a password; ?tls=true at its end connects by TLS, the wikis as well."},
	{Name: "password_file", Type: Text, Example: `"/etc/wikictl/main.password"`, Doc: "A file of mode 0600 with the password; or set WIKICTL_NAME_PASSWORD in the environment."},
	{Name: "account_host", Type: Text, Example: `"localhost"`, Doc: "The host part of the wikis' accounts; without it \"localhost\" for a socket, else \"%\"."},
	{Name: "managed", Type: Bool, Example: "true", Doc: "wikictl runs a private MariaDB below the state folder, in place of a dsn."},
	{Name: "buffer_pool", Type: Size, Example: `"2G"`, Doc: "Of a managed server: innodb_buffer_pool_size."},
	{Name: "redo_log", Type: Size, Example: `"1G"`, Doc: "Of a managed server: innodb_log_file_size."},
	{Name: "connections", Type: Number, Example: "500", Doc: "Of a managed server: max_connections."},
	{Name: "replicas", Type: List, Doc: "Servers that replicate this one, from which its wikis read.", Keys: replicaKeys},
	{Name: "load", Type: Number, Example: "50", Doc: "With replicas: the share of reads that this server answers; without it half of what all replicas have together. With 0 the wikis fail when no replica answers."},
	{Name: "replica_wait", Type: Number, Example: "600", Doc: "Seconds to wait for replicas that are behind before a run shows changes to readers; without it 600."},
}

// replicaKeys are the keys of a replica of a server.
var replicaKeys = []Key{
	{Name: "dsn", Type: Text, Required: true, Example: `"root@tcp(db2.example.org)/"`, Doc: "How the administrator connects to the replica, as in the server's dsn. wikictl never writes to it."},
	{Name: "password_file", Type: Text, Example: `"/etc/wikictl/db2.password"`, Doc: "A file of mode 0600 with the password; without it the server's."},
	{Name: "load", Type: Number, Example: "100", Doc: "The share of reads that it answers, relative to the others; without it 100."},
	{Name: "max_lag", Type: Number, Example: "6", Doc: "Maximum lag in seconds; wikis do not read from a replica that is further behind. Without it 6."},
}

var webKeys = []Key{
	{Name: "kind", Type: Text, Choices: []string{"nginx", "apache"}, Example: `"nginx"`, Doc: "The web server; without it nginx."},
	{Name: "fpm", Type: Text, Example: `"unix:/run/php/php8.2-fpm.sock"`, Doc: "Where php-fpm listens: \"unix:/path\" or \"host:port\"."},
	{Name: "pools", Type: Bool, Example: "false", Doc: "Each wiki has a php-fpm pool of its own; php-fpm includes state/pools/*.conf."},
	{Name: "user", Type: Text, Example: `"www-data"`, Doc: "The user of php-fpm's workers, to whom uploads and caches belong."},
	{Name: "group", Type: Text, Example: `"www-data"`, Doc: "The group that may read the wikis' settings; without it the user's."},
	{Name: "listen", Type: Texts, Example: `["80"]`, Doc: "Addresses, as nginx's listen takes them; without it \"80\", with a certificate \"443 ssl\"."},
	{Name: "url", Type: Text, Example: `"https://{host}"`, Doc: "The address that readers type, with {host} for the host name."},
	{Name: "probe", Type: Text, Example: `"http://127.0.0.1"`, Doc: "Address of the web server for wikictl's own requests to wikis."},
	{Name: "certificate", Type: Text, Example: `"/etc/ssl/{host}.pem"`, Doc: "The file of a wiki's certificate, with {host} or {name}; without it there is no TLS."},
	{Name: "certificate_key", Type: Text, Example: `"/etc/ssl/{host}.key"`, Doc: "The file of the certificate's key."},
	{Name: "proxies", Type: Texts, Example: `["10.0.0.0/8"]`, Doc: "Addresses and networks of proxies whose header X-Forwarded-For is believed."},
	{Name: "access_log", Type: Text, Example: `"/var/log/wikis/{name}.log"`, Doc: "The file of a wiki's requests, with {host} or {name}; without it the web server's own."},
	{Name: "acme", Type: Text, Example: `"/var/www/acme"`, Doc: "The webroot of an ACME client, such as certbot, whose answers are sent by http for every name; a wiki is then served by http until its certificate is there."},
	{Name: "hsts", Type: Days, Example: `"365d"`, Doc: "How long browsers use only https (Strict-Transport-Security); without it, or 0, no such header."},
	{Name: "http2", Type: Bool, Example: "true", Doc: "The web server speaks HTTP/2 where it speaks TLS."},
	{Name: "vhosts", Type: Text, Choices: []string{"files", "map"}, Example: `"map"`, Doc: "\"map\": one virtual host and a map of host names serve all wikis, for very large farms with nginx; without it \"files\", a virtual host for each."},
	{Name: "check", Type: Texts, Example: `["nginx", "-t"]`, Doc: "The command that checks the web server's configuration."},
	{Name: "reload", Type: Texts, Example: `["systemctl", "reload", "nginx"]`, Doc: "The command that makes the web server read its configuration again."},
}
