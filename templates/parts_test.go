package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// own writes the farm's own template of a name and loads all.
func own(t *testing.T, name, text string) (*Set, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "templates")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(dir)
}

// A file that only defines parts replaces them, and the rest stays built in; a file with text
// of its own is the whole template.
func TestParts(t *testing.T) {
	f := load(t, farmToml)
	plain, err := set(t, "").Render(data(f, "btrfs"))
	if err != nil {
		t.Fatal(err)
	}
	render := func(text string) string {
		t.Helper()
		s, err := own(t, LocalSettings, text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Render(data(f, "btrfs"))
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Vhost) != string(plain.Vhost) {
			t.Error("the virtual host changed")
		}
		return string(r.LocalSettings)
	}
	const mark = "$wgOurs = true;\n"
	if got := render("{{/* ours */}}\n{{ define \"end\" }}\n" + mark + "{{ end }}\n"); got != string(plain.LocalSettings[:len(plain.LocalSettings)-1])+"\n"+mark+"\n" {
		t.Errorf("at the end: %s", got)
	}
	keys := render("{{ define \"keys\" -}}\n" + mark + "{{ end }}")
	if !strings.Contains(keys, "binary';\n\n"+mark+"\n## Caches") || strings.Contains(keys, "wgSecretKey") {
		t.Errorf("in place of a part: %s", keys)
	}
	if got := render("<?php\n" + mark); got != "<?php\n"+mark {
		t.Errorf("as a whole: %s", got)
	}
	if got := render("<?php\n{{ define \"a\" }}" + mark + "{{ end }}{{ template \"a\" }}"); got != "<?php\n"+mark {
		t.Errorf("as a whole with parts of its own: %s", got)
	}
	s, _ := own(t, LocalSettings, "{{ define \"end\" }}\n"+mark+"{{ end }}")
	if text, err := s.Alike(data(f, "btrfs")); text != "" || err != nil {
		t.Error("wikis with code of the farm's own count as alike")
	}
	for _, name := range names() {
		if parts := BuiltinParts(name); name == LocalSettings && len(parts) != 16 {
			t.Errorf("%s has the parts %v", name, parts)
		}
	}
	if diff, err := s.Diff(filepath.Dir(""), ApacheVhost); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// The text of a built-in template that is shown, with its parts, makes the same virtual host as a
// template of the farm's own. A part of it is replaced by its name.
func TestPartsOfVhosts(t *testing.T) {
	for _, tc := range []struct{ kind, name, ours string }{
		{"nginx", NginxVhost, "\n\tlocation = /ours { return 404; }"},
		{"apache", ApacheVhost, "\n\tRewriteRule \"^/ours\" \"-\" [R=404,L]"},
	} {
		f := load(t, strings.Replace(farmToml, "[web]\n", "[web]\nkind = \""+tc.kind+"\"\nacme = \"/var/www/acme\"\n", 1))
		render := func(text string) string {
			t.Helper()
			s, err := own(t, tc.name, text)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Render(data(f, "btrfs"))
			if err != nil {
				t.Fatal(err)
			}
			return string(r.Vhost)
		}
		plain, err := set(t, "").Render(data(f, "btrfs"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := Builtin(tc.name)
		if got := render(string(text)); got != string(plain.Vhost) {
			t.Errorf("%s: as a whole:\n%s", tc.name, got)
		}
		got := render("{{ define \"uploads\" }}" + tc.ours + "{{ end }}")
		if !strings.Contains(got, tc.ours) || strings.Contains(got, "thumb_handler.php\" [END") || strings.Contains(got, "location @thumb") || !strings.Contains(got, "/acme-challenge/") {
			t.Errorf("%s: without a part:\n%s", tc.name, got)
		}
	}
}

// Each file of templates belongs to one that renders, and the manual names the parts of virtual hosts.
func TestPartFiles(t *testing.T) {
	used := names()
	for _, name := range names() {
		used = append(used, partFiles[name]...)
	}
	err := fs.WalkDir(builtin, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !slices.Contains(used, path) {
			t.Errorf("%s is used by no template", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../cmd/wikictl/manual/rendering.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range slices.Concat(BuiltinParts(NginxVhost), BuiltinParts(ApacheVhost)) {
		if !strings.Contains(string(manual), "`"+part+"`") {
			t.Errorf("the manual does not name the part %s", part)
		}
	}
	if _, shown := Builtin("nginx/uploads.tmpl"); shown {
		t.Error("a file of parts is shown as a template")
	}
}
