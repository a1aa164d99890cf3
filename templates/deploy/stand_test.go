package deploy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/secrets"
)

// stand is a farm of three wikis on a MariaDB, a php-fpm and a web server of its own.
type stand struct {
	gone []templates.Gone // removed wikis
	t    *testing.T
	dir  string
	port int
	farm *tenants.Farm
	set  *templates.Set
	d    *Deployer
	tls  bool   // requests are sent by https
	own  string // directives of the web server's own configuration
}

const standFarm = `state = "state"
allow_php = true
tenants = ["tenants/*.toml"]
[codebases."1.39"]
path = "CODE/1.39"
php = "PHP"
[codebases."1.43"]
path = "CODE/1.43"
php = "PHP"
[servers.main]
managed = true
[web]
kind = "KIND"
fpm = "unix:DIR/fpm.sock"
listen = ["127.0.0.1:PORT"]
url = "http://{host}:PORT"
USER
[defaults]
server = "main"
skins = ["Vector", "MonoBook"]
extensions = ["ParserFunctions", "Cite"]
[defaults.settings]
wgEnableUploads = true
`

const alphaToml = `name = "alpha"
hosts = ["alpha.test", "other.alpha.test"]
sitename = "SITENAME"
codebase = "1.43"
language = "de"
[settings]
wgMaxUploadSize = 300000
wgMaxArticleSize = 90
wgLogos.1x = "/resources/assets/wiki.png"
wgActionPaths = { view = "/wiki/$1", history = "/verlauf/$1" }
`

const betaToml = `name = "beta"
hosts = ["beta.test"]
sitename = "Beta"
codebase = "1.39"
[settings]
wgGroupPermissions."*".read = { php = "PHP_SAPI === 'cli'" }
wgGroupPermissions."*".edit = false
`

// gammaToml is a wiki that an expression leaves open, with pages at the root.
const gammaToml = `name = "gamma"
hosts = ["gamma.test"]
script_path = "/w"
article_path = "/$1"
sitename = "Gamma"
codebase = "1.43"
[settings]
wgGroupPermissions."*" = { php = "[ 'read' => PHP_SAPI !== 'cli' ]" }
`

// newStand starts everything but php-fpm and the web server, and installs the wikis by
// MediaWiki's own installer. With Apache each has a pool of its own, and beta a user.
func newStand(t *testing.T, kind string) *stand {
	code := needs.Codebases(t)
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		needs.Program(t, program)
	}
	s := &stand{t: t, dir: needs.Folder(t), port: freePort(t)}
	user, beta := "", betaToml
	if os.Geteuid() == 0 {
		user = `user = "www-data"`
	}
	if kind == "apache" {
		user += "\npools = true"
		if os.Geteuid() == 0 {
			beta = "pool.user = \"nobody\"\n" + beta
		}
	}
	s.write("wikictl.toml", strings.NewReplacer("CODE", code, "PHP", needs.PHP(t), "KIND", kind, "DIR", s.dir, "PORT", fmt.Sprint(s.port), "USER", user).Replace(standFarm))
	s.write("tenants/beta.toml", beta)
	s.write("tenants/gamma.toml", gammaToml)
	s.load("Alpha")
	var err error
	if s.set, err = templates.Load(""); err != nil {
		t.Fatal(err)
	}
	if s.d, err = New(s.farm.Layout(), s.farm.Web); err != nil {
		t.Fatal(err)
	}
	s.startDatabase()
	for _, tenant := range s.farm.Tenants {
		s.installWiki(tenant)
	}
	return s
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *stand) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// load reads the farm with another name for the wiki alpha.
func (s *stand) load(sitename string) {
	s.t.Helper()
	s.write("tenants/alpha.toml", strings.Replace(alphaToml, "SITENAME", sitename, 1))
	var err error
	if s.farm, err = definitions.Load(s.dir); err != nil {
		s.t.Fatal(err)
	}
}

// start runs a program until the test ends and waits until ready says so.
func (s *stand) start(ready func() bool, program string, args ...string) {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, filepath.Base(program)+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(needs.Program(s.t, program), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-exited
		}
	})
	for deadline := time.Now().Add(30 * time.Second); !ready(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-exited:
			s.t.Fatalf("%s ended:\n%s", program, read(s.t, log.Name()))
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s did not start:\n%s", program, read(s.t, log.Name()))
		}
	}
}

func (s *stand) run(env []string, program string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, needs.Program(s.t, program), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func dials(network, address string) func() bool {
	return func() bool {
		c, err := net.Dial(network, address)
		if err != nil {
			return false
		}
		c.Close()
		return true
	}
}

func (s *stand) startDatabase() {
	socket := s.farm.Layout().Socket("main")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		s.t.Fatal(err)
	}
	data := filepath.Join(s.dir, "data")
	s.run(nil, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root")
	s.start(dials("unix", socket), "mariadbd", "--no-defaults", "--datadir="+data, "--socket="+socket,
		"--skip-networking", "--user=root", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M")
}

// owned tells the deployer which wikis have a user of their own.
func (s *stand) owned() {
	s.t.Helper()
	for _, tenant := range s.farm.Tenants {
		if user := tenant.Pool.User; user != "" {
			must(s.t, s.d.Own(tenant.Name, user))
		}
	}
}

// startFPM starts php-fpm with the pools that were applied, or with a common one.
func (s *stand) startFPM() {
	s.t.Helper()
	ready, user := dials("unix", filepath.Join(s.dir, "fpm.sock")), ""
	if os.Geteuid() == 0 {
		user = "user = www-data\ngroup = www-data\nlisten.owner = www-data\nlisten.group = www-data\n"
	}
	// Many children, as each has a cache of paths of its own.
	pools := "[www]\nlisten = " + s.dir + "/fpm.sock\n" + user + "pm = static\npm.max_children = 3\n"
	if s.farm.Web.Pools {
		ready, pools = s.poolsListen, "include = "+s.farm.Layout().Pools()+"/*.conf\n"
	}
	s.write("fpm.conf", "[global]\nerror_log = "+s.dir+"/fpm-error.log\n"+pools)
	s.start(ready, needs.FPM(s.t), "--nodaemonize", "--fpm-config", filepath.Join(s.dir, "fpm.conf"))
}

// installWiki makes a tenant's database with the codebase's own installer.
func (s *stand) installWiki(t *tenants.Tenant) {
	server := "localhost:" + s.farm.Layout().Socket("main")
	conf := filepath.Join(s.dir, "conf-"+t.Name)
	if err := os.MkdirAll(conf, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.run(nil, needs.PHP(s.t), filepath.Join(t.Codebase.Path, "maintenance/install.php"), "--confpath="+conf,
		"--dbserver="+server, "--dbname="+t.Database, "--installdbuser=root", "--installdbpass=",
		"--dbuser="+t.WebAccount(), "--dbpass=test", "--pass=long-enough-"+t.Name, "--scriptpath=", "--lang="+t.Language, "--server=http://"+t.Hosts[0],
		t.Sitename, "Admin")
}

// source renders the farm as it is loaded now.
func (s *stand) source() Source {
	return Source{Len: len(s.farm.Tenants), At: func(i int) (Wanted, error) { return s.wanted(s.farm.Tenants[i], "") }}
}

// wanted renders one tenant; core is another codebase than its own, or "".
func (s *stand) wanted(t *tenants.Tenant, core string) (Wanted, error) {
	data := templates.Data{Farm: s.farm, Tenant: t, Codebase: t.Codebase, Secrets: secrets.Secrets{
		WebPassword: "test", SchemaPassword: "schema", SecretKey: secrets.Secret(strings.Repeat("ab", 32)), UpgradeKey: "0123456789abcdef",
	}}
	r, err := s.set.Render(data)
	w := Want(data, r)
	if core != "" {
		w.Core = core
	}
	return w, err
}

func (s *stand) apply() Applied {
	s.t.Helper()
	source := s.source()
	var err error
	if source.Default, err = s.set.Default(s.farm, s.gone...); err != nil {
		s.t.Fatal(err)
	}
	if source.Hosts, err = s.set.Hosts(s.farm, nil, s.gone); err != nil {
		s.t.Fatal(err)
	}
	for _, t := range s.farm.Tenants {
		makeOwn(s.t, s.d, t.Name)
	}
	applied, err := s.d.Apply(s.t.Context(), source)
	if err != nil {
		s.t.Fatal(err)
	}
	return applied
}

// answer is an answer of the web server.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks the web server for a path, as it is written, of a host.
func (s *stand) get(host, path string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, host, path, nil)
}

// scheme is the one of requests and of the wikis' addresses.
func (s *stand) scheme() string {
	if s.tls {
		return "https"
	}
	return "http"
}

// anyCertificate asks for a host by TLS, whatever its certificate is.
func anyCertificate(host string) *tls.Config {
	return &tls.Config{ServerName: strings.Trim(host, "[]"), InsecureSkipVerify: true}
}

func (s *stand) do(method, host, path string, body io.Reader) answer {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, fmt.Sprintf("%s://127.0.0.1:%d/", s.scheme(), s.port), body)
	if err != nil {
		s.t.Fatal(err)
	}
	request.URL.Opaque = path
	request.Host = host
	if strings.HasSuffix(host, ".test") {
		request.Host = fmt.Sprintf("%s:%d", host, s.port)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if s.tls {
		client.Transport = &http.Transport{TLSClientConfig: anyCertificate(host), DisableKeepAlives: true}
	}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// logIfFailed prints the ends of the servers' logs if the test has failed.
func (s *stand) logIfFailed(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for _, name := range []string{"nginx-error.log", "apache-error.log", "apache2.log", "fpm-error.log"} {
		if data, err := os.ReadFile(filepath.Join(s.dir, name)); err == nil {
			t.Logf("%s:\n%s", name, data[max(0, len(data)-3000):])
		}
	}
}
