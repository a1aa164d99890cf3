package templates

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/tenants"
)

// A file of the farm as a whole has each value in the form of its kind, or is refused.
func TestFilesOfTheFarm(t *testing.T) {
	f := load(t, farmToml)
	cases := []struct{ kind, text, makes, says string }{
		{"html", `<a href="{{ (index tenants 0).Address }}" title="{{ .Farm.State }}">{{ "<b>" }}</a>`, `<a href="https://btrfs.wiki.example.org" title="/srv/farm">&lt;b&gt;</a>`, ""},
		{"html", `<a href="{{ "javascript:alert(1)" }}">x</a>`, "", "a value is not allowed in its place"},
		{"html", `<p {{ "onclick" }}="x">`, "", "a value is not allowed in its place"},
		{"html", `<script>x = {{ "</script>" }}</script>`, `<script>x = "\u003c/script\u003e"</script>`, ""},
		{"html", "<p>\n{{ .Nothing }}", "", "templates/x.tmpl:2:4: "},
		{"html", "<p>\n{{ end }}", "", "templates/x.tmpl:2:1: "},
		{"html", `<a href="{{ if .Farm }}x{{ else }}"{{ end }}>`, "", "templates/x.tmpl:1:"},
		{"json", `{"hosts": {{ json (index tenants "name=btrfs" 0).Hosts }}, "n": {{ json 1 }}, "x": {{ json "a\"<\u0001" }}}`, "", "templates/x.tmpl:1:"},
		{"json", `{"hosts": {{ json (index (tenants "name=btrfs") 0).Hosts }}, "x": {{ json "a\"<\u0001" }}}`, `{"hosts": ["btrfs.wiki.example.org", "btrfs.example.net"], "x": "a\"\u003c\u0001"}`, ""},
		{"json", `["{{ json "x" }}"]`, "", "does not fit here"},
		{"json", `[{{ .Farm.State }}]`, "", "prints without an escaper"},
		{"json", `[1,]`, "", "its result is not JSON: line 1"},
		{"json", `[{{ json .Farm }}]`, "", "want text, a number"},
		{"json", `[{{ json "a\xff" }}]`, "", "is not UTF-8"},
		{"hosts", "127.0.0.1 {{ word (index tenants 0).Name }} # {{ comment \"a\\nb\" }}\n", "127.0.0.1 btrfs # a b\n", ""},
		{"hosts", "127.0.0.1 {{ word \"a b\" }}\n", "", "is not an address or host name"},
		{"hosts", "127.0.0.1 {{ comment \"x\" }}\n", "", "does not fit here"},
		{"hosts", "# {{ word \"x\" }}\n", "", "does not fit here"},
		{"conf", "key = {{ word .Farm.State }}\n", "key = /srv/farm\n", ""},
		{"conf", "key = {{ word \"a;b\" }}\n", "", "holds other characters"},
		{"nginx", "{{ range tenants }}{{ range .Hosts }}x {{ nginx . }};{{ end }}{{ end }}", "x btrfs.wiki.example.org;x btrfs.example.net;", ""},
		{"nginx", "x {{ nginx \"$host\" }};", "", "nginx would expand"},
		{"php", "<?php return [{{ range tenants }} {{ php .Name }},{{ end }} ];", "<?php return [ 'btrfs', ];", ""},
	}
	for _, tc := range cases {
		dir := filepath.Join(t.TempDir(), "templates")
		os.Mkdir(dir, 0o755)
		os.WriteFile(filepath.Join(dir, "x.tmpl"), []byte(tc.text), 0o644)
		file := tenants.File{Name: "x", Template: "x.tmpl", Kind: tc.kind, Path: "/srv/x"}
		s, err := Load(dir, file)
		var data []byte
		if err == nil {
			data, err = s.RenderFile(f, file)
		}
		if tc.says == "" && (err != nil || string(data) != tc.makes) {
			t.Errorf("%s %s: %q, %v", tc.kind, tc.text, data, err)
		}
		if tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "templates/x.tmpl")) {
			t.Errorf("%s %s: %q, %v, want %q", tc.kind, tc.text, data, err, tc.says)
		}
	}
}

// Each file has a template that makes nothing else.
func TestTemplatesOfFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "templates")
	file := func(template, kind string) tenants.File {
		return tenants.File{Name: "x", Template: template, Kind: kind, Path: "/srv/x", Position: tenants.Position{File: "wikictl.toml", Line: 3, Column: 1}}
	}
	os.Mkdir(dir, 0o755)
	os.WriteFile(filepath.Join(dir, "x.tmpl"), []byte("x\n"), 0o644)
	for says, files := range map[string][]tenants.File{
		"wikictl.toml:3:1: files.x.template: templates/y.tmpl does not exist": {file("x.tmpl", "conf"), file("y.tmpl", "conf")},
		"also makes a file of kind conf":                                      {file("x.tmpl", "conf"), file("x.tmpl", "hosts")},
		"is the template of a file of each wiki":                              {file("x.tmpl", "conf"), file(LocalSettings, "php")},
		"templates/x.tmpl: replaces no template, and no file":                 nil,
	} {
		if _, err := Load(dir, files...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
