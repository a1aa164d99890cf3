package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// operationsWiki has a captcha by a module, a namespace of its own, and changes of defaults;
// its TOML goes before [settings], and into it.
const (
	operationsTop = `extensions = ["ConfirmEdit/QuestyCaptcha", "ConfirmEdit"]
[namespaces.portal]
number = 3000
name = "Big Portal"
aliases = ["P"]
content = true
subpages = true
`
	operationsSettings = `wgCaptchaClass = "QuestyCaptcha"
wgCaptchaQuestions."How many legs has a cat?" = ["4", "four"]
wgCaptchaTriggers.createaccount = true
wgFileExtensions = { append = ["pdf"], remove = ["gif"] }
wgGroupPermissions.confirmed = { copy = "autoconfirmed" }
wgGroupPermissions.interface-admin = { absent = true }
wgNamespaceProtection.NS_PORTAL = ["editinterface"]
`
)

// A wiki with a module, a namespace and operations is made, served and upgraded, and is as
// its definition says on both versions; an operation that PHP can't take is found before.
func TestOperationsOnAFarm(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	plain := f.read("tenants/w0.toml")
	whole := strings.Replace(plain, "[settings]\n", operationsTop+"[settings]\n"+operationsSettings, 1)
	f.write("tenants/w0.toml", whole)
	f.exits(0, "create", "--all")
	f.asDefined("1.39")
	f.want143()
	f.exits(0, "upgrade", "--all")
	f.asDefined("1.43")
	f.write("tenants/w0.toml", whole+"wgFoo = { append = [ { php = \"nothing()\" } ] }\n")
	f.wants(f.fails("apply", "w0"), "undefined function nothing()", "settings.wgFoo", "tenants/w0.toml:")
	f.write("tenants/w0.toml", whole)
	f.wants(f.exits(0, "plan"), "no changes")
	f.wants(f.exits(0, "show", "w0", "--origin"), "wgFileExtensions = {append = ['pdf'], remove = ['gif']} # tenants/w0.toml:")
}

// asDefined asks the wiki what its definition is about.
func (f *farm) asDefined(version string) {
	f.t.Helper()
	c := f.client("w0")
	about := c.call(url.Values{"action": {"query"}, "meta": {"siteinfo"}, "siprop": {"general|namespaces|namespacealiases|fileextensions|usergroups|extensions"}})
	query := about["query"].(map[string]any)
	portal := at(query, "namespaces", "3000")
	for what, got := range map[string]bool{
		version:              strings.Contains(fmt.Sprint(at(query, "general", "generator")), version),
		"the namespace":      at(portal, "name") == "Big Portal" && at(portal, "content") == true && at(portal, "subpages") == true && at(portal, "namespaceprotection") == "editinterface",
		"the alias":          strings.Contains(fmt.Sprint(query["namespacealiases"]), "alias:P id:3000"),
		"pdf":                strings.Contains(fmt.Sprint(query["fileextensions"]), "pdf") && strings.Contains(fmt.Sprint(query["fileextensions"]), "png"),
		"no gif":             !strings.Contains(fmt.Sprint(query["fileextensions"]), "gif"),
		"the module":         strings.Contains(fmt.Sprint(query["extensions"]), "QuestyCaptcha"),
		"no interface-admin": !strings.Contains(fmt.Sprint(query["usergroups"]), "interface-admin"),
	} {
		if !got {
			f.t.Errorf("%s: %s is not so: %v", version, what, query)
		}
	}
	rights := map[string]string{}
	for _, g := range query["usergroups"].([]any) {
		rights[fmt.Sprint(at(g, "name"))] = fmt.Sprint(at(g, "rights"))
	}
	if rights["confirmed"] == "" || rights["confirmed"] != rights["autoconfirmed"] {
		f.t.Errorf("%s: confirmed has %s, autoconfirmed %s", version, rights["confirmed"], rights["autoconfirmed"])
	}
	form := c.call(url.Values{"action": {"query"}, "meta": {"authmanagerinfo"}, "amirequestsfor": {"create"}})
	if !strings.Contains(fmt.Sprint(form), "How many legs has a cat?") {
		f.t.Errorf("%s: the question is not asked: %v", version, form)
	}
}
