package templates

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"text/template"
)

// TestCompiledEqualsTextTemplate runs every built-in template both ways.
func TestCompiledEqualsTextTemplate(t *testing.T) {
	f := load(t, farmToml, "name = \"bare\"\nhosts = [\"bare.example.org\"]\nsitename = \"B\"\ncodebase = \"1.39\"\nserver = \"far\"\n[settings]\nwgGroupPermissions.\"*\".read = false\n")
	for _, web := range []string{"", "tls", "pools"} {
		f.Web.Pools = web == "pools"
		if web == "tls" {
			f.Web.Certificate, f.Web.CertificateKey, f.Web.Listen = "/etc/ssl/{host}.pem", "/etc/ssl/{host}.key", []string{"80", "443 ssl"}
		}
		s := set(t, "")
		for _, name := range names() {
			if s.compiled[name] == nil {
				t.Errorf("%s is not compiled", name)
				continue
			}
			for _, tenant := range f.Tenants {
				v, err := s.view(data(f, tenant.Name))
				if err != nil {
					t.Fatal(err)
				}
				var slow, fast bytes.Buffer
				if err := v.templates[name].Execute(&slow, v); err != nil {
					t.Fatal(err)
				}
				if err := s.compiled[name].run(&frame{out: &fast, view: v}); err != nil {
					t.Fatal(err)
				}
				if slow.String() != fast.String() {
					t.Errorf("%s of %s:\n%s\nby text/template:\n%s", name, tenant.Name, fast.String(), slow.String())
				}
			}
		}
	}
}

// TestNotCompiled has what only text/template understands.
func TestNotCompiled(t *testing.T) {
	for _, text := range []string{
		`{{ php (print "a" .Server) }}`, `{{ $x := .Server }}{{ php $x }}`, `{{ with .Tenant }}{{ php .Name }}{{ end }}`, `{{ .Server | php }}`,
		`{{ range .Tenant.Hosts }}{{ else }}{{ end }}`, `{{ if and .TLS .Secure }}{{ end }}`, `{{ range .Tenant.Hosts }}{{ break }}{{ end }}`,
		`{{ range .Tenant.Hosts }}{{ range $.Tenant.Skins }}{{ php . }}{{ end }}{{ php $.Tenant.Admin }}{{ end }}`, `{{ php . }}`, `{{ if $x := .TLS }}{{ end }}`,
		`{{ range $i, $h := .Tenant.Hosts }}{{ range $.Tenant.Skins }}{{ php $h }}{{ end }}{{ end }}`, `{{ define "x" }}{{ end }}`, `{{ php .Tenant.Origins }}`,
		`{{ range .Sections }}{{ range .Settings }}{{ php .Name }}{{ end }}{{ end }}`, `{{ range .Tenant.Hosts }}{{ php .Name }}{{ end }}`,
	} {
		tmpl, problems := parseTemplate(LocalSettings, "x", "<?php "+text)
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		} else if compile(tmpl, escapers[".php"]) != nil {
			t.Errorf("%s was compiled", text)
		}
	}
}

// FuzzCompile renders whatever both understand in both ways.
func FuzzCompile(f *testing.F) {
	for _, name := range names() {
		text, err := builtin.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("<?php {{ range $i, $h = .Tenant.Hosts }}{{ end }}")
	f.Add(`<?php {{ range $i, $h := .Tenant.Hosts }}{{ if $i }}{{ php $h }}{{ else }}{{ php $.Server }}{{ end }}{{ end }}`)
	f.Add(`<?php {{range $0,$:=.Tenant.Hosts}}{{if $.Server}}{{end}}{{end}}`)
	f.Add(`<?php {{range $x,$x:=.Tenant.Hosts}}{{php $x}}{{end}}`)
	farm := load(f, farmToml)
	s := set(f, "")
	v, err := s.view(data(farm, "btrfs"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, problems := parseTemplate(LocalSettings, "x", text)
		if len(problems) > 0 {
			return
		}
		steps := compile(tmpl, escapers[".php"])
		if steps == nil {
			return
		}
		var slow, fast bytes.Buffer
		slowly, quickly := template.Must(tmpl.Clone()).Execute(&slow, v), steps.run(&frame{out: &fast, view: v})
		if (slowly == nil) != (quickly == nil) || slowly == nil && slow.String() != fast.String() {
			t.Errorf("%q: %v %q; by text/template %v %q", text, quickly, fast.String(), slowly, slow.String())
		}
	})
}

func TestOwnTemplateThatIsNotCompiled(t *testing.T) {
	f := load(t, farmToml)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, LocalSettings), []byte(`<?php {{ with .Tenant }}{{ php .Name }}{{ end }}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := set(t, dir).Render(data(f, "btrfs")); err != nil || string(r.LocalSettings) != "<?php 'btrfs'" {
		t.Errorf("%s %v", r.LocalSettings, err)
	}
}
