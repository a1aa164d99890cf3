package definitions

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// ownSettings lists the variables that no definition may set, with the reasons: those that wikictl
// sets itself, and those that would give a wiki access to data, files or code of other wikis.
// wgObjectCaches and wgJobTypeConf are allowed, because they configure Redis and memcached, and a
// database that they name requires an account; wgDBssl is allowed, because only it encrypts the
// connection to a server on another machine.
var ownSettings = map[string]string{
	"wgServer":          "hosts and web.url decide it",
	"wgCanonicalServer": "hosts and web.url decide it",
	"wgScriptPath":      "use script_path",
	"wgArticlePath":     "use article_path",
	"wgSitename":        "use sitename",
	"wgLanguageCode":    "use language",

	"wgDBtype":               "server decides it",
	"wgDBserver":             "server decides it",
	"wgDBport":               "server decides it",
	"wgDBservers":            "server decides it",
	"wgLBFactoryConf":        "server decides it",
	"wgSQLiteDataDir":        "server decides it",
	"wgDBname":               "database decides it",
	"wgDBmwschema":           "database decides it",
	"wgDBprefix":             "each tenant has a database of its own, without a prefix",
	"wgDBTableOptions":       "all tables are InnoDB's, or no dump of them is consistent",
	"wgDBuser":               "wikictl makes the account",
	"wgDBpassword":           "wikictl makes it",
	"wgDBadminuser":          "wikictl makes the account",
	"wgDBadminpassword":      "wikictl makes it",
	"wgExternalServers":      "a dump of the wiki would lack the texts that are there",
	"wgDefaultExternalStore": "a dump of the wiki would lack the texts that are there",

	"wgSecretKey":               "wikictl makes one for each tenant",
	"wgUpgradeKey":              "wikictl makes one for each tenant",
	"wgCookiePrefix":            "each tenant has its own",
	"wgSessionName":             "each tenant has its own",
	"wgCachePrefix":             "each tenant has its own",
	"wgObjectCaches.*.keyspace": "wikis would read what others cached; each tenant has its own by $wgCachePrefix",

	"wgUploadDirectory":          "each tenant has its own folder below state",
	"wgUploadPath":               "each tenant has its own folder below state",
	"wgCacheDirectory":           "each tenant has its own folder below state",
	"wgFileCacheDirectory":       "each tenant has its own folder below state",
	"wgDeletedDirectory":         "each tenant has its own folder below state",
	"wgLocalFileRepo.directory":  "each tenant has its own folder below state",
	"wgLocalFileRepo.deletedDir": "each tenant has its own folder below state",
	"wgTmpDirectory":             "all tenants share one below state, or identifiers that must differ would be the same",
	"wgLocalisationCacheConf":    "tenants with the same code share one below state",

	"wgReadOnly":           "it would stop update.php; use state = \"closed\"",
	"wgReadOnlyFile":       "a file that appears would refuse edits in the middle; wikictl upgrade makes wikis read-only",
	"wgAllowSchemaUpdates": "wikictl upgrade runs update.php",

	"IP":                          "codebase decides it",
	"wgBaseDirectory":             "codebase decides it",
	"wgExtensionDirectory":        "codebase decides it",
	"wgStyleDirectory":            "codebase decides it",
	"wgVersion":                   "codebase decides it",
	"wgWikiFarmSettingsDirectory": "MediaWiki would read settings that wikictl does not know",
	"wgWikiFarmSettingsExtension": "MediaWiki would read settings that wikictl does not know",

	"wgSettings":        "it is MediaWiki's",
	"wgCommandLineMode": "it is MediaWiki's",
	"wgConf":            "it is MediaWiki's, and no value",
	"GLOBALS":           "it is PHP's",
	"_SERVER":           "it is PHP's",
	"_ENV":              "it is PHP's",
	"_GET":              "it is PHP's",
	"_POST":             "it is PHP's",
	"_COOKIE":           "it is PHP's",
	"_FILES":            "it is PHP's",
	"_REQUEST":          "it is PHP's",
	"_SESSION":          "it is PHP's",
	"this":              "it is PHP's",
	"argc":              "it is PHP's",
	"argv":              "it is PHP's",
}

// refuseOwn reports entries of ownSettings among a setting and its members, at any depth. It
// returns whether it found any.
func (l *loader) refuseOwn(s *section, key string, v tenants.Value) bool {
	if why := ownSetting(key); why != "" {
		s.report(v.Position, key, why, "is not for definitions to set")
		return true
	}
	members, _ := v.Data.(map[string]tenants.Value)
	refused := false
	for name, member := range members {
		refused = l.refuseOwn(s, key+"."+name, member) || refused
	}
	return refused
}

// ownSetting returns why no definition may set a dotted key; empty if one may.
func ownSetting(key string) string {
	if why := ownSettings[key]; why != "" {
		return why
	}
	name, rest, _ := strings.Cut(key, ".")
	if _, member, below := strings.Cut(rest, "."); below {
		return ownSettings[name+".*."+member]
	}
	return ""
}

// checkServerSettings refuses encryption of a connection by socket.
func (l *loader) checkServerSettings(t *tenants.Tenant) {
	ssl, found := t.Settings["wgDBssl"]
	if found && t.Server != nil && bySocket(t.Server) && ssl.Data != false {
		l.report(ssl.Position, "settings.wgDBssl", "remove it", "the server %q is reached by a socket, which has no TLS", t.Server.Name)
	}
}

// checkVirtualDomains refuses databases of $wgVirtualDomainsMapping that the wiki has no rights in,
// and other servers.
func (l *loader) checkVirtualDomains(t *tenants.Tenant) {
	const setting = "settings.wgVirtualDomainsMapping"
	all, found := t.Settings["wgVirtualDomainsMapping"]
	domains, isTable := all.Data.(map[string]tenants.Value)
	if found && !isTable {
		l.report(all.Position, setting, `write "virtual-name" = { db = "…" } below it`, "is not a table of domains")
	}
	for _, domain := range slices.Sorted(maps.Keys(domains)) {
		members, isTable := domains[domain].Data.(map[string]tenants.Value)
		if !isTable {
			l.report(domains[domain].Position, setting+"."+domain, `{ db = "…" }`, "is not a table")
		}
		for _, member := range slices.Sorted(maps.Keys(members)) {
			v, key := members[member], setting+"."+domain+"."+member
			switch database, isText := v.Data.(string); {
			case member != "db":
				l.report(v.Position, key, "server decides it", "is not for definitions to set")
			case !isText || !t.MayUse(database):
				l.report(v.Position, key, "name it in databases, or in grants", "is no database that the wiki has rights in")
			}
		}
	}
}

// bySocket reports whether wikis connect to the server by a socket of this machine.
func bySocket(s *tenants.Server) bool { return s.Managed || strings.Contains(s.DSN, "unix(") }
