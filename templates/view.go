package templates

import (
	"cmp"
	html "html/template"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// View holds the values that a template can name: the farm, the tenant, and values
// derived from them. It has only fields, because text/template calls methods slowly. The
// search for a field takes most of the time of a template: the names that templates use most
// come first, and none is in an embedded struct, which is searched last.
type View struct {
	HSTS        string // see Connection
	Farm        *tenants.Farm
	Tenant      *tenants.Tenant
	Mapped      bool   // one virtual host serves all tenants
	Maintenance string // the page that readers get, with status 503, while the file exists
	ScriptPath  string // see Paths
	TLS         bool   // see Connection, as the following
	Redirects   []string
	Port        string
	Limited     bool // Tenant.Limits has a bound
	Listens     []string
	Secure      bool
	HTTP2       bool

	Strip, Pages, NoPages, Entries, Asked, Code, Uploads, Thumbs, Articles string // see Paths

	RootPages bool

	asked []string // expressions by which its templates asked for tenants
	fleet *Fleet   // which has the following, too

	DefaultListens                            []string
	DefaultCertificate, DefaultCertificateKey string
	NamesHashSize                             int
	LongNames                                 bool

	Codebase *tenants.Codebase // the codebase to render for
	Secrets  secrets.Secrets
	Layout   tenants.Layout

	Server           string    // $wgServer: the farm's address with the tenant's first host
	DBServer         string    // $wgDBserver: "host", "host:port" or "localhost:/path/of/socket"
	Encrypted        bool      // $wgDBssl
	Readers          []Reader  // the members of $wgDBservers; none without replicas
	Shared           *Accounts // of another wiki; nil: it has its own
	Media            *Media    // of another wiki; nil: it shows only its own
	Extensions       []Loaded  // loaded extensions, in order
	Skins            []Loaded
	DefaultSkin      string // $wgDefaultSkin
	Images           string // $wgUploadDirectory
	UploadPath       string // $wgUploadPath; a private wiki's files go through img_auth.php
	Cache            string // $wgCacheDirectory
	CachedPages      string // $wgFileCacheDirectory
	Temporary        string // $wgTmpDirectory
	ReadOnly         string // the file whose text is $wgReadOnly while it exists
	Requests         string // the file that requests lock while the wiki is writable
	ReadOnlyRequests string // the file that they lock while it is read-only
	CacheEpoch       string // file with the end of $wgCachePrefix, which changes when the database is made or restored
	CacheMark        string // key of APCu: the $wgCachePrefix for which older keys were deleted
	CacheKeys        string // PHP's pattern of keys that name the tenant's database
	L10n             string // folder of the localisation cache of the tenant's code
	WebAccount       string // $wgDBuser
	SessionName      string // $wgSessionName
	Private          bool   // anonymous visitors may not read
	Core             string // the codebase, through the link to the release
	Current          string // the link to the current release
	Wiki             string // the folder of that link
	Wikis            string // the folder of all wikis' folders
	Releases         string // the folder of the releases
	FPM              string // address of php-fpm: "unix:/path" or "host:port"
	FastCGI          string // FPM in the form of Apache's proxy
	MapHashSize      int    // of nginx's map_hash_max_size
	MapFiles         string // the files of all tenants' entries in the map of host names
	ProxyName        string // FastCGI in the form of Apache's <Proxy>
	PoolSocket       string // of the tenant's own php-fpm pool
	PoolName         string // of that pool in php-fpm and of its worker in Apache
	Certificate      string // the file of the tenant's certificate; empty without TLS
	CertificateKey   string
	AccessLog        string    // the file of the tenant's requests; empty: the web server's own
	MaxBody          int64     // maximum size of a request in bytes
	Children         int64     // maximum processes of the tenant's own php-fpm pool
	Waits            int64     // seconds for which the web server waits for that pool; zero: its default
	Static           []string  // folders of static files; the last one with a file wins
	Moves            []Move    // redirects, the most specific first
	Include          []string  // PHP files of the farm's own
	Symbol           string    // the tenant's name as a part of a variable's name
	RequestRate      string    // Tenant.Limits.Requests in nginx's form
	JobsService      bool      // wikictl jobs run runs MediaWiki's jobs
	Outside          []Outside // extensions and skins outside of the codebase
	Sections         []Section // the settings of the definitions, by subject

	Gone []Gone // removed wikis, in the virtual host for names of no tenant

	Path    string // folder of all of the wiki's addresses; empty: the root
	All     string // regular expression of all addresses below it
	Files   string // regular expression of addresses that may be static files
	Closing string // regular expression of the maintenance page, with Apache

	Part      bool     // it is a part of the virtual host of a host that several tenants share
	Frame     bool     // it is the virtual host of such a host, and holds the parts
	Members   []Sharer // the tenants of a frame; one at the root is the last
	GonePaths []string // regular expressions of the addresses of removed tenants
	GoneRoot  bool     // the tenant at the root was removed
}

// newView returns the view of a farm; a tenant's has its paths and its connection.
func newView(f *Fleet, p Paths, c Connection) *View {
	return &View{
		fleet: f, Farm: f.Farm, DefaultListens: f.DefaultListens, DefaultCertificate: f.DefaultCertificate,
		DefaultCertificateKey: f.DefaultCertificateKey, NamesHashSize: f.NamesHashSize, LongNames: f.LongNames,
		Secure: c.Secure, TLS: c.TLS, Listens: c.Listens, Redirects: c.Redirects, Port: c.Port, HSTS: c.HSTS, HTTP2: c.HTTP2,
		ScriptPath: p.ScriptPath, Articles: p.Articles, Strip: p.Strip, Pages: p.Pages, Entries: p.Entries, Asked: p.Asked,
		Code: p.Code, Uploads: p.Uploads, Thumbs: p.Thumbs, RootPages: p.RootPages, NoPages: p.NoPages,
		Path: p.Path, All: p.All, Files: p.Files, Closing: p.Closing,
		Layout: f.Farm.Layout(),
	}
}

// Fleet holds the values that all tenants of a farm share.
type Fleet struct {
	Farm           *tenants.Farm
	DefaultListens []string // all of them
	// Certificate of Apache's virtual host for names of no wiki: that of some wiki, or empty
	// if no wiki has one.
	DefaultCertificate, DefaultCertificateKey string

	NamesHashSize int  // nginx's server_names_hash_max_size; zero: its default suffices
	LongNames     bool // nginx's server_names_hash_bucket_size must grow

	names     int        // host names of all tenants
	usual     Connection // of tenants that have their certificates
	ask       asker
	executors *sync.Pool
	pages     map[string]*html.Template

	contents *sync.Map // digests of tenants and of Data without secrets, and functions that return those of answers to expressions
	basis    func() (digest string, ok bool)
}

// By default nginx's hash of server names has room for 512 names, and for names of up to
// about 46 bytes (nginx: Server names).
const (
	manyNames = 400
	longName  = 44
)

func newFleet(f *tenants.Farm) *Fleet {
	v := &Fleet{Farm: f, usual: usually(f.Web), executors: new(sync.Pool), contents: new(sync.Map), pages: map[string]*html.Template{}}
	v.basis = sync.OnceValues(v.basisOf)
	v.DefaultListens = slices.Concat(v.usual.Redirects, v.usual.Listens)
	for _, t := range f.Tenants {
		if v.usual.TLS && v.DefaultCertificate == "" && !t.ByHTTP && !t.Blocked() {
			v.DefaultCertificate, v.DefaultCertificateKey = f.Web.CertificateOf(t)
		}
		v.addNames(t.Hosts...)
		v.addNames(t.Aliases...)
	}
	return v
}

// addNames counts host names, for nginx's hash.
func (v *Fleet) addNames(hosts ...string) {
	v.names += len(hosts)
	v.LongNames = v.LongNames || slices.ContainsFunc(hosts, func(host string) bool { return len(host) > longName })
	if v.names <= manyNames {
		return
	}
	for v.NamesHashSize = max(v.NamesHashSize, 1024); v.NamesHashSize < 4*v.names; {
		v.NamesHashSize *= 2
	}
}

// view computes all values that a tenant's templates may name.
func (s *Set) view(d Data) (*View, error) {
	fleet, core, t, l, web := s.fleet(d.Farm), s.core(d.Codebase), d.Tenant, d.Farm.Layout(), d.Farm.Web
	v := newView(fleet, pathsOf(t), fleet.connectionOf(t))
	v.Tenant, v.Codebase, v.Secrets = t, d.Codebase, d.Secrets
	v.Server = web.AddressOf(t)
	v.Encrypted = t.Server.Encrypted()
	v.Images = l.Images(t.Name)
	v.UploadPath = t.ScriptPath + "/images"
	v.Cache, v.CachedPages = l.Cache(t.Name), l.CachedPages(t.Name)
	v.Temporary = l.TemporaryOf(t.Pool.User)
	v.ReadOnly = l.ReadOnly(t.Name)
	v.Maintenance = l.Maintenance(t.Name)
	v.Requests, v.ReadOnlyRequests = l.Requests(t.Name, false), l.Requests(t.Name, true)
	v.CacheEpoch, v.CacheMark = l.CacheEpoch(t.Name), "wikictl-epoch "+t.Database
	v.CacheKeys = "/(^|[:|])" + t.Database + "([:|-]|$)/" // letters, digits and _
	v.L10n = l.L10n(d.messages())
	v.WebAccount = t.WebAccount()
	v.SessionName = t.Database + "_session"
	v.Private = t.Private()
	v.Core = filepath.Join(l.Current(t.Name), "core")
	v.Current = l.Current(t.Name)
	v.Wiki, v.Wikis = l.Wiki(t.Name), l.Wikis()
	v.Releases = l.Releases(t.Name)
	v.PoolSocket, v.PoolName = l.PoolSocket(t.Name), l.PoolName(t.Name)
	v.MaxBody = maxBody(t)
	v.AccessLog = web.AccessLogOf(t)
	v.Children, v.Waits = cmp.Or(t.Pool.Children, d.Farm.PHP.Children), waits(web, t)
	v.JobsService = d.Farm.Jobs.Service
	v.Sections = append(namespaceSection(t), sections(t.Settings, core)...)
	for _, file := range t.Include {
		v.Include = append(v.Include, filepath.Join(d.Farm.Dir, file))
	}
	v.Shared, v.Media = sharedAccounts(t, l), mediaOf(t, web, l)
	v.limit()
	v.Part = t.Shares
	v.Static, v.Moves = staticFolders(d.Farm, t), moves(t, v.Server)
	v.Extensions, v.Skins = loads(t.Extensions, d.Codebase.Extensions), loads(t.Skins, d.Codebase.Skins)
	v.Outside = outside(t, d.Codebase)
	if len(t.Skins) > 0 {
		v.DefaultSkin = core.defaultSkin(t.Skins[0])
	}
	if v.Private {
		v.UploadPath = t.ScriptPath + "/img_auth.php"
	}
	v.answeredBy(web)
	v.Certificate, v.CertificateKey = web.CertificateOf(t)
	address, err := addressOf(t.Server, l)
	if err != nil {
		return v, err
	}
	v.DBServer = address
	v.Readers, err = readersOf(t.Server, l)
	return v, err
}

// answeredBy sets the address of the php-fpm that answers: the common one, or the tenant's own
// pool.
func (v *View) answeredBy(web tenants.Web) {
	v.FPM = web.FPM
	if web.Pools {
		v.FPM = "unix:" + v.PoolSocket
	}
	v.FastCGI = "proxy:fcgi://" + v.FPM
	switch {
	case web.Pools: // mod_proxy distinguishes workers by this name, not by the socket
		v.FastCGI = "proxy:" + v.FPM + "|fcgi://" + v.PoolName
	case strings.HasPrefix(v.FPM, "unix:"):
		v.FastCGI = "proxy:" + v.FPM + "|fcgi://localhost"
	}
	v.ProxyName = strings.TrimPrefix(v.FastCGI, "proxy:")
}

// defaultArticle is MediaWiki's default of $wgMaxArticleSize, in KiB.
const defaultArticle = 2048

// maxBody returns how large a request may be: as a file of $wgMaxUploadSize, or a page of
// $wgMaxArticleSize of which each byte is sent percent-encoded, and the rest of the form.
func maxBody(t *tenants.Tenant) int64 {
	article, _ := t.Settings["wgMaxArticleSize"].Data.(int64)
	return max(t.MaxUpload("file"), 3*cmp.Or(article, defaultArticle)<<10) + 1<<20
}

// waits returns for how many seconds the web server waits for an answer of a tenant's own pool:
// a little longer than php-fpm lets it take. Zero is the web server's default.
func waits(web tenants.Web, t *tenants.Tenant) int64 {
	if !web.Pools || t.Pool.Timeout == 0 {
		return 0
	}
	return t.Pool.Timeout + 10
}

// DefaultListens lists the addresses on which the farm's web server answers for names of
// no wiki, in the form of nginx's listen.
func DefaultListens(f *tenants.Farm) []string { return newFleet(f).DefaultListens }
