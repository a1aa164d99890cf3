// Package tenants knows what a farm and its tenants are: it reads the TOML
// definitions, resolves inheritance, and reports every mistake with its place.
// It knows nothing of databases, PHP processes, web servers or the terminal,
// and it never writes a file.
package tenants

import (
	"slices"
	"strings"
)

// Farm is everything that one wikictl.toml describes, resolved and checked.
type Farm struct {
	Dir          string               // absolute folder of wikictl.toml
	State        string               // absolute folder below which wikictl writes
	AllowPHP     bool                 // settings may hold { php = "…" }
	Codebases    map[string]*Codebase // by name, such as "1.43"
	Servers      map[string]*Server   // by name
	Ledger       *Server              // the server that holds the database `wikictl`
	Web          Web
	Classes      map[string]*Class // by name
	Tenants      []*Tenant         // sorted by name
	Parts        map[string]bool   // names of the tenants that Shares holds for; nil: there are none
	Templates    string            // folder of the farm's own templates; need not exist
	Migrations   string            // folder of the farm's own SQL; need not exist
	Backup       Backup
	Keep         Keep
	PHP          Bounds // of PHP, of [php]
	Jobs         Jobs
	Policies     []Policy
	UpgradeSteps []UpgradeStep
	Files        []File // of the farm as a whole, sorted by name
	Ignores      []Ignore
	Sources      []Source // of extensions and skins that are fetched, sorted by kind and name
	Locked       []Locked // the entries of LockFile
	Origins      Origins  // where wikictl.toml says what is of the farm as a whole, such as "state" or "web.fpm"

}

// Layout gives the places of everything below the farm's state folder.
func (f *Farm) Layout() Layout { return Layout{State: f.State, Map: f.Web.Map, Parts: f.Parts} }

// At is where wikictl.toml says something, such as "web.fpm"; of what it leaves out
// it is the place of the table, or the file.
func (f *Farm) At(key string) Position {
	if at, found := f.Origins[key]; found {
		return at
	}
	table, _, below := strings.Cut(key, ".")
	if at, found := f.Origins[table]; below && found {
		return at
	}
	return Position{File: FarmFile}
}

// Tenant returns the tenant of that name, or nil.
func (f *Farm) Tenant(name string) *Tenant {
	for _, t := range f.Tenants {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Server is one MariaDB or MySQL server.
type Server struct {
	Name         string
	Managed      bool   // wikictl runs a private MariaDB below state
	DSN          string // of the administrator, without a password; empty when managed
	PasswordFile string // absolute, or empty
	AccountHost  string // the host part of the accounts made: "localhost" for a socket, else "%"
	Sizes        Sizes  // of a managed server
	Replicas     []*Server
	Primary      *Server // the server that this one replicates; nil: it is no replica
	Load         int64   // share of the reads, relative to those of its primary and the other replicas
	ReplicaWait  int64   // seconds for which runs wait for its replicas
	MaxLag       int64   // of a replica: seconds behind its primary from which MediaWiki does not read from it
	Position     Position
}

// Web is the web server and php-fpm that serve the farm.
type Web struct {
	Kind           string   // "nginx" or "apache"
	FPM            string   // as fastcgi_pass takes it: "unix:/run/…sock" or "127.0.0.1:9000"
	Listen         []string // as nginx's listen takes it
	URL            string   // address of a tenant with {host}, such as "https://{host}"
	Certificate    string   // file with {host} or {name}; empty without TLS
	CertificateKey string
	Check, Reload  []string // argument vectors; empty: nothing to run
	Probe          string   // where the web server answers, such as "http://127.0.0.1:8080", or https with a certificate
	User, Group    string   // of php-fpm's workers; empty: the user of wikictl
	Pools          bool     // one php-fpm pool a tenant
	ACME           string   // absolute folder of an ACME client's answers, which are sent by http (RFC 8555); or empty
	HSTS           int64    // for how many seconds browsers ask by https alone (RFC 6797); 0: it is not said
	Proxies        []string // addresses and networks in front whose X-Forwarded-For is believed
	AccessLog      string   // file with {host} or {name}; empty: what the web server is set to
	HTTP2          bool     // the web server speaks HTTP/2 where it speaks TLS
	Map            bool     // one virtual host and a map of host names serve all tenants
}

// Class is a named set of values that tenants join.
type Class struct {
	Name     string
	Position Position
}

// Tenant is one wiki, with every value resolved.
type Tenant struct {
	Name        string
	Hosts       []string // lower case, IDNA; the first is canonical
	Classes     []string
	Codebase    *Codebase // the wanted one
	Server      *Server
	Database    string   // letters, digits and _; at most 64 bytes
	Databases   []string // further ones of its own, in the definition's order
	Grants      []Grant  // in databases of other tenants
	Shared      Shared
	Owner       *Tenant   // owner of its accounts, by Shared.Users; nil: it has its own accounts
	Members     []*Tenant // that have its accounts, sorted by name
	Media       *Tenant   // whose files it shows, by Shared.Media; nil: only its own
	Viewers     []*Tenant // that show its files, sorted by name
	MediaTables []string  // of Media's database that it reads
	MediaDenied *Problem  // why it shows no files of Shared.Media, which is not open to all readers; or nil
	Language    string    // MediaWiki's language code
	Sitename    string
	State       State            // open, private or closed
	Reason      string           // why it is closed; empty unless it is
	StageOf     string           // the tenant that it is a staging copy of; empty: it is none
	Admin       string           // user name of the administrator that create makes
	Extensions  []string         // names of components, in loading order
	Skins       []string         // names of components; the first is $wgDefaultSkin
	Settings    map[string]Value // by full variable name, such as "wgMaxUploadSize"
	Namespaces  []Namespace      // that its definitions give it, by key
	Pages       []string         // paths of pages that an upgrade asks for before and after
	ScriptPath  string           // of MediaWiki's entry points, as $wgScriptPath; empty: the root
	Articles    string           // of pages, as $wgArticlePath
	Path        string           // the folder of its addresses on its hosts, such as "/en"; empty: the root
	Shares      bool             // other wikis may be below other paths of its hosts
	Aliases     []string         // host names that lead to the first of Hosts, in the same form
	Static      []string         // folders of files that the web server sends as they are, relative to Farm.Dir; the first that has a file wins
	Include     []string         // PHP files that its settings end with, relative to Farm.Dir, most general first
	Pool        Pool             // bounds of its own php-fpm pool
	Limits      Limits           // bounds of the requests to its PHP
	Moves       []Move           // addresses that lead elsewhere, sorted by what they are from
	Files       []string         // definition files that it came from, relative to Farm.Dir, most general first
	Origins     Origins          // where each value came from
	Repeats     []Repeat         // settings that are set to what they were already
	ByHTTP      bool             // its certificate is not there yet: it is served without TLS until it is
	Faults      Problems         // why this tenant is blocked: it is left as it is, and the others are not
	Position    Position
}

// Blocked reports whether the tenant has faults of its own, so that no command makes
// Or changes it. Mistakes that concern more than one tenant are errors of Load.
func (t *Tenant) Blocked() bool { return len(t.Faults) > 0 }

// Fault adds a problem that concerns this tenant only, unless it is known already.
func (t *Tenant) Fault(p Problem) {
	if !slices.Contains(t.Faults, p) {
		t.Faults = append(t.Faults, p)
	}
}

// Places are a tenant's host names, each with its path, such as "example.org/en": by them
// a wiki is asked.
func (t *Tenant) Places() []string {
	if t.Path == "" {
		return t.Hosts
	}
	places := make([]string, len(t.Hosts))
	for i, host := range t.Hosts {
		places[i] = host + t.Path
	}
	return places
}

// Origins maps a key path such as "settings.wgMaxUploadSize" to the place that set it.
type Origins map[string]Position

// WebAccount is the name of the database account that the wiki serves with.
func (t *Tenant) WebAccount() string { return AccountName(t.Database, "") }

// SchemaAccount is the name of the database account that changes the schema.
func (t *Tenant) SchemaAccount() string { return AccountName(t.Database, "_schema") }
