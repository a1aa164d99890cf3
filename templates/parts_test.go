package templates

import (
	"os"
	"path/filepath"
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
