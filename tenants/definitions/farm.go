package definitions

import (
	"fmt"
	"maps"
	"net/url"
	"os/exec"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// readFarm reads the parts of wikictl.toml about the farm as a whole.
func (l *loader) readFarm(d document) {
	s := newSection(farmKeys, "", d.root, &l.problems)
	f := l.farm
	f.Origins = originsOf(d.root)
	f.State = l.path(l.required(s, d, "state", "the folder below which wikictl writes").value)
	f.AllowPHP, _ = s.bool("allow_php")
	l.tenantPatterns, l.classPatterns = s.texts("tenants"), s.texts("classes")
	if len(l.tenantPatterns) == 0 && s.table["tenants"].Data == nil {
		l.report(tenants.Position{File: d.file}, "tenants", `such as tenants = ["tenants/**/*.toml"]`, "is missing")
	}
	l.prefix = "wiki_"
	if p, at, ok := get[string](s, "database_prefix", "a string"); ok {
		l.prefix = p
		if p != "" && !tenants.ValidDatabase(p) {
			s.report(at, "database_prefix", "", "%q has other characters than letters, digits and _", p)
		}
	}
	f.Templates, f.Migrations = l.path("templates"), l.path("migrations")
	l.readCodebases(s)
	l.readOutside(s)
	l.readServers(s, d)
	l.checkRenamed()
	l.readWeb(s.sub("web"))
	l.readBackup(s.sub("backup"))
	l.readKeep(s.sub("keep"))
	l.readPHP(s.sub("php"))
	l.readJobs(s.sub("jobs"))
	l.readUpgrade(s.sub("upgrade"))
	l.readFiles(s)
	l.readSecretCommands(s)
	l.defaults = l.readValues(s.sub("defaults"))
	l.readPolicies(s)
	s.end()
}

// originsOf returns the places of a file's keys, and of the keys in its tables.
func originsOf(root map[string]tenants.Value) tenants.Origins {
	at := tenants.Origins{}
	for key, v := range root {
		at[key] = v.Position
		table, _ := v.Data.(map[string]tenants.Value)
		for below, v := range table {
			at[key+"."+below] = v.Position
		}
	}
	return at
}

// required reads a required string.
func (l *loader) required(s *section, d document, key, hint string) text {
	if _, found := s.table[key]; !found {
		s.report(tenants.Position{File: d.file}, key, hint, "is missing")
		return text{}
	}
	return s.text(key)
}

func (l *loader) readCodebases(s *section) {
	l.farm.Codebases = map[string]*tenants.Codebase{}
	s.each("codebases", func(name string, at tenants.Position, sub *section) {
		path, php := sub.text("path"), sub.text("php")
		sub.end()
		if !path.set() {
			if sub.table["path"].Data == nil {
				sub.report(at, "path", "the folder of a MediaWiki tree", "is missing")
			}
			return
		}
		c, err := mediawiki.Open(name, l.path(path.value))
		c.Position = at
		if err != nil {
			c.Fault(tenants.Problem{Position: path.at, Key: sub.path + "path", Message: err.Error()})
		} else if numbers := mediawiki.Numbers(c.Version); slices.Compare(numbers, oldest) < 0 {
			c.Fault(tenants.Problem{Position: path.at, Key: sub.path + "path", Hint: "use MediaWiki 1.35 or later",
				Message: fmt.Sprintf("MediaWiki %s is older than what wikictl can run", c.Version)})
		}
		c.PHP = l.findPHP(sub, php, c)
		l.farm.Codebases[name] = c
	})
}

// oldest is the first MediaWiki that wikictl runs: the oldest from which MediaWiki's
// present long-term releases upgrade.
var oldest = []int{1, 35}

// phpNames are the command line programs to try if none is named.
var phpNames = []string{"php", "php8.5", "php8.4", "php8.3", "php8.2", "php8.1"}

// findPHP finds the PHP program of a codebase. If there is none, the codebase has a
// fault.
func (l *loader) findPHP(s *section, wanted text, c *tenants.Codebase) string {
	names := phpNames
	if wanted.set() {
		names = []string{wanted.value}
		if strings.Contains(wanted.value, "/") {
			names[0] = l.path(wanted.value)
		}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	problem := tenants.Problem{Position: wanted.at, Key: s.path + "php", Hint: "name the php command line program",
		Message: fmt.Sprintf("%q is not a program that can be run", wanted.value)}
	if !wanted.set() {
		problem.Position, problem.Hint = c.Position, "install php-cli, or name the program here"
		problem.Message = "no php command line program was found"
	}
	c.Fault(problem)
	return ""
}

func (l *loader) readServers(s *section, d document) {
	l.farm.Servers = map[string]*tenants.Server{}
	var first tenants.Position
	s.each("servers", func(name string, at tenants.Position, sub *section) {
		server := l.readServer(name, at, sub)
		l.farm.Servers[name] = server
		if first.File == "" || at.Line < first.Line {
			first, l.farm.Ledger = at, server
		}
	})
	if len(l.farm.Servers) == 0 {
		l.report(tenants.Position{File: d.file}, "servers", "such as [servers.main]", "there is no database server")
	}
	if ledger := s.text("ledger"); ledger.set() {
		l.farm.Ledger = l.farm.Servers[ledger.value]
		if l.farm.Ledger == nil {
			s.report(ledger.at, "ledger", tenants.Suggest(ledger.value, maps.Keys(l.farm.Servers)), "there is no server %q", ledger.value)
		}
	}
}

func (l *loader) readServer(name string, at tenants.Position, s *section) *tenants.Server {
	server := &tenants.Server{Name: name, Position: at}
	server.Managed, _ = s.bool("managed")
	dsn, password := s.text("dsn"), s.text("password_file")
	server.DSN, server.PasswordFile = dsn.value, l.path(password.value)
	l.readSizes(server, s)
	host := s.text("account_host")
	server.AccountHost = host.value
	if host.value == "" {
		server.AccountHost = "%"
		if server.Managed || strings.Contains(dsn.value, "@unix(") {
			server.AccountHost = "localhost"
		}
	}
	l.readReplicas(server, s)
	s.end()
	switch {
	case !tenants.ValidName(name):
		s.report(at, "", "", "the server's name %q has other characters than a-z, 0-9, _ and -", name)
	case server.Managed && dsn.set():
		s.report(dsn.at, "dsn", "remove one of them", "a managed server has no dsn")
	case !server.Managed && !dsn.set() && s.table["dsn"].Data == nil:
		s.report(at, "dsn", `such as "root@unix(/run/mysqld/mysqld.sock)/", or managed = true`, "is missing")
	default:
		s.checkDSN(dsn)
	}
	return server
}

// checkDSN reports the mistake in a DSN that is set, and a password in it.
func (s *section) checkDSN(dsn text) {
	switch {
	case !dsn.set():
	case strings.Contains(dsn.value, "@") && strings.Contains(strings.SplitN(dsn.value, "@", 2)[0], ":"):
		s.report(dsn.at, "dsn", "put it into a file of mode 0600 and name that as password_file", "holds a password")
	default:
		if err := CheckDSN(dsn.value); err != nil {
			s.report(dsn.at, "dsn", `such as "root@unix(/run/mysqld/mysqld.sock)/" or "root@tcp(db.example.org:3306)/"`, "%s", err)
		}
	}
}

func (l *loader) readWeb(s *section) {
	w := &l.farm.Web
	w.Kind = l.oneOf(s, "kind", "nginx", "apache")
	w.FPM, w.User, w.Group = s.text("fpm").value, s.text("user").value, s.text("group").value
	w.Listen = values(s.texts("listen"))
	w.Certificate, w.CertificateKey = s.text("certificate").value, s.text("certificate_key").value
	w.Check, w.Reload = values(s.texts("check")), values(s.texts("reload"))
	w.Pools, _ = s.bool("pools")
	probe := "http://127.0.0.1"
	if w.Certificate != "" {
		probe = "https://127.0.0.1"
	}
	w.Probe = l.address(s, "probe", probe)
	w.URL = l.address(s, "url", "https://{host}")
	l.readHTTPS(s)
	l.readProxies(s)
	l.readAccessLog(s)
	l.readMap(s)
	s.end()
	if w.FPM == "" {
		w.FPM = "unix:/run/php/php-fpm.sock"
	}
	if len(w.Listen) == 0 {
		w.Listen = []string{"80"}
		if w.Certificate != "" {
			w.Listen = []string{"443 ssl"}
		}
	}
	l.checkHTTPS(s)
	l.checkSocket(s)
}

// checkSocket refuses sockets that Apache can't reach: mod_rewrite makes the letters of a handler
// small, and with them the path of a socket.
func (l *loader) checkSocket(s *section) {
	w := &l.farm.Web
	path, key := strings.TrimPrefix(w.FPM, "unix:"), "fpm"
	if w.Pools {
		path, key = l.farm.Layout().Run(), "kind"
	}
	if w.Kind == "apache" && path != strings.ToLower(path) {
		s.report(s.table[key].Position, key, "name a folder or a link without capitals", "Apache can't reach php-fpm by %s, because it makes capital letters small", path)
	}
}

// oneOf reads one of several words; the first is the default.
func (l *loader) oneOf(s *section, key string, words ...string) string {
	t := s.text(key)
	if t.set() && !slices.Contains(words, t.value) {
		s.report(t.at, key, tenants.Suggest(t.value, slices.Values(words)), "%q is none of %s", t.value, strings.Join(words, ", "))
	}
	if t.value == "" {
		return words[0]
	}
	return t.value
}

// address reads an http or https address without a trailing slash.
func (l *loader) address(s *section, key, fallback string) string {
	t := s.text(key)
	if !t.set() {
		return fallback
	}
	u, err := url.Parse(strings.ReplaceAll(t.value, "{host}", "host.invalid"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" {
		s.report(t.at, key, `such as "`+fallback+`"`, "%q is not an http or https address without a path", t.value)
	}
	return t.value
}

func values(list []text) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.value
	}
	return out
}

// PHPNames lists the PHP command line programs to try, in order, if a codebase names
// none.
func PHPNames() []string { return slices.Clone(phpNames) }
