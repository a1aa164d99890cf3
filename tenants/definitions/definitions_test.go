package definitions

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

const farmToml = `state = "state"
tenants = ["tenants/**/*.toml"]
classes = ["classes/*.toml"]
[codebases."1.39"]
path = "CODEBASES/1.39"
[codebases."1.43"]
path = "CODEBASES/1.43"
[servers.main]
managed = true
[defaults]
codebase = "1.43"
server = "main"
skins = ["Vector"]
[defaults.settings]
wgEnableUploads = false
wgGroupPermissions."*".edit = false
`

// writeFarm writes files below a new folder; CODEBASES stands for the trees.
func writeFarm(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		content = strings.ReplaceAll(content, "CODEBASES", needs.Codebases(tb))
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

const classToml = `extensions = ["ParserFunctions", "Cite"]
[settings]
wgMaxUploadSize = 1000
wgGroupPermissions."*".read = false
`

func TestLoadInherits(t *testing.T) {
	f, err := Load(writeFarm(t, map[string]string{
		"wikictl.toml":        farmToml,
		"classes/kernel.toml": classToml,
		"tenants/a-b.toml": `name = "a-b"
hosts = ["Wiki.EXAMPLE.org.", "bücher.example"]
classes = ["kernel"]
sitename = "A"
language = "de"
codebase = "1.39"
extensions = ["Cite", "Poem"]
unset = ["wgMaxUploadSize"]
[settings]
wgEnableUploads = true
wgExtraNamespaces.3000 = "Foo"
`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	a := f.Tenant("a-b")
	if got := strings.Join(a.Extensions, " "); got != "ParserFunctions Cite Poem" {
		t.Errorf("extensions are %q", got)
	}
	if got := strings.Join(a.Hosts, " "); got != "wiki.example.org xn--bcher-kva.example" {
		t.Errorf("hosts are %q", got)
	}
	if a.Database != "wiki_a_b" || a.Codebase.Version[:4] != "1.39" || !a.Private() {
		t.Errorf("database %q, codebase %q, private %v", a.Database, a.Codebase.Version, a.Private())
	}
	show := Show(a, true)
	for _, want := range []string{
		`wgEnableUploads = true # tenants/a-b.toml:10:1`,
		`wgGroupPermissions."*".edit = false # wikictl.toml:`,
		`wgGroupPermissions."*".read = false # classes/kernel.toml:4:`,
		`"Cite", # classes/kernel.toml:1:34`,
		`database = "wiki_a_b" # default`,
	} {
		if !strings.Contains(show, want) {
			t.Errorf("show --origin lacks %q:\n%s", want, show)
		}
	}
	if strings.Contains(show, "wgMaxUploadSize") {
		t.Error("unset did not take wgMaxUploadSize away")
	}
}

// good is a farm without mistakes; each case replaces or adds files.
func good() map[string]string {
	return map[string]string{
		"wikictl.toml":      strings.Replace(farmToml, `classes = ["classes/*.toml"]`, "", 1),
		"tenants/good.toml": "name = \"good\"\nhosts = [\"good.example\"]\nsitename = \"Good\"\n",
	}
}

func tenant(rest string) map[string]string {
	return map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"x.example\"]\nsitename = \"X\"\n" + rest}
}

func TestLoadReports(t *testing.T) {
	farm := func(old, new string) map[string]string {
		return map[string]string{"wikictl.toml": strings.Replace(good()["wikictl.toml"], old, new, 1)}
	}
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"unknown key", tenant("langage = \"en\"\n"), `tenants/x.toml:4:1: langage: is not a key .* \(did you mean "language"\?\)`},
		{"wrong type", tenant("language = 5\n"), `tenants/x.toml:4:1: language: is an integer, want a string`},
		{"bad list element", tenant("extensions = [\n  7]\n"), `tenants/x.toml:5:3: extensions: holds an integer`},
		{"bad host", map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"https://x.example/\"]\nsitename = \"X\"\n"}, `tenants/x.toml:2:10: hosts: "https://x.example/" is not a host name`},
		{"blank host", map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"\"]\nsitename = \"X\"\n"}, `tenants/x.toml:2:10: hosts: is blank`},
		{"duplicate host by case", map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"GOOD.example\"]\nsitename = \"X\"\n"}, `tenants/x.toml:2:10: hosts: "good.example" also belongs to tenant "good" at tenants/good.toml:2:10`},
		{"duplicate host by IDNA", map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"bücher.example\", \"xn--bcher-kva.example\"]\nsitename = \"X\"\n"}, `x.toml:2:\d+: hosts: "xn--bcher-kva.example" is named more than once`},
		{"alias that is a host", map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"x.example\"]\naliases = [\"X.example.\"]\nsitename = \"X\"\n"}, `hosts: "x.example" is named more than once \(name it once`},
		{"duplicate tenant", map[string]string{"tenants/x.toml": "name = \"good\"\nhosts = [\"y.example\"]\nsitename = \"X\"\n"}, `the tenant "good" is also in`},
		{"database collides after mapping", map[string]string{
			"tenants/a.toml": "name = \"p-q\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n",
			"tenants/b.toml": "name = \"p_q\"\nhosts = [\"b.example\"]\nsitename = \"B\"\n",
		}, `"wiki_p_q" of tenant "p_q" is the same database as "wiki_p_q" of tenant "p-q"`},
		{"database of one server by two names", map[string]string{
			"wikictl.toml":   strings.Replace(farmToml, "managed = true", "dsn = \"root@unix(/s)/\"\n[servers.again]\ndsn = \"other@unix(/s)/?timeout=1s\"", 1),
			"tenants/x.toml": "name = \"x\"\nsitename = \"X\"\nhosts = [\"x.example\"]\ndatabase = \"d\"\n",
			"tenants/y.toml": "name = \"y\"\nsitename = \"Y\"\nhosts = [\"y.example\"]\ndatabase = \"d\"\nserver = \"again\"\n",
		}, `"d" of tenant "y" is the same database as "d" of tenant "x" at tenants/x.toml:4:1`},
		{"accounts collide", tenant("database = \"wiki_good_schema\"\n"), `tenants/x.toml:4:1: database: "wiki_good_schema" of tenant "x" would share the account "wiki_good_schema" with "wiki_good" of tenant "good" at tenants/good.toml`},
		{"accounts collide by a hyphen", map[string]string{
			"tenants/x.toml": "name = \"good-schema\"\nsitename = \"X\"\nhosts = [\"x.example\"]\n",
		}, `"wiki_good_schema" of tenant "good-schema" would share the account "wiki_good_schema" with "wiki_good"`},
		{"accounts collide after case folding", tenant("database = \"WIKI_GOOD_Schema\"\n"), `would share the account "WIKI_GOOD_Schema"`},
		{"accounts collide where names are cut", map[string]string{
			"wikictl.toml":   farmToml,
			"tenants/x.toml": "name = \"x\"\nsitename = \"X\"\nhosts = [\"x.example\"]\ndatabase = \"" + strings.Repeat("a", 40) + "\"\n",
			"tenants/y.toml": "name = \"y\"\nsitename = \"Y\"\nhosts = [\"y.example\"]\ndatabase = \"" + tenants.AccountName(strings.Repeat("a", 40), "_schema") + "\"\n",
		}, `would share the account "aaaaaaaaaaaaaa_`},
		{"account of the administrator", map[string]string{
			"wikictl.toml":   strings.Replace(farmToml, "managed = true", "dsn = \"root@unix(/s)/\"", 1),
			"tenants/x.toml": "name = \"x\"\nsitename = \"X\"\nhosts = [\"x.example\"]\ndatabase = \"Root\"\n",
		}, `its account "Root" would be the one that wikictl uses`},
		{"database of a golden", tenant("database = \"wikictl_golden_0123456789abcdef\"\n"), "belongs to the server or to wikictl"},
		{"database of a ledger", tenant("database = \"WikiCtl_0123456789abcdef\"\n"), "belongs to the server or to wikictl"},
		{"database of the server", tenant("database = \"Performance_Schema\"\n"), "belongs to the server or to wikictl"},
		{"database collides after case folding", tenant("database = \"Wiki_GOOD\"\n"), `same database as`},
		{"hyphen in database", tenant("database = \"a-b\"\n"), `tenants/x.toml:4:1: database: "a-b" .*hyphen`},
		{"long database", tenant("database = \"" + strings.Repeat("a", 65) + "\"\n"), `database: .* 1 to 64`},
		{"reserved database", tenant("database = \"MySQL\"\n"), `database: "MySQL" belongs to the server`},
		{"bad tenant name", map[string]string{"tenants/x.toml": "name = \"X/..\"\nhosts = [\"x.example\"]\nsitename = \"X\"\n"}, `tenants/x.toml:1:1: name: "X/.."`},
		{"missing class", tenant("classes = [\"kernle\"]\n"), `there is no class "kernle"`},
		{"missing codebase", tenant("codebase = \"1.34\"\n"), `codebase: there is no codebase "1.34" \(did you mean "1.39"`},
		{"missing server", tenant("server = \"mian\"\n"), `did you mean "main"`},
		{"own setting", tenant("[settings]\nwgDBname = \"y\"\n"), `x.toml:5:1: settings.wgDBname: is not for definitions to set \(database decides it\)`},
		{"setting with a dollar", tenant("[settings]\n\"$wgFoo\" = 1\n"), `x.toml:5:1: settings.\$wgFoo: is not a name`},
		{"php not allowed", tenant("[settings]\nwgFoo = { php = \"NS_MAIN\" }\n"), `x.toml:5:11: settings.wgFoo: PHP expressions are not allowed`},
		{"not a number", tenant("[settings]\nwgFoo = nan\n"), `settings.wgFoo: NaN can't be written in PHP`},
		{"integer out of range", tenant("[settings]\nwgFoo = 9223372036854775808\n"), `x.toml:5:9: `},
		{"unset of nothing", tenant("unset = [\"wgEnableUplods\"]\n"), `there is no "wgEnableUplods" .*did you mean "wgEnableUploads"`},
		{"control character", tenant("admin = \"A\\u0000\"\n"), `x.toml:4:1: admin: holds the control character U\+0000`},
		{"no TOML", map[string]string{"tenants/x.toml": "name = \n"}, `tenants/x.toml:1:`},
		{"duplicate key", tenant("sitename = \"Y\"\n"), `tenants/x.toml:4:1: `},
		{"not UTF-8", map[string]string{"tenants/x.toml": "name = \"\xff\"\n"}, `tenants/x.toml:1:9: is not UTF-8`},
		{"empty file", map[string]string{"tenants/x.toml": " \n"}, `tenants/x.toml: is empty`},
		{"huge file", map[string]string{"tenants/x.toml": "#" + strings.Repeat("x", 10<<20)}, `tenants/x.toml: larger than 8 MiB`},
		{"nested too deep", tenant("[settings]\nwgFoo = " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n"), `nested more than 128 deep`},
		{"pattern in a folder that is not there", farm(`"tenants/**/*.toml"`, `"tenants/**/*.toml", "more/*.toml"`), `wikictl.toml:2:\d+: the pattern "more/\*.toml" matches no file`},
		{"file that is not there", farm(`"tenants/**/*.toml"`, `"tenants/**/*.toml", "tenants/more.toml"`), `wikictl.toml:2:\d+: the pattern "tenants/more.toml" matches no file`},
		{"half a backup", farm("[servers.main]", "[backup]\ndump = [\"dump\", \"{database}\", \"{file}\"]\n[servers.main]"), `backup.restore: is missing`},
		{"backup of no age", farm("[servers.main]", "[backup]\nmax_age_days = -1\n[servers.main]"), `wikictl.toml:\d+:\d+: backup.max_age_days: is less than 0 \(0 when`},
		{"store of another kind", farm("[servers.main]", "[backup]\nstore = \"borg:/srv/x\"\n[servers.main]"), `wikictl.toml:\d+:1: backup.store: "borg:/srv/x" is not a store that wikictl knows \(such as "restic:/srv`},
		{"store without a repository", farm("[servers.main]", "[backup]\nstore = \"restic:\"\n[servers.main]"), `backup.store: "restic:" is not a store`},
		{"store in a folder of nowhere", farm("[servers.main]", "[backup]\nstore = \"restic:local:backups\"\n[servers.main]"), `backup.store: "backups" is not an absolute path`},
		{"kind of repository", farm("[servers.main]", "[backup]\nstore = \"restic:ftp:host/x\"\n[servers.main]"), `backup.store: "ftp" is not a kind of restic repository \(restic has azure, b2`},
		{"password of a repository", farm("[servers.main]", "[backup]\nstore = \"restic:rest:https://me:x@host/\"\n[servers.main]"), `backup.store: holds a password \(restic reads`},
		{"password of no repository", farm("[servers.main]", "[backup]\npassword_file = \"/x\"\n[servers.main]"), `wikictl.toml:\d+:1: backup.password_file: is the password of a restic repository, and store names none`},
		{"an age that is none", farm("[servers.main]", "[keep]\nlogs = \"3 weeks\"\n[servers.main]"), `wikictl.toml:\d+:\d+: keep.logs: is not a number of days \(such as "90d"`},
		{"an age of the past", farm("[servers.main]", "[keep]\nruns = -1\n[servers.main]"), `keep.runs: is not a number of days`},
		{"no dump at all", farm("[servers.main]", "[keep]\ndumps = 0\n[servers.main]"), `keep.dumps: is less than 1`},
		{"what is not kept", farm("[servers.main]", "[keep]\nlog = 1\n[servers.main]"), `keep.log: is not a key .* \(did you mean "logs"\?\)`},
		{"backup of nothing", farm("[servers.main]", "[backup]\ndump = [\"dump\", \"{file}\"]\nrestore = [\"load\", \"{database}\", \"{file}\"]\n[servers.main]"), `backup.dump: does not have {database} in it`},
		{"open bracket in dsn", farm("managed = true", `dsn = "root@unix(/s/"`), `wikictl.toml:\d+:1: servers.main.dsn: has a bracket that is not closed \(such as`},
		{"password in dsn", farm("managed = true", `dsn = "root:x@unix(/s)/"`), `dsn: holds a password`},
		{"web kind", farm("[servers.main]", "[web]\nkind = \"ngnix\"\n[servers.main]"), `web.kind: "ngnix" is none of nginx, apache \(did you mean "nginx"`},
		{"blank url", farm("[servers.main]", "[web]\nurl = \"\"\n[servers.main]"), `web.url: is blank`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			files := good()
			for name, content := range tc.files {
				files[name] = content
			}
			_, err := Load(writeFarm(t, files))
			if err == nil {
				t.Fatal("no problem was found")
			}
			if !regexp.MustCompile(tc.want).MatchString(err.Error()) {
				t.Errorf("got\n%s\nwant %s", err, tc.want)
			}
		})
	}
}

func TestLoadGood(t *testing.T) {
	files := good()
	files["wikictl.toml"] += "[web]\npools = true\ncheck = [\"nginx\", \"-t\"]\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if w := f.Web; !w.Pools || len(w.Check) != 2 || w.Kind != "nginx" || w.URL != "https://{host}" {
		t.Errorf("web is %+v", w)
	}
}

func TestLoadClassCycle(t *testing.T) {
	files := good()
	files["wikictl.toml"] = farmToml
	files["classes/a.toml"], files["classes/b.toml"] = "classes = [\"b\"]\n", "classes = [\"a\"]\n"
	_, err := Load(writeFarm(t, files))
	if err == nil || !strings.Contains(err.Error(), `classes/a.toml:1:12: classes: the class "a" leads back to itself by "b"`) {
		t.Errorf("got %v", err)
	}
}

func TestLoadSymlinkLoop(t *testing.T) {
	dir := writeFarm(t, good())
	if err := os.Symlink("loop.toml", filepath.Join(dir, "tenants/loop.toml")); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir)
	if err == nil || !strings.Contains(err.Error(), "too many levels of symbolic links") {
		t.Errorf("got %v", err)
	}
}

// Every mistake of every file is reported in one run, sorted by place.
func TestLoadReportsAllAtOnce(t *testing.T) {
	files := good()
	files["tenants/a.toml"] = "nome = 1\nsitename = 2024-01-01\n[settings]\nwgB = [07:32:00, 1979-05-27T07:32:00Z]\n"
	files["tenants/b.toml"] = "name = \"b\"\nhosts = [\"b.example\"]\nskins = [\"Vectro\"]\n"
	_, err := Load(writeFarm(t, files))
	lines := strings.Split(err.Error(), "\n")
	if !strings.HasPrefix(lines[0], "tenants/a.toml") || !strings.HasPrefix(lines[len(lines)-1], "tenants/b.toml:3") {
		t.Errorf("got\n%s", err)
	}
	for _, part := range []string{"tenants/a.toml:1:1: nome: is not a key", "a.toml:2:1: is a date or a time", "a.toml:4:8: is a date", "a.toml:4:18: is a date"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in\n%s", part, err)
		}
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(farmToml))
	f.Add([]byte("[[a]]\nb = [{c = 1}, [2]]\n[[a]]\n[a.d]\ne=2020-01-01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, problems := parseDocument("f.toml", data)
		if root == nil && problems == nil {
			t.Fatalf("root %v, problems %v", root, problems)
		}
		for _, p := range problems {
			if p.Position.File != "f.toml" {
				t.Fatalf("a problem without a place: %v", p)
			}
		}
	})
}

// A value that repeats what it overrides is remembered with both places.
func TestLoadRepeats(t *testing.T) {
	files := good()
	files["tenants/x.toml"] = "name = \"x\"\nhosts = [\"x.example\"]\nsitename = \"X\"\n[settings]\nwgEnableUploads = true\nwgGroupPermissions.\"*\".edit = false\nwgGroupPermissions.\"*\".read = false\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	got := f.Tenant("x").Repeats
	if len(got) != 1 || got[0].Key != "wgGroupPermissions.*.edit" || got[0].Position.Line != 6 || got[0].Overridden.File != tenants.FarmFile {
		t.Errorf("repeats are %v", got)
	}
	files["tenants/x.toml"] = "name = \"x\"\nhosts = [\"x.example\"]\nsitename = \"X\"\nstate = \"private\"\n"
	if f, err = Load(writeFarm(t, files)); err != nil || len(f.Tenant("x").Repeats) > 0 {
		t.Errorf("a private wiki repeats %v (%v)", f.Tenant("x").Repeats, err)
	}
}
