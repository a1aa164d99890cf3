package main

import (
	"strings"
	"testing"
)

// Why a wiki answers 500 is said in words, with the place: of settings that are only
// wrong in the web server, of pages that fail, and of a database that is not there.
func TestReasonsInWords(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "skins", "codebase = \"1.43\"\nskins", 1))
	f.exits(0, "create", "--all")
	for name, database := range map[string]string{"w0": "wiki_w0", "w1": "wiki_w1"} {
		file, whole := "tenants/"+name+".toml", f.read("tenants/"+name+".toml")
		for _, c := range []struct{ setting, says string }{
			{"wgFoo.bar = { php = \"PHP_SAPI === 'cli' ? 1 : nothing()\" }", "settings.wgFoo.bar: Error: Call to undefined function nothing()"},
			{"wgHooks.APIQuerySiteInfoGeneralInfo = { php = \"[ function () { throw new Exception( 'not <today>' ); } ]\" }", "not <today>"},
		} {
			f.write(file, whole+c.setting+"\n")
			output := f.fails("apply", name)
			f.wants(output, "failed (restored)", "PHP says: ", c.says, file+":")
			f.noMarkup(output)
		}
		f.write(file, whole+"wgFoo = { php = \"print( 'hello' )\" }\n")
		f.wants(f.fails("apply", name), "failed (restored)", `prints "hello" before its answers`)
		f.write(file, strings.Replace(whole, "Wiki ", "Renamed ", 1))
		lock := func(how string) { f.sql("ALTER USER " + database + "@localhost ACCOUNT " + how) }
		lock("LOCK")
		output := f.fails("apply", name)
		f.wants(output, "Access denied, this account is locked")
		f.noMarkup(output)
		lock("UNLOCK")
	}
}

// noMarkup wants no HTML in what was printed.
func (f *farm) noMarkup(text string) {
	f.t.Helper()
	for _, tag := range []string{"<!DOCTYPE", "<html", "<p>", "<br", "&lt;", "&quot;"} {
		if strings.Contains(text, tag) {
			f.t.Errorf("%s is in:\n%s", tag, text)
		}
	}
}
