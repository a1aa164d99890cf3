package definitions

import (
	"regexp"
	"strings"
	"testing"
)

// A server's replicas have their shares of the reads, and its password unless they have one.
func TestReplicas(t *testing.T) {
	tenant := map[string]string{"classes/c.toml": classToml, "tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n"}
	farm := func(lines string) map[string]string {
		files := map[string]string{"wikictl.toml": strings.Replace(farmToml, "managed = true", lines, 1)}
		for name, text := range tenant {
			files[name] = text
		}
		return files
	}
	f, err := Load(writeFarm(t, farm(`dsn = "root@tcp(db1)/"
password_file = "/etc/one"
replicas = [
  { dsn = "root@tcp(db2:3306)/" },
  { dsn = "boss@tcp([::1]:3307)/?tls=true", password_file = "two", load = 1, max_lag = 30 },
]`)))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Servers["main"]
	if len(s.Replicas) != 2 || s.Load != 51 || s.Primary != nil {
		t.Fatalf("%+v", s)
	}
	one, two := s.Replicas[0], s.Replicas[1]
	if one.Load != 100 || one.MaxLag != 6 || one.PasswordFile != "/etc/one" || one.Primary != s || one.Label() != "replica db2:3306 of server main" {
		t.Errorf("%+v", one)
	}
	if two.Load != 1 || two.MaxLag != 30 || !strings.HasSuffix(two.PasswordFile, "/two") || !two.Encrypted() {
		t.Errorf("%+v", two)
	}

	for name, c := range map[string]struct{ lines, want string }{
		"of a managed server":  {"managed = true\nreplicas = [{ dsn = \"root@unix(/r)/\" }]", `servers.main.replicas: a managed server writes no log`},
		"load alone":           {"dsn = \"root@unix(/s)/\"\nload = 5", `:\d+:1: servers.main.load: is for a server with replicas only`},
		"without a dsn":        {"dsn = \"root@unix(/s)/\"\nreplicas = [{ load = 5 }]", `servers.main.replicas.dsn: is missing`},
		"with a password":      {"dsn = \"root@unix(/s)/\"\nreplicas = [{ dsn = \"root:x@unix(/r)/\" }]", `replicas.dsn: holds a password`},
		"a broken dsn":         {"dsn = \"root@unix(/s)/\"\nreplicas = [{ dsn = \"root@unix(r)/\" }]", `replicas.dsn: "r" is not an absolute path`},
		"the server itself":    {"dsn = \"root@tcp(db)/\"\nreplicas = [{ dsn = \"boss@tcp(db:3306)/\" }]", `"db:3306" is the address of the server main`},
		"twice":                {"dsn = \"root@tcp(db)/\"\nreplicas = [{ dsn = \"root@tcp(c)/\" }, { dsn = \"root@tcp(c:3306)/\" }]", `"c:3306" is the address of the replica c of server main`},
		"accounts can't reach": {"dsn = \"root@unix(/s)/\"\nreplicas = [{ dsn = \"root@tcp(db2)/\" }]", `for localhost only \(account_host = "%"`},
		"no load":              {"dsn = \"root@unix(/s)/\"\nreplicas = [{ dsn = \"root@unix(/r)/\", load = 0 }]", `replicas.load: 0 is too few`},
		"no table":             {"dsn = \"root@unix(/s)/\"\nreplicas = [\"db2\"]", `replicas: holds a string, want tables`},
	} {
		_, err := Load(writeFarm(t, farm(c.lines)))
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
