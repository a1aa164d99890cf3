package templates

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/secrets"
)

func TestEscapers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		escape func(any) (string, error)
		value  any
		want   string // empty: refused
	}{
		{"nginx", nginxValue, "a.example.org", "a.example.org"},
		{"nginx", nginxValue, "/srv/my wiki", `"/srv/my wiki"`},
		{"nginx", nginxValue, `a"b\c`, `"a\"b\\c"`},
		{"nginx", nginxValue, "", `""`},
		{"nginx", nginxValue, "a; include /etc/passwd", `"a; include /etc/passwd"`},
		{"nginx", nginxValue, "a$host", ""},
		{"nginx", nginxValue, "a\nb", ""},
		{"nginx", nginxValue, "a\x00b", ""},
		{"nginx", nginxValue, "a\xff", ""},
		{"nginx", nginxValue, int64(5), "5"},
		{"nginx", nginxValue, secrets.Secret("x"), ""},
		{"nginx", nginxValue, true, ""},
		{"nginxWords", nginxWords, "[::]:443  ssl", `"[::]:443" ssl`},
		{"nginxWords", nginxWords, " ", ""},
		{"nginxWords", nginxWords, "80; x", `"80;" x`},
		{"apache", apacheValue, `/srv/my "wiki"\`, `"/srv/my \"wiki\"\\"`},
		{"apache", apacheValue, "${HOME}", ""},
		{"apache", apacheValue, "%{HTTP_HOST}", ""},
		{"apache", apacheValue, "a\nb", ""},
		{"apachePlain", apachePlain, "/srv/wiki", "/srv/wiki"},
		{"apachePlain", apachePlain, "it's", ""},
		{"apacheAddress", apacheAddress, "80", "*:80"},
		{"apacheAddress", apacheAddress, "443 ssl http2", "*:443"},
		{"apacheAddress", apacheAddress, "[::1]:80", "[::1]:80"},
		{"apacheAddress", apacheAddress, "80>\nInclude x", ""},
		{"fpm", fpmValue, "/run/a b", `"/run/a b"`},
		{"fpm", fpmValue, `a"b`, ""},
		{"fpm", fpmValue, "${x}", ""},
		{"fpm", fpmValue, "a\nb", ""},
		{"comment", comment, "a\nb ?> */ \\", `a b ? > * / \ .`},
		{"comment", comment, secrets.Secret("x"), ""},
	} {
		got, err := tc.escape(tc.value)
		if tc.want == "" && err == nil || tc.want != "" && (err != nil || got != tc.want) {
			t.Errorf("%s %q: %s %v, want %s", tc.name, tc.value, got, err, tc.want)
		}
	}
}

// FuzzNginx has nginx's grammar read a value back: a quoted word ends where it
// began, and nothing in it expands.
func FuzzNginx(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := nginxValue(s)
		if err != nil {
			return
		}
		if back := unquoteWord(t, got); back != s || strings.Contains(got, "$") {
			t.Errorf("%q is written %s and read %q", s, got, back)
		}
		if got, err = apacheValue(s); err == nil && unquoteWord(t, got) != s {
			t.Errorf("%q is written %s for Apache", s, got)
		}
	})
}

// unquoteWord reads one parameter as nginx and Apache do.
func unquoteWord(t *testing.T, word string) string {
	if !strings.HasPrefix(word, `"`) {
		if strings.ContainsAny(word, " \t;{}#'\"\\$\n") {
			t.Errorf("%s is not one word", word)
		}
		return word
	}
	var b strings.Builder
	for i := 1; i < len(word); i++ {
		switch {
		case word[i] == '\\' && (word[i+1] == '\\' || word[i+1] == '"'):
			i++
			b.WriteByte(word[i])
		case word[i] == '"' && i != len(word)-1:
			t.Errorf("%s ends early", word)
		case word[i] == '"':
			return b.String()
		default:
			b.WriteByte(word[i])
		}
	}
	t.Errorf("%s does not end", word)
	return ""
}

// TestNginxReadsHostileValues has the real nginx read what is not refused.
func TestNginxReadsHostileValues(t *testing.T) {
	nginx := needs.Program(t, "nginx")
	dir := t.TempDir()
	var conf strings.Builder
	conf.WriteString("pid " + dir + "/pid;\nerror_log " + dir + "/log;\nevents {}\nhttp {\n")
	conf.WriteString("map_hash_bucket_size 128;\n")
	conf.WriteString("map $host $y {\n")
	for i, s := range append(hostile(), "; }", "a { b", "'", `"`, `\`, "ü; #", `\"; include x;`) {
		if word, err := nginxValue(s); err == nil && len(s) < 1000 {
			conf.WriteString("\tk" + strings.Repeat("i", i) + " " + word + ";\n")
		}
	}
	conf.WriteString("}\n}\n")
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(nginx, "-t", "-c", path, "-e", dir+"/log").CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, conf.String())
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, file, text, want string
	}{
		{"no escaper", LocalSettings, "<?php\n$x = {{ .Tenant.Name }};", "templates/localsettings.php.tmpl:2:9: {{.Tenant.Name}} prints without an escaper"},
		{"escaper is not last", LocalSettings, `{{ php .Tenant.Name | printf "%s" }}`, ":1:4: "},
		{"of another file", LocalSettings, "{{ nginx .Tenant.Name }}", "not defined"},
		{"within if", NginxVhost, "{{ if .TLS }}\n\n{{ .Tenant.Name }}{{ end }}", ":3:4: "},
		{"within else", NginxVhost, "{{ if .TLS }}{{ else }}{{ .Tenant.Name }}{{ end }}", "prints without"},
		{"within range", NginxVhost, "{{ range .Tenant.Hosts }}{{ . }}{{ end }}", "prints without"},
		{"within with", NginxVhost, "{{ with .Tenant }}{{ .Name }}{{ end }}", "prints without"},
		{"within define", NginxVhost, `{{ define "x" }}{{ . }}{{ end }}{{ template "x" .Tenant.Name }}`, "prints without"},
		{"within block", NginxVhost, `{{ block "x" . }}{{ .Tenant.Name }}{{ end }}`, "prints without"},
		{"a variable", NginxVhost, `{{ $x := .Tenant.Name }}{{ $x }}`, "{{$x}} prints without"},
		{"a constant", NginxVhost, `{{ "x" }}`, "prints without"},
		{"in brackets", NginxVhost, `{{ (nginx .Tenant.Name) }}`, "prints without"},
		{"syntax", NginxVhost, "\n{{ if }}", "templates/vhost-nginx.conf.tmpl:2:"},
		{"unknown name", "vhost.conf.tmpl", "", "templates/vhost.conf.tmpl: replaces no template"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "templates")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir)
			var problems tenants.Problems
			if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want %q", err, tc.want)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("<?php {{ php .Tenant.Name }}{{ range .Sections }}{{ assign .Settings }}{{ end }}")
	f.Add("{{ .Tenant.Name }}")
	f.Fuzz(func(t *testing.T, text string) { parseTemplate("php", "x", text) })
}

func TestOwnTemplateAsksTheFleet(t *testing.T) {
	f := load(t, farmToml, "name = \"second\"\nhosts = [\"second.example.org\"]\nsitename = \"Second\"\n")
	dir := t.TempDir()
	text := `<?php {{ range tenants "class=kernel" }}{{ php .Name }},{{ end }}{{ range tenants "class=none" }}{{ php .Name }}{{ end }}`
	if err := os.WriteFile(filepath.Join(dir, LocalSettings), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := set(t, dir).Render(data(f, "second"))
	if err != nil || string(r.LocalSettings) != "<?php 'btrfs'," {
		t.Errorf("%s %v", r.LocalSettings, err)
	}
	if err := os.WriteFile(filepath.Join(dir, LocalSettings), []byte(`<?php {{ range tenants "klass=x" }}{{ php .Name }}{{ end }}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := set(t, dir).Render(data(f, "second")); err == nil || !strings.Contains(err.Error(), "klass") {
		t.Errorf("error is %v", err)
	}
}

// TestRefusedWithPlace has values that fit nowhere; each names where it was set.
func TestRefusedWithPlace(t *testing.T) {
	huge := strings.Replace(btrfsToml, `egSomething = 1.5`, `egBroken.deep = ["fine", { php = "1; system('id')" }]`, 1)
	f := load(t, farmToml)
	if err := os.WriteFile(filepath.Join(f.Dir, "tenants/btrfs.toml"), []byte(huge), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := definitions.Load(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = set(t, "").Render(data(f, "btrfs"))
	var problems tenants.Problems
	if !errors.As(err, &problems) || problems[0].Position.File != "tenants/btrfs.toml" || problems[0].Position.Line != 17 || problems[0].Position.Column == 0 {
		t.Errorf("error is %v", err)
	}
	f.Tenant("btrfs").Settings = nil
	f.State = "/srv/$farm"
	if _, err = set(t, "").Render(data(f, "btrfs")); err == nil || !strings.Contains(err.Error(), "wikictl.toml: state: ") {
		t.Errorf("error is %v", err)
	}
	f.State = "/srv/farm"
	f.Tenant("btrfs").Hosts[1] = "evil$host"
	f.Tenant("btrfs").Origins["hosts.evil$host"] = tenants.Position{File: "tenants/btrfs.toml", Line: 2, Column: 35}
	if _, err = set(t, "").Render(data(f, "btrfs")); err == nil || !strings.Contains(err.Error(), "tenants/btrfs.toml:2:35: hosts: ") {
		t.Errorf("error is %v", err)
	}
}

// TestHostileSettingsRoundTrip renders hostile text everywhere a definition can
// hold it and has PHP read it back.
func TestHostileSettingsRoundTrip(t *testing.T) {
	p := startPHP(t)
	f := load(t, farmToml)
	s := set(t, "")
	for _, text := range hostile() {
		d := data(f, "btrfs")
		tenant := *d.Tenant
		tenant.Sitename = text
		tenant.Settings = map[string]tenants.Value{"wgHostile": {Data: map[string]tenants.Value{"a" + text: {Data: []tenants.Value{{Data: text}}}}}}
		tenant.Files = []string{text}
		d.Tenant = &tenant
		r, err := s.Render(d)
		if err != nil {
			t.Fatalf("%.80q: %v", text, err)
		}
		code := strings.TrimPrefix(string(r.LocalSettings), "<?php")
		code = "defined( 'MEDIAWIKI' ) || define( 'MEDIAWIKI', 1 ); defined( 'CACHE_ACCEL' ) || ( define( 'CACHE_ACCEL', 3 ) && define( 'CACHE_DB', 1 ) );\n" +
			"if ( !function_exists( 'wfLoadSkin' ) ) { eval( 'function wfLoadSkin( $x ) {} function wfLoadExtension( $x ) {}' ); }\nunset( $wgHostile );\n" +
			code + "\n$h = base64_decode( '" + base64Of(text) + "' );\nreturn $wgSitename === $h && $wgHostile === [ 'a' . $h => [ $h ] ];"
		if got := p.eval(t, code); got != `["boolean","true"]` {
			t.Errorf("%.80q: %.300s", text, got)
		}
	}
}
