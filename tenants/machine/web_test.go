package machine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
)

func TestParseNginx(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"directives", "user www-data;\nhttp { include \"/a b/*.conf\"; }", "user(www-data)@1 http()@2 http>include(/a b/*.conf)@2"},
		{"comments", "# listen 80;\nevents { } # more }\n", "events()@2"},
		{"quotes", `log_format main '$remote_addr "x" {';` + "\na \"q\\\"\";", `log_format(main|$remote_addr "x" {)@1 a(q")@2`},
		{"variables", "set $x ${host}y;\nroot /srv/$1;", "set($x|${host}y)@1 root(/srv/$1)@2"},
		{"several lines", "server {\n listen\n  80\n  default_server;\n}", "server()@1 server>listen(80|default_server)@2"},
		{"regular expressions", `location ~ ^/(?<a>[^/]+)$ { return 404; }`, `location(~|^/(?<a>[^/]+)$)@1 location>return(404)@1`},
		{"cut off", "http { include x;", "error"},
		{"no directive", ";", "error"},
		{"too many ends", "events { } }", "error"},
		{"empty", "", ""},
	} {
		if got := shown(parseNginx("f", tc.text, nil)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// shown writes directives as "block>name(args)@line".
func shown(all []Directive, err error) string {
	if err != nil {
		return "error"
	}
	var texts []string
	for _, d := range all {
		texts = append(texts, strings.Join(append(slices.Clone(d.Block), d.Name), ">")+"("+strings.Join(d.Args, "|")+")@"+strings.TrimPrefix(d.Place(), "f:"))
	}
	return strings.Join(texts, " ")
}

func TestParseApache(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"directives", "Listen 80\nInclude \"/a b/*.conf\"\n", "Listen(80)@1 Include(/a b/*.conf)@2"},
		{"blocks", "<VirtualHost *:80>\n\tServerName x\n</VirtualHost>\nListen 81", "VirtualHost(*:80)@1 virtualhost>ServerName(x)@2 Listen(81)@4"},
		{"conditions", "<IfModule ssl_module>\n Listen 443\n</IfModule>\nListen 80", "IfModule(ssl_module)@1 Listen(443)@2 Listen(80)@4"},
		{"continued lines", "LoadModule \\\n rewrite_module x.so\nListen 80", "LoadModule(rewrite_module|x.so)@1 Listen(80)@3"},
		{"comments", "# Listen 80\n  # <If>\n", ""},
		{"an open quote", "ServerName \"x", "ServerName(\"x)@1"},
	} {
		if got := shown(parseApache("f", tc.text, nil)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestAddress(t *testing.T) {
	for listen, want := range map[string]string{
		"80": "*:80", "*:80": "*:80", "0.0.0.0:80": "*:80", "127.0.0.1": "127.0.0.1:80", "127.0.0.1:8080": "127.0.0.1:8080",
		"[::]:80": "[::]:80", "[::1]": "[::1]:80", "localhost": "localhost:80", "unix:/run/a.sock": "unix:/run/a.sock",
	} {
		if got := address(listen); got != want {
			t.Errorf("%s is %s, want %s", listen, got, want)
		}
	}
}

// files writes files below a folder, and links where a text begins with "->".
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "DIR", dir)
		var err error
		if to, link := strings.CutPrefix(text, "->"); link {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func farmAt(dir, kind string, listen ...string) *tenants.Farm {
	f := &tenants.Farm{Dir: dir, State: filepath.Join(dir, "state"), Tenants: []*tenants.Tenant{{Name: "alpha"}, {Name: "beta"}}}
	f.Web = tenants.Web{Kind: kind, Listen: listen, Check: []string{"nginx", "-t", "-c", filepath.Join(dir, "nginx.conf")}}
	if kind == "apache" {
		f.Web.Check = []string{"apache2", "-t", "-f", filepath.Join(dir, "apache2.conf")}
	}
	return f
}

// The main file of nginx and its default site, as in Debian.
const (
	debian = "events { }\nhttp { include conf.d/*.conf; include sites-enabled/*; }"
	site   = "server {\n listen 80 default_server;\n listen [::]:80 default_server;\n}"
)

// configured are configurations of nginx, and what is said of them.
var configured = []struct {
	name   string
	files  map[string]string
	listen string
	want   []string // check, level and what repairs it
}{
	{"Debian's", map[string]string{"nginx.conf": debian, "conf.d/x.conf": "", "sites-available/default": site, "sites-enabled/default": "->../sites-available/default"}, "80",
		[]string{"nginx-include error echo 'include DIR/state/vhosts/*.conf;' >> DIR/conf.d/wikictl.conf", "nginx-default error rm DIR/sites-enabled/default"}},
	{"included, without the site", map[string]string{"nginx.conf": debian, "conf.d/w.conf": "include DIR/state/vhosts/*.conf;"}, "80",
		[]string{"nginx-include ok", "nginx-default ok"}},
	{"included by way of a link", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/wikis/*; }", "state/vhosts/alpha.conf": "", "wikis": "->DIR/state/vhosts"}, "80",
		[]string{"nginx-include ok", "nginx-default ok"}},
	{"a site at another address", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/state/vhosts/*.conf; server { listen 127.0.0.1:80 default_server; } server { listen 8080 default; } }"}, "80",
		[]string{"nginx-include ok", "nginx-default ok"}},
	{"a site of one's own", map[string]string{"nginx.conf": debian, "conf.d/w.conf": "include DIR/state/vhosts/*.conf;", "sites-available/shop": site, "sites-enabled/shop": "->../sites-available/shop"}, "80",
		[]string{"nginx-include ok", "nginx-default error remove the word default_server there"}},
	{"Debian's, written over", map[string]string{"nginx.conf": debian, "conf.d/w.conf": "include DIR/state/vhosts/*.conf;", "sites-enabled/default": site}, "80",
		[]string{"nginx-include ok", "nginx-default error remove the word default_server there"}},
	{"a site in the main file", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/state/vhosts/*.conf; server { listen *:8080 default; } }"}, "8080",
		[]string{"nginx-include ok", "nginx-default error remove the word default_server there"}},
	{"included where no virtual host may stand", map[string]string{"nginx.conf": "events { }\nhttp { server { include DIR/state/vhosts/*.conf; } }"}, "80",
		[]string{"nginx-include error add the line include DIR/state/vhosts/*.conf; inside http { } of DIR/nginx.conf", "nginx-default ok"}},
	{"only one tenant", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/state/vhosts/alpha.conf; }"}, "80",
		[]string{"nginx-include error add the line include DIR/state/vhosts/*.conf; inside http { } of DIR/nginx.conf", "nginx-default ok"}},
	{"another farm's", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/state/vhosts/*.conf; include DIR/other/*.conf; }", "other/+default.conf": "server { listen 80 default_server; }"}, "80",
		[]string{"nginx-include ok", "nginx-default error DIR/other/+default.conf belongs to another farm: two farms on one nginx need different addresses (listen in [web])"}},
	{"that can't be read", map[string]string{"nginx.conf": "http {"}, "80",
		[]string{"nginx-config note make sure that it includes DIR/state/vhosts/*.conf"}},
	{"that includes itself", map[string]string{"nginx.conf": "events { }\ninclude nginx.conf;"}, "80",
		[]string{"nginx-config note make sure that it includes DIR/state/vhosts/*.conf"}},
	{"its own default virtual host", map[string]string{"nginx.conf": "events { }\nhttp { include DIR/state/vhosts/*.conf; }", "state/vhosts/+default.conf": "server { listen 80 default_server; }"}, "80",
		[]string{"nginx-include ok", "nginx-default ok"}},
}

// What nginx would do with the farm's virtual hosts, by its configuration.
func TestCheckNginx(t *testing.T) {
	for _, tc := range configured {
		dir := files(t, tc.files)
		f := farmAt(dir, "nginx", tc.listen)
		compareFindings(t, tc.name, dir, CheckWeb(f, ReadWeb(t.Context(), f)), tc.want)
	}
}

func compareFindings(t *testing.T, name, dir string, found []Finding, want []string) {
	t.Helper()
	var got []string
	for _, f := range found {
		text := f.Check + " " + f.Level.String() + " " + strings.Join(f.Repair, " && ") + f.Hint
		got = append(got, strings.TrimSpace(strings.ReplaceAll(text, dir, "DIR")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s\n%+v", name, diff, found)
	}
}

func TestCheckApache(t *testing.T) {
	const modules = "LoadModule alias_module x\nLoadModule headers_module x\nLoadModule mime_module x\nLoadModule proxy_module x\nLoadModule proxy_fcgi_module x\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"as it should be", map[string]string{"apache2.conf": modules + "LoadModule rewrite_module x\nListen 0.0.0.0:80\nIncludeOptional DIR/state/vhosts/*.conf"},
			[]string{"apache-include ok", "apache-modules ok", "apache-listen ok"}},
		{"as Debian's", map[string]string{"apache2.conf": modules + "Include ports.conf\nIncludeOptional sites-enabled/*.conf", "ports.conf": "<IfModule ssl_module>\n\tListen 443\n</IfModule>"},
			[]string{"apache-include error echo 'IncludeOptional DIR/state/vhosts/*.conf' >> DIR/sites-enabled/wikictl.conf", "apache-modules error load them with LoadModule in DIR/apache2.conf", "apache-listen error add the line Listen 80 to DIR/apache2.conf"}},
		{"a folder", map[string]string{"apache2.conf": modules + "LoadModule rewrite_module x\nListen 80\nInclude DIR/state/vhosts", "state/vhosts/alpha.conf": ""},
			[]string{"apache-include ok", "apache-modules ok", "apache-listen ok"}},
	} {
		dir := files(t, tc.files)
		f := farmAt(dir, "apache", "80")
		compareFindings(t, tc.name, dir, CheckWeb(f, ReadWeb(t.Context(), f)), tc.want)
	}
}

// A check that is not the web server's own says nothing about its configuration.
func TestCheckUnknownWebServer(t *testing.T) {
	for _, tc := range []struct {
		check []string
		want  string
	}{
		{nil, "nginx-config warning such as check = [\"nginx\", \"-t\"]"},
		{[]string{"true"}, "nginx-config note make sure that it includes DIR/state/vhosts/*.conf"},
		{[]string{"docker", "exec", "web", "nginx", "-t"}, "nginx-config note make sure that it includes DIR/state/vhosts/*.conf"},
		{[]string{"nginx", "-t", "-p", "DIR"}, "nginx-config note make sure that it includes DIR/state/vhosts/*.conf"},
		{[]string{"nginx", "-t", "-c", "conf/nginx.conf"}, "nginx-config note make sure that it includes DIR/state/vhosts/*.conf"},
		{[]string{"apache2", "-t"}, "nginx-config note make sure that it includes DIR/state/vhosts/*.conf"},
	} {
		dir := t.TempDir()
		f := farmAt(dir, "nginx", "80")
		f.Web.Check = tc.check
		compareFindings(t, strings.Join(tc.check, " "), dir, CheckWeb(f, ReadWeb(t.Context(), f)), []string{tc.want})
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"/etc/nginx/conf.d/a.conf": "/etc/nginx/conf.d/a.conf", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "x;": "'x;'", "*": "'*'", "a*b": "'a*b'"} {
		if got := quote(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}
