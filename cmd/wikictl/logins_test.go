package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notesPages has wikis note in a file which pages they show on which code, and returns it.
func (f *farm) notesPages(names ...string) string {
	f.t.Helper()
	file := filepath.Join(f.demo.Dir, "shown")
	must(f.t, os.WriteFile(file, nil, 0o666))
	must(f.t, os.Chmod(file, 0o666)) // whatever the umask is
	code := "file_put_contents( '" + file + "', implode( ' ', [ $GLOBALS['wgDBname'], substr( MW_VERSION, 0, 4 ), $out->getTitle()->getDBkey() ] ) . PHP_EOL, FILE_APPEND );"
	for _, name := range names {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+"wgHooks.BeforePageDisplay = { php = \"[ static function ( $out ) { "+code+" } ]\" }\n")
	}
	return file
}

// breaksLogIn has the log-in of one wiki fail on new code, of wikis whose settings are
// the same.
const breaksLogIn = `wgAuthManagerAutoConfig.preauth.broken = { php = "[ 'factory' => static function () { if ( $GLOBALS['wgDBname'] === 'wiki_w2' && MW_VERSION >= '1.43' ) { throw new Exception( 'a broken log-in' ); } return new class extends MediaWiki\\Auth\\AbstractPreAuthenticationProvider { }; } ]" }
`

// Of wikis with the same settings one shows its log-in page, and the others are asked
// for what a log-in takes: that of one that fails is put back, and one with other
// settings is asked by itself. Pages of the old code are requested where the new code's fail.
func TestLogInIsAskedLeanly(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	for _, name := range []string{"w0", "w1", "w2", "w3"} {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+breaksLogIn)
	}
	file := f.notesPages("w0", "w1", "w2", "w3")
	f.write("tenants/w3.toml", f.read("tenants/w3.toml")+"wgMaxUploadSize = 1000\n")
	f.exits(0, "create", "--all")
	must(t, os.Truncate(file, 0))
	f.want143()
	f.wants(f.fails("upgrade", "--all", "--jobs", "1", "--max-failures", "100%"), "3 done", "1 failed", "w2", "a broken log-in")
	if v := f.client("w2").version(); v != "MediaWiki 1.39.17" {
		t.Errorf("w2 is %s", v)
	}
	text, err := os.ReadFile(file)
	must(t, err)
	shown := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		shown[rest] = append(shown[rest], name)
	}
	names := slices.Clone(shown["1.43 Main_Page"])
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != 4 {
		t.Errorf("the main page of the new code was shown by %d wikis: %v", n, shown)
	}
	for _, page := range []string{"1.39 UserLogin", "1.39 Main_Page"} { // the old code is asked on doubt
		if of := shown[page]; !slices.Contains(of, "wiki_w2") || slices.Contains(of, "wiki_w0") || slices.Contains(of, "wiki_w1") {
			t.Errorf("%s was shown by %v", page, of)
		}
	}
	if names := fmt.Sprint(shown["1.43 UserLogin"]); strings.Contains(names, "w0") == strings.Contains(names, "w1") || !strings.Contains(names, "w3") {
		t.Errorf("the log-in page of the new code was shown by %s", names)
	}
}
