package templates

import (
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

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
	program := needs.PHP(t)
	f := load(t, farmToml)
	s := set(t, "")
	for _, text := range needs.Hostile() {
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
			code + "\n$h = base64_decode( '" + base64.StdEncoding.EncodeToString([]byte(text)) + "' );\nreturn $wgSitename === $h && $wgHostile === [ 'a' . $h => [ $h ] ];"
		cmd := exec.Command(program, "-n")
		cmd.Stdin = strings.NewReader("<?php\nvar_export( ( static function () {\n" + code + "\n} )() );")
		if got, err := cmd.CombinedOutput(); err != nil || string(got) != "true" {
			t.Errorf("%.80q: %v %.300s", text, err, got)
		}
	}
}
