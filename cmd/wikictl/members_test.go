package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// sisters ends an own LocalSettings.php template: members of a class know each other, and w2
// lists those that exist of another.
const sisters = `
{{- range .Tenant.Classes }}{{ if eq . "sister" }}
$wgLocalInterwikis = [ {{ php $.Tenant.Name }} ];
$wgCrossSiteAJAXdomains = [{{ range tenants "class=sister" }} {{ php (index .Hosts 0) }},{{ end }} ];
$wgHooks['InterwikiLoadPrefix'][] = static function ( $prefix, &$row ) {
	$pages = [{{ range tenants "class=sister" (printf "not name=%s" $.Tenant.Name) }} {{ php .Name }} => {{ php .Pages }},{{ end }} ];
	if ( !isset( $pages[$prefix] ) ) {
		return true;
	}
	$row = [ 'iw_prefix' => $prefix, 'iw_url' => $pages[$prefix], 'iw_api' => '', 'iw_wikiid' => '', 'iw_local' => 1, 'iw_trans' => 0 ];
	return false;
};
{{- end }}{{ end }}
{{- if eq .Tenant.Name "w2" }}
# exist: {{ range tenants "class=late" }}{{ if .Created }} {{ comment .Name }}{{ end }}{{ end }}
{{- end }}
`

// sister defines a wiki with classes.
func (f *farm) sister(name, code, class string) {
	f.write("tenants/"+name+".toml", fmt.Sprintf("name = %q\nhosts = [\"%[1]s.localhost\"]\nsitename = \"Wiki %[1]s\"\nskins = [\"Vector\"]\ncodebase = %[2]q\nclasses = [%[3]q]\n", name, code, class))
}

// identities are the inodes, times and links of a wiki's files that are served.
func (f *farm) identities(name string) string {
	var all []string
	for _, path := range []string{f.state("wikis/" + name + "/current/LocalSettings.php"), f.state("vhosts/" + name + ".conf")} {
		info, err := os.Stat(path)
		must(f.t, err)
		all = append(all, fmt.Sprint(info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano()))
	}
	return strings.Join(all, " ")
}

// rewritten runs wikictl and returns the wikis whose files are others than before.
func (f *farm) rewritten(args ...string) []string {
	f.t.Helper()
	before := map[string]string{}
	links, err := filepath.Glob(f.state("wikis/*/current"))
	must(f.t, err)
	for _, link := range links {
		name := filepath.Base(filepath.Dir(link))
		before[name] = f.identities(name)
	}
	f.run(args...)
	var changed []string
	for name, was := range before {
		if f.identities(name) != was {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

// A template asks about the other members of the farm, and exactly the files that list a
// class change when a wiki joins it. New wikis have the farm's own SQL.
func TestMembersKnowEachOther(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(0)
	f.write("templates/localsettings.php.tmpl", `{{ define "end" }}`+sisters+`{{ end }}`)
	for _, class := range []string{"sister", "other", "late"} {
		f.write("classes/"+class+".toml", "language = \"en\"\n")
	}
	f.sister("w0", "1.39", "sister")
	f.sister("w1", "1.43", "sister")
	f.sister("w2", "1.43", "other")
	f.write("migrations/010-interwiki.sql", "INSERT INTO interwiki (iw_prefix, iw_url, iw_api, iw_wikiid, iw_local, iw_trans) VALUES ('farm', 'https://farm.example/$1', '', '', 1, 0);\n")
	f.write("migrations/020-note.sql", "-- where: class=other\nCREATE TABLE farm_note (id INT PRIMARY KEY);\n")
	f.wants(f.exits(1, "plan", "w2"), "the farm's SQL (010-interwiki.sql, 020-note.sql)")
	if out, code := f.struck(event{"w2", "farm sql", "after", "kill"}, "create", "w2"); code != -1 {
		t.Fatalf("exit %d: %s", code, out)
	}
	f.run("create", "--all")
	f.wants(f.run("plan"), "no changes")
	if got := f.sql("SELECT CONCAT(tenant, ':', name) FROM wikictl.farm_sql ORDER BY 1"); strings.Join(got, " ") != "w0:010-interwiki.sql w1:010-interwiki.sql w2:010-interwiki.sql w2:020-note.sql" {
		t.Error(got)
	}
	if got := f.sql("SELECT COUNT(*) FROM wiki_w2.interwiki WHERE iw_prefix = 'farm'"); got[0] != "1" {
		t.Error("w2 has the prefix", got, "times")
	}

	f.sister("w3", "1.43", "sister")
	plan := f.exits(1, "plan")
	f.wants(plan, "plan: 1 to make, 2 to change")
	if got := f.rewritten("apply", "--all"); !slices.Equal(got, []string{"w0", "w1"}) {
		t.Errorf("the files of %v were written", got)
	}
	f.wants(f.run("plan"), "no changes")
	for _, name := range []string{"w0", "w1", "w3"} {
		answer := fmt.Sprint(f.client(name).call(url.Values{"action": {"parse"}, "text": {"[[w0:A]] [[w1:B]] [[w3:C]] [[farm:D]]"}, "contentmodel": {"wikitext"}, "prop": {"iwlinks"}}))
		for _, other := range []string{"w0", "w1", "w3", "farm"} {
			if strings.Contains(answer, "prefix:"+other) != (other != name) {
				t.Errorf("%s links to %s: %s", name, other, answer)
			}
		}
	}
	f.onlyThoseThatExist()
	f.filesOfTheFarm()
	f.templateCommands()
}

// onlyThoseThatExist wants what asks for created wikis to be written when one was.
func (f *farm) onlyThoseThatExist() {
	f.sister("w4", "1.43", "late")
	f.write("migrations/030-wrong.sql", "-- where: class=late\nCREATE TABLE late_note (id INT PRIMARY KEY);\nINSERT INTO no_such_table VALUES (1);\n")
	f.refused(2, "no_such_table", "create", "w4")
	f.wants(f.exits(1, "plan"), "1 to make, 1 to change", "w4")
	f.write("migrations/030-wrong.sql", "-- where: class=late\nCREATE TABLE late_note (id INT PRIMARY KEY);\n")
	if got := f.rewritten("apply", "--all"); !slices.Equal(got, []string{"w2"}) {
		f.t.Errorf("the files of %v were written", got)
	}
	f.wants(f.read("state/wikis/w2/current/LocalSettings.php"), "# exist:  w4")
	f.wants(f.run("plan"), "no changes")
	if got := f.sql("SELECT COUNT(*) FROM wikictl.farm_sql WHERE tenant = 'w4'"); got[0] != "2" {
		f.t.Error("w4 has", got, "files")
	}
}

// farmFiles declares four files of the farm as a whole.
const farmFiles = `
[files.hostmap]
template = "hostmap.tmpl"
path = "public/wikis.map"
kind = "nginx"
mode = "0640"
[files.portal]
template = "portal.html.tmpl"
path = "public/index.html"
[files.targets]
template = "targets.tmpl"
path = "public/targets.json"
[files.hosts]
template = "hosts.tmpl"
path = "public/hosts"
kind = "hosts"
`

// filesOfTheFarm writes them, changes them by hand, adds a wiki, and takes them away.
func (f *farm) filesOfTheFarm() {
	must(f.t, os.MkdirAll(filepath.Join(f.demo.Dir, "public"), 0o755))
	f.write("templates/hostmap.tmpl", "# wikis\n{{ range tenants }}{{ range .Hosts }}map_entry {{ nginx . }};\n{{ end }}{{ end }}")
	f.write("templates/portal.html.tmpl", "<!DOCTYPE html>\n<title>Wikis</title>\n{{ range tenants }}<a href=\"{{ .Address }}\">{{ .Sitename }}</a>\n{{ end }}")
	f.write("templates/targets.tmpl", "[{{ range $i, $t := tenants }}{{ if $i }},{{ end }}\n{\"targets\": {{ json .Hosts }}, \"labels\": {\"wiki\": {{ json .Name }}}}{{ end }}\n]\n")
	f.write("templates/hosts.tmpl", "# wikis\n{{ range tenants }}{{ range .Hosts }}127.0.0.1 {{ word . }}\n{{ end }}{{ end }}")
	toml := f.read("wikictl.toml")
	f.write("wikictl.toml", toml+farmFiles)
	f.write("public/hosts", "127.0.0.1 somebody\n")
	f.wants(f.exits(2, "plan"), "change the farm: add "+filepath.Join(f.demo.Dir, "public/wikis.map"), "blocked the farm: file "+filepath.Join(f.demo.Dir, "public/hosts")+": exists, and wikictl did not make it")
	f.refused(2, "wikictl did not make it", "apply", "w0")
	f.wants(f.read("public/hosts"), "somebody")
	must(f.t, os.Remove(filepath.Join(f.demo.Dir, "public/hosts")))
	f.run("apply", "w0")
	f.wants(f.run("plan"), "no changes")
	f.wants(f.read("public/hosts"), "127.0.0.1 w4.localhost")

	f.write("public/index.html", "by hand")
	f.write("tenants/w5.toml", "name = \"w5\"\nhosts = [\"w5.localhost\"]\nsitename = '<script>alert(1)</script> & \"x\"'\nskins = [\"Vector\"]\ncodebase = \"1.43\"\nclasses = [\"other\"]\n")
	if got := f.audit(); !slices.ContainsFunc(got, func(g finding) bool {
		return g.Rule == "farm-file" && strings.Contains(g.Message, "index.html is not what") && g.File == "wikictl.toml" && g.Line > 0
	}) {
		f.t.Errorf("audit finds %+v", got)
	}
	if out, code := f.struck(event{"", "release", "after", "kill"}, "create", "w5"); code != -1 {
		f.t.Fatalf("exit %d: %s", code, out)
	}
	if got := f.rewritten("create", "w5"); len(got) != 0 {
		f.t.Errorf("the files of %v were written", got)
	}
	f.wants(f.run("plan"), "no changes")
	f.wants(f.read("public/index.html"), "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;x&#34;</a>")
	f.wants(f.read("public/targets.json"), `{"targets": ["w5.localhost"], "labels": {"wiki": "w5"}}`)
	if info, err := os.Stat(filepath.Join(f.demo.Dir, "public/wikis.map")); err != nil || info.Mode() != 0o640 {
		f.t.Error(info, err)
	}
	f.write("wikictl.toml", toml)
	f.refused(78, "replaces no template", "plan")
	for _, name := range []string{"hostmap", "portal.html", "targets", "hosts"} {
		must(f.t, os.Remove(filepath.Join(f.demo.Dir, "templates", name+".tmpl")))
	}
	f.wants(f.exits(1, "render", "--check"), "change the farm: delete "+filepath.Join(f.demo.Dir, "public/hosts"))
	f.run("render", "--write", "--all")
	if left, err := os.ReadDir(filepath.Join(f.demo.Dir, "public")); err != nil || len(left) != 0 {
		f.t.Error(left, err)
	}
	f.wants(f.run("plan"), "no changes")
	for _, g := range f.audit() {
		if g.Rule == "farm-file" {
			f.t.Errorf("%+v", g)
		}
	}
}

// templateCommands list, show, check and compare templates.
func (f *farm) templateCommands() {
	f.wants(f.run("templates", "list"), "localsettings.php.tmpl", "templates/localsettings.php.tmpl", "replaces the parts end", "vhost-nginx.conf.tmpl", "built-in", "has the parts acme, aliases", "rest, server, static")
	f.wants(f.run("templates", "show", "localsettings.php.tmpl"), "wgLocalInterwikis")
	f.lacks(f.run("templates", "show", "localsettings.php.tmpl", "--builtin"), "wgLocalInterwikis")
	f.refused(64, "there is no template", "templates", "show", "../wikictl.toml")
	f.wants(f.run("templates", "check"), "1 own, no mistakes with 6 wikis and 0 files")
	f.wants(f.exits(1, "templates", "diff", "--builtin"), "+++ templates/localsettings.php.tmpl end", "+$wgLocalInterwikis")
	f.wants(f.run("templates", "diff"), "no changes")

	own := f.read("templates/localsettings.php.tmpl")
	f.write("templates/localsettings.php.tmpl", strings.Replace(own, "$wgLocalInterwikis", "$wgOther = 1;\n$wgLocalInterwikis", 1))
	f.wants(f.exits(1, "templates", "diff", "w0", "w2"), "+$wgOther = 1;", "diff: 1 to change, 1 unchanged")
	for text, says := range map[string]string{
		"{{ define \"end\" }}\n$x = {{ .Tenant.Name }};{{ end }}":                  "templates/localsettings.php.tmpl:2:9: {{.Tenant.Name}} prints without an escaper",
		"{{ define \"end\" }}\n\n# {{ php .Tenant.Name }}\n{{ end }}":              "templates/localsettings.php.tmpl:3:6: {{php .Tenant.Name}} does not fit here",
		"{{ define \"no-such\" }}x{{ end }}":                                       "templates/localsettings.php.tmpl:1:11: the built-in template has no part no-such",
		"{{ define \"end\" }}\n$x = {{ php .Tenant.Nothing }};\n{{ end }}":         "templates/localsettings.php.tmpl:2:20: ",
		"{{ define \"end\" }}\n$x = {{ php (tenants \"no=x\") }};\n{{ end }}":      "templates/localsettings.php.tmpl:2:",
		"{{ define \"settings\" }}\n{{ range }}\n{{ end }}":                        "templates/localsettings.php.tmpl:2:1: ",
		"{{ define \"name\" }}$wgSitename = {{ php .Tenant.Sitename }};'{{ end }}": "built-in localsettings.php.tmpl:",
	} {
		f.write("templates/localsettings.php.tmpl", text)
		f.refused(78, says, "templates", "check")
	}
	f.write("templates/localsettings.php.tmpl", own)
}
