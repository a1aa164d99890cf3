package templates

import (
	"strings"
	"testing"
)

// An escaper is refused where its text would mean something else, whatever way through
// the template leads there.
func TestEscapersFitTheirPlace(t *testing.T) {
	cases := []struct {
		file, text string
		fits       bool
	}{
		{LocalSettings, "<?php\n$x = {{ comment .Tenant.Sitename }};", false},
		{LocalSettings, "<?php\n$x = '{{ comment .Tenant.Sitename }}';", false},
		{LocalSettings, "<?php\n$x = '{{ php .Tenant.Sitename }}';", false},
		{LocalSettings, "<?php\n$x = \"a{{ php .Tenant.Sitename }}\";", false},
		{LocalSettings, "<?php\n# {{ php .Tenant.Sitename }}\n", false},
		{LocalSettings, "<?php\n/* {{ php .Tenant.Sitename }} */", false},
		{LocalSettings, "{{ php .Tenant.Sitename }}<?php\n", false},
		{LocalSettings, "<?php ?>{{ php .Tenant.Sitename }}", false},
		{LocalSettings, "<?php\n# a ?>{{ comment .Tenant.Sitename }}", false},
		{LocalSettings, "<?php\n$x = <<<X\n{{ php .Tenant.Sitename }}\nX;", false},
		{LocalSettings, "<?php\n$x = `{{ php .Tenant.Sitename }}`;", false},
		{LocalSettings, "<?php\n# a{{ if .TLS }}\n{{ end }}{{ comment .Tenant.Sitename }}", false},
		{LocalSettings, "<?php\n# {{ range .Tenant.Hosts }}{{ comment . }}\n{{ end }}", false},
		{LocalSettings, "<?php\n# {{ define \"x\" }}{{ comment .Tenant.Sitename }}{{ end }}\n$x = {{ template \"x\" . }};", false},
		{LocalSettings, "<?php\n$x = {{ php .Tenant.Sitename }};\n# {{ comment .Tenant.Sitename }}\n// {{ comment .Tenant.Name }}\n/* {{ comment .Tenant.Name }} */\n{{ range .Sections }}{{ assign .Settings }}\n{{ end }}", true},
		{LocalSettings, "<?php\n$x = 'it\\'s # no comment' . {{ php .Tenant.Sitename }};", true},
		{LocalSettings, "<?php\n{{ range .Tenant.Hosts }}# {{ comment . }}\n{{ end }}", true},
		{NginxVhost, "server_name {{ comment .Tenant.Sitename }};", false},
		{NginxVhost, "server_name \"{{ nginx .Tenant.Sitename }}\";", false},
		{NginxVhost, "server_name x{{ nginx .Tenant.Sitename }};", false},
		{NginxVhost, "{{ nginx .Tenant.Sitename }};", false},
		{NginxVhost, "listen 80; {{ nginx .Tenant.Sitename }};", false},
		{NginxVhost, "# {{ nginx .Tenant.Sitename }}\n", false},
		{NginxVhost, "# {{ comment .Tenant.Sitename }}\nserver { server_name{{ range .Tenant.Hosts }} {{ nginx . }}{{ end }}; }", true},
		{ApacheVhost, "ServerName {{ comment .Tenant.Sitename }}", false},
		{ApacheVhost, "ServerName \"{{ apache .Tenant.Sitename }}\"", false},
		{ApacheVhost, "{{ apachePlain .Tenant.Sitename }}", false},
		{ApacheVhost, "ServerName x\n{{ apache .Tenant.Sitename }}", false},
		{ApacheVhost, "Define x # {{ comment .Tenant.Sitename }}", false},
		{ApacheVhost, "# {{ comment .Tenant.Sitename }}\n<VirtualHost{{ range .Listens }} {{ apacheAddress . }}{{ end }}>\nAlias \"/x\" {{ apache .Images }}\nDefine x \"{{ apachePlain .Images }}/y\"\n", true},
		{FPMPool, "user = \"{{ fpm .Tenant.Name }}\"", false},
		{FPMPool, "{{ fpm .Tenant.Name }} = x", false},
		{FPMPool, "user = {{ comment .Tenant.Sitename }}", false},
		{FPMPool, "; {{ comment .Tenant.Sitename }}\n[{{ fpm .Tenant.Name }}]\nphp_admin_value[x] = {{ fpm .MaxBody }}\n", true},
	}
	for _, tc := range cases {
		_, problems := parseTemplate(kindOf(tc.file), "t", tc.text)
		if fits := len(problems) == 0; fits != tc.fits {
			t.Errorf("%s: %q: %v", tc.file, tc.text, problems)
		}
		if !tc.fits && len(problems) > 0 && (problems[0].Position.Line == 0 || !strings.Contains(problems.Error(), "does not fit here")) {
			t.Errorf("%q: it says %v", tc.text, problems)
		}
	}
	for _, name := range names() {
		text, _ := Builtin(name)
		if _, problems := parseTemplate(kindOf(name), name, string(text)); len(problems) > 0 {
			t.Error(problems)
		}
	}
}

// No template makes the scanner panic or run for ever.
func FuzzPlaces(f *testing.F) {
	f.Add("<?php {{ range .Tenant.Hosts }}# {{ comment . }}{{ break }}'{{ end }}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range names() {
			parseTemplate(kindOf(name), "t", text)
		}
	})
}
