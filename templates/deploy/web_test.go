package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates"
)

func TestNginx(t *testing.T) {
	needs.Program(t, "nginx")
	s := newStand(t, "nginx")
	conf := s.nginxConf()
	s.d.web.Check = []string{needs.Program(t, "nginx"), "-t", "-q", "-c", conf, "-e", filepath.Join(s.dir, "nginx-error.log")}
	s.apply()
	s.startFPM()
	s.startNginx()
	testServer(t, s)
}

// nginxConf writes a configuration that includes the farm's virtual hosts.
func (s *stand) nginxConf() string {
	user := ""
	if os.Geteuid() == 0 {
		user = "user www-data;\n"
	}
	s.write("nginx.conf", user+fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx-error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/tmp-body;
	proxy_temp_path %[1]s/tmp-proxy;
	fastcgi_temp_path %[1]s/tmp-fastcgi;
	uwsgi_temp_path %[1]s/tmp-uwsgi;
	scgi_temp_path %[1]s/tmp-scgi;
	%[3]s
	include %[2]s/*.conf;
}
`, s.dir, s.farm.Layout().Vhosts(), s.own))
	return filepath.Join(s.dir, "nginx.conf")
}

func (s *stand) startNginx() {
	s.t.Helper()
	s.start(dials("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)), "nginx", "-c", s.nginxConf(), "-e", filepath.Join(s.dir, "nginx-error.log"))
}

func TestApache(t *testing.T) {
	needs.Program(t, "apache2")
	s := newStand(t, "apache")
	conf := s.apacheConf()
	s.d.web.Check = []string{needs.Program(t, "apache2"), "-t", "-f", conf}
	s.owned()
	s.apply()
	s.startFPM()
	s.startApache()
	testServer(t, s)
}

// apacheConf writes a configuration that includes the farm's virtual hosts.
func (s *stand) apacheConf() string {
	user := ""
	if os.Geteuid() == 0 {
		user = "User www-data\nGroup www-data\n"
	}
	modules := ""
	for _, m := range []string{"mpm_event", "authz_core", "alias", "headers", "mime", "proxy", "proxy_fcgi", "rewrite", "socache_shmcb", "ssl", "http2", "remoteip"} {
		modules += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	s.write("apache.conf", modules+user+fmt.Sprintf(`ServerRoot %[1]s
ServerName wikictl.invalid
PidFile %[1]s/apache.pid
ErrorLog %[1]s/apache-error.log
DefaultRuntimeDir %[1]s
TypesConfig /etc/mime.types
%[2]s
# As Debian and its php-fpm have it.
LogFormat "%%a %%l %%u %%t \"%%r\" %%>s %%O \"%%{Referer}i\" \"%%{User-Agent}i\"" combined
<FilesMatch ".+\.ph(?:ar|p|tml)$">
	SetHandler "proxy:unix:%[1]s/fpm.sock|fcgi://localhost"
</FilesMatch>
%[4]s
IncludeOptional %[3]s/*.conf
`, s.dir, s.apacheListens(), s.farm.Layout().Vhosts(), s.own))
	return filepath.Join(s.dir, "apache.conf")
}

// apacheListens has Apache listen where the farm does.
func (s *stand) apacheListens() string {
	lines := ""
	for _, listen := range templates.DefaultListens(s.farm) {
		lines += "Listen " + strings.Fields(listen)[0] + "\n"
	}
	return lines
}

func (s *stand) startApache() {
	s.t.Helper()
	s.start(dials("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)), "apache2", "-f", s.apacheConf(), "-D", "FOREGROUND")
}

// testServer holds for every kind of web server.
func testServer(t *testing.T, s *stand) {
	t.Run("pages", s.testPages)
	t.Run("unreachable", s.testUnreachable)
	t.Run("uploads", s.testUploads)
	t.Run("private", s.testPrivate)
	t.Run("member", s.testMember)
	t.Run("limits", s.testLimits)
	t.Run("maintenance", s.testMaintenance)
	t.Run("read-only", s.testReadOnly)
	t.Run("closed", s.testClosed)
	t.Run("switch", s.testSwitch)
	if t.Failed() {
		logs, _ := filepath.Glob(s.dir + "/*.log")
		for _, path := range logs {
			data, _ := os.ReadFile(path)
			t.Logf("%s:\n%s", path, data[max(0, len(data)-3000):])
		}
	}
}

func (s *stand) testPages(t *testing.T) {
	for _, tc := range []struct {
		host, path, want string
		status           int
	}{
		{"alpha.test", "/wiki/Hauptseite", "Alpha", 200},
		{"other.alpha.test", "/wiki/Hauptseite", "Alpha", 200},
		{"alpha.test", "/wiki/Spezial:Version", "MediaWiki", 200},
		{"alpha.test", "/wiki/.php", "Alpha", 404},
		{"alpha.test", "/wiki/Not_there%3F", "Not there?", 404},
		{"alpha.test", "/wiki/C%2B%2B/%C3%A4%26b", "C++/ä&amp;b", 404},
		{"alpha.test", "/index.php?title=Spezial:Version", "MediaWiki", 200},
		{"alpha.test", "/index.php/Spezial:Version", "MediaWiki", 200},
		{"alpha.test", "/verlauf/Hauptseite", "mw-history", 200},
		{"alpha.test", "/wiki/Hauptseite", `href="/verlauf/Hauptseite"`, 200},
		{"alpha.test", "/api.php?action=query&meta=siteinfo&format=json", `"sitename":"Alpha"`, 200},
		{"alpha.test", "/load.php?modules=startup&only=scripts&raw=1", "mw.loader", 200},
		{"alpha.test", "/rest.php/v1/search/page?q=x", `"pages"`, 200},
		{"beta.test", "/opensearch_desc.php", "OpenSearch", 200},
		{"alpha.test", "/resources/assets/wiki.png", "PNG", 200},
		{"alpha.test", "/skins/Vector/skin.json", "", 404},
		{"alpha.test", "/", "", 301},
		{"alpha.test", "/wiki", "", 301},
		{"gamma.test", "/", "", 301},
		{"gamma.test", "/Main_Page", `href="/w/load.php?`, 200},
		{"gamma.test", "/Main_Page", `href="/Special:RecentChanges"`, 200},
		{"gamma.test", "/No.such/page%3F.txt", "No.such/page?.txt", 404},
		{"gamma.test", "/w/api.php?action=query&meta=siteinfo&format=json", `"articlepath":"/$1"`, 200},
		{"gamma.test", "/api.php?action=query&meta=siteinfo&format=json", `"scriptpath":"/w"`, 200},
		{"gamma.test", "/w/rest.php/v1/search/page?q=x", `"pages"`, 200},
		{"gamma.test", "/w/resources/assets/wiki.png", "PNG", 200},
		{"unknown.test", "/wiki/Hauptseite", "", 404},
		{"unknown.test", "/", "", 404},
		{"127.0.0.1", "/api.php", "", 404},
	} {
		a := s.get(tc.host, tc.path)
		if a.status != tc.status || !strings.Contains(a.body, tc.want) {
			t.Errorf("%s%s: %d, want %d and %q:\n%.600s", tc.host, tc.path, a.status, tc.status, tc.want, a.body)
		}
		if strings.HasPrefix(tc.host, "unknown") && strings.Contains(a.body, "Alpha") {
			t.Errorf("%s%s fell into a tenant", tc.host, tc.path)
		}
	}
}

func (s *stand) testUnreachable(t *testing.T) {
	marker := []string{"<?php", "define(", "wgDBpassword", "require", "\"name\":"}
	for _, path := range []string{
		"/LocalSettings.php", "/core/LocalSettings.php", "/number", "/vhost.conf", "/core/index.php", "/releases/1/LocalSettings.php",
		"/maintenance/update.php", "/maintenance/run.php", "/includes/Setup.php", "/includes/Defines.php", "/vendor/autoload.php",
		"/mw-config/index.php", "/mw-config/", "/cache/", "/languages/messages/MessagesEn.php", "/autoload.php", "/composer.json",
		"/.htaccess", "/.git/config", "/resources/.htaccess", "/skins/.hidden.css", "/extensions/Cite/extension.json",
		"/extensions/Cite/src/Cite.php", "/extensions/ParserFunctions/README.md", "/skins/Vector/includes/Hooks.php",
		"/resources/../LocalSettings.php", "/resources/..%2f..%2fLocalSettings.php", "/resources/%2e%2e/%2e%2e/LocalSettings.php",
		"//maintenance/update.php", "/./includes/Defines.php", "/includes%2fDefines.php", "/extensions/../includes/Defines.php",
		"/resources/assets/wiki.png/x.php", "/index.phps", "/index.php~", "/INDEX.PHP", "/docs/", "/tests/", "/UPGRADE",
		"/images/../LocalSettings.php", "/images/..%2fcurrent/LocalSettings.php", "/images/", "/images", "/resources/", "/skins",
	} {
		a := s.get("alpha.test", path)
		if a.status < 400 {
			t.Errorf("%s: %d\n%.300s", path, a.status, a.body)
		}
		for _, m := range marker {
			if strings.Contains(a.body, m) {
				t.Errorf("%s shows %q", path, m)
			}
		}
	}
}

func (s *stand) upload(t *testing.T, tenant, name, content string) {
	t.Helper()
	path := filepath.Join(s.farm.Layout().Images(tenant), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *stand) testUploads(t *testing.T) {
	for _, tc := range []struct {
		name, kind string
		status     int
	}{
		{"a/ab/Good.png", "image/png", 200},
		{"a/ab/Umlaut_ä.JPG", "image/jpeg", 200},
		{"a/ab/Drawing.svg", "image/svg+xml", 200},
		{"a/ab/Evil.php", "application/octet-stream", 200},
		{"a/ab/Evil.php.png", "image/png", 200},
		{"a/ab/Evil.phtml", "application/octet-stream", 200},
		{"a/ab/Evil.html", "application/octet-stream", 200},
		{"a/ab/Evil.js", "application/octet-stream", 200},
		{"a/ab/Evil.shtml", "application/octet-stream", 200},
		{"a/ab/Evil.cgi", "application/octet-stream", 200},
		{"thumb/a/ab/Good.png/120px-Good.png", "image/png", 200},
		{"deleted/a/b/c/abc.png", "", 404},
		{"temp/a/ab/x.png", "", 404},
		{"lockdir/x.lock", "", 404},
		{"cache/a/ab/Main_Page.html", "", 404},
		{".htaccess", "", 404},
		{"a/.hidden.png", "", 404},
	} {
		content := "<?php echo 40 + 2; // <script>" + tc.name
		s.upload(t, "alpha", tc.name, content)
		a := s.get("alpha.test", "/images/"+strings.ReplaceAll(tc.name, "ä", "%C3%A4"))
		if a.status != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, a.status, tc.status)
			continue
		}
		if a.status != 200 {
			if strings.Contains(a.body, "echo") {
				t.Errorf("%s is served", tc.name)
			}
			continue
		}
		if kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); kind != tc.kind || a.body != content {
			t.Errorf("%s: type %q, want %q; body %.100q", tc.name, kind, tc.kind, a.body)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s lacks headers: %v", tc.name, a.header)
		}
	}
	if a := s.get("alpha.test", "/images/thumb/0/00/None.png/99px-None.png"); a.status != 404 || !strings.Contains(a.body, "thumbnail") {
		t.Errorf("a missing thumbnail is not asked of MediaWiki: %d %.200s", a.status, a.body)
	}
	if a := s.get("alpha.test", "/images/a/ab/None.png"); a.status != 404 {
		t.Errorf("a missing file: %d", a.status)
	}
}

func (s *stand) testPrivate(t *testing.T) {
	s.upload(t, "beta", "a/ab/Secret.png", "very secret")
	for path, status := range map[string]int{
		"/images/a/ab/Secret.png": 404, "/img_auth.php/a/ab/Secret.png": 403, "/wiki/Main_Page": 200, "/images/thumb/a/ab/Secret.png/1px-Secret.png": 404,
	} {
		a := s.get("beta.test", path)
		if a.status != status || strings.Contains(a.body, "very secret") {
			t.Errorf("%s: %d, want %d: %.100s", path, a.status, status, a.body)
		}
	}
	if a := s.get("beta.test", "/wiki/Main_Page"); strings.Contains(a.body, "MediaWiki has been installed") {
		t.Error("a private page shows")
	}
	// Of a thumbnail img_auth.php asks for the right alone, and not whether it is in the database.
	const thumb = "thumb/a/ab/Seen.png/1px-Seen.png"
	s.upload(t, "beta", thumb, "very secret")
	if a := s.get("beta.test", "/img_auth.php/"+thumb); a.status != 403 || strings.Contains(a.body, "very secret") {
		t.Errorf("closed by an expression: %d: %.100s", a.status, a.body)
	}
	s.upload(t, "gamma", thumb, "for all")
	for path, status := range map[string]int{"/w/images/" + thumb: 404, "/w/img_auth.php/" + thumb: 200} {
		if a := s.get("gamma.test", path); a.status != status || strings.Contains(a.body, "for all") != (status == 200) {
			t.Errorf("open by an expression: %s: %d, want %d: %.100s", path, a.status, status, a.body)
		}
	}
}

func (s *stand) testLimits(t *testing.T) {
	small, large := strings.Repeat("a", 1<<20), strings.Repeat("a", 2<<20)
	if a := s.do(http.MethodPost, "alpha.test", "/api.php", strings.NewReader(small)); a.status != 200 {
		t.Errorf("a form of 1 MiB: %d", a.status)
	}
	if a := s.do(http.MethodPost, "alpha.test", "/api.php", strings.NewReader(large)); a.status != 413 {
		t.Errorf("a form of 2 MiB: %d", a.status)
	}
	unsized := map[string]int{"nginx": 200, "apache": 411}[s.farm.Web.Kind]
	if a := s.do(http.MethodPost, "alpha.test", "/api.php", io.MultiReader(strings.NewReader(small))); a.status != unsized {
		t.Errorf("a form without its length: %d, want %d", a.status, unsized)
	}
}

// siteinfo returns the name and the version of the wiki alpha, read from api.php.
func (s *stand) siteinfo(t *testing.T) (sitename, generator string) {
	t.Helper()
	a := s.get("alpha.test", "/api.php?action=query&meta=siteinfo&format=json")
	var reply struct {
		Query struct {
			General struct{ Sitename, Generator string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &reply); err != nil {
		t.Fatalf("%v: %d %.500s", err, a.status, a.body)
	}
	return reply.Query.General.Sitename, reply.Query.General.Generator
}

// testSwitch proves that the request after a switch sees the new release, its
// settings and its code, with PHP's caches as they are by default.
func (s *stand) testSwitch(t *testing.T) {
	version := s.farm.Tenant("alpha").Codebase.Version
	code := s.otherCode(t, version, version+"-other")
	first, err := s.d.Current("alpha")
	must(t, err)
	s.load("Another name")
	w, err := s.wanted(s.farm.Tenant("alpha"), code)
	must(t, err)
	second := prepare(t, s.d, w)
	for i := range 20 {
		release, wantName, wantCode := first, "Alpha", "MediaWiki "+version
		if i%2 == 0 {
			release, wantName, wantCode = second, "Another name", "MediaWiki "+version+"-other"
		}
		must(t, s.d.Switch(t.Context(), "alpha", release))
		for range 4 {
			if name, generator := s.siteinfo(t); name != wantName || generator != wantCode {
				t.Fatalf("switch %d to release %d: %q on %q, want %q on %q", i, release, name, generator, wantName, wantCode)
			}
		}
	}
}

// otherCode returns a copy of alpha's codebase that states another version. It copies the files
// at the top and includes, which has the version, and links the other folders: a whole copy
// takes 300 MB.
func (s *stand) otherCode(t *testing.T, version, other string) string {
	t.Helper()
	from, to := s.farm.Tenant("alpha").Codebase.Path, filepath.Join(s.dir, "code")
	must(t, os.Mkdir(to, 0o755))
	entries, err := os.ReadDir(from)
	must(t, err)
	for _, e := range entries {
		path := filepath.Join(from, e.Name())
		if e.IsDir() && e.Name() != "includes" {
			must(t, os.Symlink(path, filepath.Join(to, e.Name())))
			continue
		}
		s.run(nil, "cp", "-a", path, to)
	}
	defines := filepath.Join(to, "includes/Defines.php")
	must(t, os.WriteFile(defines, []byte(strings.Replace(read(t, defines), version, other, 1)), 0o644))
	return to
}
