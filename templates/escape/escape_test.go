package escape

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/secrets"
)

func TestEscapers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		escape func(any) (string, error)
		value  any
		want   string // empty: refused
	}{
		{"nginx", Nginx, "a.example.org", "a.example.org"},
		{"nginx", Nginx, "/srv/my wiki", `"/srv/my wiki"`},
		{"nginx", Nginx, `a"b\c`, `"a\"b\\c"`},
		{"nginx", Nginx, "", `""`},
		{"nginx", Nginx, "a; include /etc/passwd", `"a; include /etc/passwd"`},
		{"nginx", Nginx, "a$host", ""},
		{"nginx", Nginx, "a\nb", ""},
		{"nginx", Nginx, "a\x00b", ""},
		{"nginx", Nginx, "a\xff", ""},
		{"nginx", Nginx, int64(5), "5"},
		{"nginx", Nginx, secrets.Secret("x"), ""},
		{"nginx", Nginx, true, ""},
		{"nginxWords", NginxWords, "[::]:443  ssl", `"[::]:443" ssl`},
		{"nginxWords", NginxWords, " ", ""},
		{"nginxWords", NginxWords, "80; x", `"80;" x`},
		{"apache", Apache, `/srv/my "wiki"\`, `"/srv/my \"wiki\"\\"`},
		{"apache", Apache, "${HOME}", ""},
		{"apache", Apache, "%{HTTP_HOST}", ""},
		{"apache", Apache, "a\nb", ""},
		{"apachePlain", ApachePlain, "/srv/wiki", "/srv/wiki"},
		{"apachePlain", ApachePlain, "it's", ""},
		{"apacheAddress", ApacheAddress, "80", "*:80"},
		{"apacheAddress", ApacheAddress, "443 ssl http2", "*:443"},
		{"apacheAddress", ApacheAddress, "[::1]:80", "[::1]:80"},
		{"apacheAddress", ApacheAddress, "80>\nInclude x", ""},
		{"fpm", FPM, "/run/a b", `"/run/a b"`},
		{"fpm", FPM, `a"b`, ""},
		{"fpm", FPM, "${x}", ""},
		{"fpm", FPM, "a\nb", ""},
		{"comment", Comment, "a\nb ?> */ \\", `a b ? > * / \ .`},
		{"comment", Comment, secrets.Secret("x"), ""},
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
	for _, s := range needs.Hostile() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Nginx(s)
		if err != nil {
			return
		}
		if back := unquoteWord(t, got); back != s || strings.Contains(got, "$") {
			t.Errorf("%q is written %s and read %q", s, got, back)
		}
		if got, err = Apache(s); err == nil && unquoteWord(t, got) != s {
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
	for i, s := range append(needs.Hostile(), "; }", "a { b", "'", `"`, `\`, "ü; #", `\"; include x;`) {
		if word, err := Nginx(s); err == nil && len(s) < 1000 {
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
