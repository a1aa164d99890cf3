package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// userNames are asked of MediaWiki itself, which has the last word.
var userNames = []string{
	"Admin", "Bob x", "Bob_x", "Bob ", "Bob  x", "bob", "Ünïcode's (1.2-3)", "管理员", "नमस्ते", "1st", "ßeta", "ǆabc", "Cafe\u0301", "127.0.0.1", "1.2.3.xxx",
	"1.2.3.4-5.6.7.8", "Talk:Bob", "User:Bob", "A/b", "A#b", "A@b", "A=b", "A>b", "A:b", "A&amp;b", "A%41b", "A~~~b", ".", "..", "Bob\u00a0x", "Bob\u200ex", "Bob\ue000x",
	"Maintenance script", "Unknown user", "MediaWiki default", "Redirect fixer", "DNSBL", "ScriptImporter", "Delete page script", strings.Repeat("A", 235), strings.Repeat("A", 236),
}

// Every administrator that definitions may name can log in, on both versions.
func TestAdministratorsCanLogIn(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("tenants/w0.toml", "admin = \"Ünïcode's (1.2-3)\"\n"+f.read("tenants/w0.toml"))
	f.write("tenants/w1.toml", "admin = \"管理员 नमस्ते\"\ncodebase = \"1.43\"\n"+f.read("tenants/w1.toml"))
	f.run("create", "--all")
	for _, wiki := range []string{"w0", "w1"} {
		c := f.client(wiki)
		c.login(wiki)
		def, err := definitions.Load(f.demo.Dir)
		must(t, err)
		if want := def.Tenant(wiki).Admin; c.user() != want {
			t.Errorf("%s: %q is logged in, want %q", wiki, c.user(), want)
		}
		creatable := f.creatable(def.Tenant(wiki))
		if !slices.Contains(creatable, true) || !slices.Contains(creatable, false) {
			t.Fatalf("%s: MediaWiki's answers are all the same", wiki)
		}
		file := f.read("tenants/" + wiki + ".toml")
		for i, name := range userNames {
			_, rest, _ := strings.Cut(file, "\n")
			quoted, _ := json.Marshal(name)
			f.write("tenants/"+wiki+".toml", "admin = "+string(quoted)+"\n"+rest)
			if _, err := definitions.Load(f.demo.Dir); err == nil && !creatable[i] {
				t.Errorf("%s: MediaWiki refuses %q, and it is accepted", wiki, name)
			}
		}
		f.write("tenants/"+wiki+".toml", file)
	}
}

// creatable asks a wiki's code which of userNames can be made.
func (f *farm) creatable(t *tenants.Tenant) []bool {
	names, err := json.Marshal(userNames)
	must(f.t, err)
	file := filepath.Join(f.t.TempDir(), "names.json")
	must(f.t, os.WriteFile(file, names, 0o644))
	code := `$u = MediaWiki\MediaWikiServices::getInstance()->getUserNameUtils(); echo json_encode( array_map( static fn ( $n ) => $u->isCreatable( $n ), json_decode( file_get_contents( "` + file + `" ) ) ) );`
	cmd := exec.Command(t.Codebase.PHP, filepath.Join(t.Codebase.Path, "maintenance/eval.php"))
	cmd.Env = append(os.Environ(), "MW_CONFIG_FILE="+f.state("wikis/"+t.Name+"/current/LocalSettings.php"))
	cmd.Stdin = strings.NewReader(code + "\n")
	out, err := cmd.Output()
	must(f.t, err)
	var answer []bool
	_, list, _ := strings.Cut(string(out), "[")
	list, _, _ = strings.Cut(list, "]")
	if err := json.Unmarshal([]byte("["+list+"]"), &answer); err != nil || len(answer) != len(userNames) {
		f.t.Fatalf("%v: %s", err, out)
	}
	return answer
}
