package definitions

import (
	"strings"
	"testing"
)

// Oddities that editors leave in a file, such as a byte order mark, are read or reported in words,
// and each mistake once.
func TestOddTexts(t *testing.T) {
	files := good()
	for name, text := range files {
		files[name] = "\ufeff" + text
	}
	files["tenants/good.toml"] = strings.Replace(files["tenants/good.toml"], `"Good"`, "\"Cafe\u0301\"", 1)
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatalf("a byte order mark: %v", err)
	}
	if got := f.Tenant("good").Sitename; got != "Café" {
		t.Errorf("the sitename is %+q, not in the form that MediaWiki tells", got)
	}
	for _, tc := range []struct{ sitename, want string }{
		{`"X\uFFFF"`, "tenants/x.toml:3:1: sitename: holds U+FFFF, which is not a character"},
		{`"X\uFDD0"`, "tenants/x.toml:3:1: sitename: holds U+FDD0, which is not a character"},
		{`"X\U0001FFFE"`, "tenants/x.toml:3:1: sitename: holds U+1FFFE, which is not a character"},
		{`"X\uD800"`, "tenants/x.toml:3:"},
		{`""`, "tenants/x.toml:3:1: sitename: is blank (give a value or remove the line)"},
		{"5", "tenants/x.toml:3:1: sitename: is an integer, want a string"},
	} {
		files := good()
		files["tenants/x.toml"] = "name = \"x\"\nhosts = [\"x.example\"]\nsitename = " + tc.sitename + "\n"
		_, err := Load(writeFarm(t, files))
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: it says %v, want %s alone", tc.sitename, err, tc.want)
		}
	}
	files = good()
	files["tenants/x.toml"] = "name = \"x\"\nhosts = [\"x.example\"]\nsitename = \"X\"\ncodebase = 5\nserver = 6\n"
	if _, err := Load(writeFarm(t, files)); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("a codebase and a server of the wrong type: %v", err)
	}
}
