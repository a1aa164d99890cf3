package definitions

import (
	"strings"
	"testing"
)

// loadLayers loads a tenant with a class and shows it.
func loadLayers(t *testing.T, class, own string) (string, error) {
	t.Helper()
	files := tenant("classes = [\"c\"]\n" + own + "\n")
	files["wikictl.toml"], files["classes/c.toml"] = farmToml, "sitename = \"C\"\n"+class+"\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		return "", err
	}
	return Show(f.Tenant("x"), false), nil
}

// A namespace is inherited key by key, and becomes the settings that MediaWiki has for it.
func TestNamespaces(t *testing.T) {
	show, err := loadLayers(t, "extensions = [\"Scribunto\"]\n[namespaces.portal]\nnumber = 3000\ncontent = true\nsubpages = true\nsearch = true\naliases = [\"P\"]\n[settings]\nwgNamespaceProtection.NS_PORTAL = [\"a\"]\nwgContentNamespaces = [0]\n",
		`[namespaces.portal]
name = "Big Portal"
talk_aliases = ["PT"]
[settings]
wgNamespaceProtection.NS_MODULE = ["b"]
wgNamespaceProtection.NS_MAIN = ["c"]
wgExtraSignatureNamespaces = { append = ["NS_PORTAL_TALK", "NS_HELP"] }
wgMainCacheType = "CACHE_ACCEL"
wgNamespaceContentModels.NS_PORTAL = "CONTENT_MODEL_JSON"
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"number = 3000\nname = \"Big_Portal\"\ntalk = \"Big_Portal_talk\"", `wgExtraNamespaces.3000 = "Big_Portal"`, `wgExtraNamespaces.3001 = "Big_Portal_talk"`,
		"wgNamespaceAliases.P = 3000", "wgNamespaceAliases.PT = 3001", "wgContentNamespaces = [0, 3000]", "wgNamespacesWithSubpages.3000 = true",
		"wgNamespacesToBeSearchedDefault.3000 = true", "wgNamespaceProtection.3000 = ['a']", "wgNamespaceProtection.828 = ['b']",
		"wgNamespaceProtection.0 = ['c']", "wgExtraSignatureNamespaces = {append = [3001, 12]}", "wgMainCacheType = 3", `wgNamespaceContentModels.3000 = "json"`,
	} {
		if !strings.Contains(show, line+"\n") {
			t.Errorf("no %q in\n%s", line, show)
		}
	}
}

// What can't be a namespace, and constants of none, are mistakes or faults at their places.
func TestNamespacesRefused(t *testing.T) {
	cases := []struct{ name, class, own, problem string }{
		{"no number", "", "[namespaces.a]\nname = \"A\"", "namespaces.a.number: is missing"},
		{"odd", "", "[namespaces.a]\nnumber = 3001", "namespaces.a: the number 3001 is odd"},
		{"MediaWiki's", "", "[namespaces.a]\nnumber = 10", "namespaces.a: the number 10 is not from 100"},
		{"a colon", "", "[namespaces.a]\nnumber = 3000\nname = \"A:B\"", `namespaces.a: "A:B" can't begin`},
		{"a number for a name", "", "[namespaces.100]\nname = \"Book\"\nnumber = 100", "with number = 100"},
		{"a constant's name", "", "[namespaces.\"a-b\"]\nnumber = 3000", "namespaces.a-b: can't be part of a PHP constant, such as NS_BOOK (letters, digits and _, such as [namespaces.BOOK] with number = 3000"},
		{"core's constant", "", "[namespaces.help]\nnumber = 3000", "namespaces.help: NS_HELP is MediaWiki's own"},
		{"twice", "[namespaces.b]\nnumber = 3000", "[namespaces.a]\nnumber = 3000", "namespaces.b: has the number or a name of namespaces.a at tenants/x.toml"},
		{"a name of MediaWiki's", "", "[namespaces.a]\nnumber = 3000\naliases = [\"user talk\"]", `namespaces.a: "user_talk" is a name of MediaWiki's`},
		{"a name in the language", "language = \"de\"", "[namespaces.a]\nnumber = 3000\naliases = [\"benutzerin\"]", `namespaces.a: "benutzerin" is a name of MediaWiki's own namespaces in the language de`},
		{"a name in another language", "language = \"fr\"", "[namespaces.hilfe]\nnumber = 3000", "wgExtraNamespaces.3000 = \"hilfe\""},
		{"a name by fallback", "language = \"de-formal\"", "[namespaces.hilfe]\nnumber = 3000", `namespaces.hilfe: "hilfe" is a name of MediaWiki's own namespaces in the language de-formal`},
		{"the wiki's own name", "", "[namespaces.a]\nnumber = 3000\nname = \"metaX\"\n[settings]\nwgMetaNamespace = \"MetaX\"", `namespaces.a: "MetaX" is the namespace of pages about`},
		{"another's alias", "", "[namespaces.a]\nnumber = 3000\naliases = [\"C\"]\n[namespaces.b]\nnumber = 3002\ntalk = \"c\"", "namespaces.b: has the number or a name of namespaces.a"},
		{"another's that is wrong, too", "", "[namespaces.a]\nnumber = 3001\n[namespaces.b]\nnumber = 3002\nname = \"a\"", "namespaces.b: has the number or a name of namespaces.a"},
		{"an extension's", "extensions = [\"Scribunto\"]", "[namespaces.a]\nnumber = 828", "blocked: tenants/x.toml:6:1: namespaces.a: an extension"},
		{"unknown key", "", "[namespaces.a]\nnumber = 3000\nalias = \"x\"", "namespaces.a.alias: is not a key"},
		{"unknown constant", "", "[settings]\nwgNamespaceProtection.NS_MIAN = []", "blocked: tenants/x.toml:6:23: settings.wgNamespaceProtection.NS_MIAN: NS_MIAN is not a namespace"},
		{"unknown in a list", "", "[settings]\nwgContentNamespaces = { append = [\"NS_MODULE\"] }", "settings.wgContentNamespaces[0]: NS_MODULE is not a namespace"},
		{"a constant and its number", "[namespaces.a]\nnumber = 3000\n[settings]\nwgNamespaceProtection.NS_A = [\"x\"]", "[settings]\nwgNamespaceProtection.3000 = [\"y\"]", "classes/c.toml:5:23: settings.wgNamespaceProtection.NS_A: is the same as 3000 at tenants/x.toml:6:23 (write NS_A in both places)"},
		{"a copy of an unknown constant", "", "[settings]\nwgNamespaceProtection.NS_HELP = { copy = \"NS_MIAN\" }", "settings.wgNamespaceProtection.12.copy: NS_MIAN is not a namespace"},
		{"a copy of itself", "", "[settings]\nwgNamespaceProtection.NS_HELP = { copy = \"NS_HELP\" }", "settings.wgNamespaceProtection.NS_HELP.copy: copies itself"},
		{"the same key twice", "", "[settings]\nwgNamespaceProtection = { NS_MAIN = [], 0 = [] }", "settings.wgNamespaceProtection.NS_MAIN: is the same as 0"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			show, err := loadLayers(t, tc.class, tc.own)
			if err != nil {
				show += err.Error()
			}
			if !strings.Contains(show, tc.problem) {
				t.Errorf("it says %v, want %s", show, tc.problem)
			}
		})
	}
}

// Everything that is inherited can be taken away.
func TestUnsetInherited(t *testing.T) {
	class := "extensions = [\"Cite\", \"Poem\"]\nskins = [\"MonoBook\"]\nlanguage = \"de\"\n[namespaces.a]\nnumber = 3000\n[settings]\nwgNamespaceProtection.NS_MAIN = [\"a\"]\nwgB = { append = [\"a\"] }"
	show, err := loadLayers(t, class, `unset = ["extensions.Cite", "skins.Vector", "language", "namespaces.a", "wgNamespaceProtection.NS_MAIN", "wgB"]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"extensions = ['Poem']", "skins = ['MonoBook']", `language = "en"`} {
		if !strings.Contains(show, line+"\n") {
			t.Errorf("no %q in\n%s", line, show)
		}
	}
	for _, gone := range []string{"namespaces", "wgExtraNamespaces", "wgNamespaceProtection", "wgB"} {
		if strings.Contains(show, gone) {
			t.Errorf("%q is left in\n%s", gone, show)
		}
	}
	for name, hint := range map[string]string{
		"extensions.Cites": "extensions.Cite", "wgGroupPermissions.bot": "wgGroupPermissions.bot = { absent = true }", "sitenam": "unset",
	} {
		if _, err := loadLayers(t, class, `unset = ["`+name+`"]`); err == nil || !strings.Contains(err.Error(), "no \""+name+"\" to remove") || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Constants name the source of a copy, and settings of the definitions' own win over those that
// MediaWiki has for a namespace.
func TestNamespaceConstants(t *testing.T) {
	for range 20 { // a table has no order
		show, err := loadLayers(t, "[namespaces.a]\nnumber = 3000\nsubpages = true\nsearch = true\n[settings]\nwgNamespaceProtection.NS_HELP = { copy = \"NS_A\" }\nwgNamespaceProtection.NS_A_TALK = { copy = \"NS_MEDIAWIKI\" }",
			"[settings]\nwgNamespacesWithSubpages.NS_A_TALK = false\nwgNamespacesToBeSearchedDefault.NS_A = false")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"wgNamespaceProtection.12 = {copy = '3000'}", "wgNamespaceProtection.3001 = {copy = '8'}", "wgNamespacesWithSubpages.3000 = true", "wgNamespacesWithSubpages.3001 = false", "wgNamespacesToBeSearchedDefault.3000 = false"} {
			if !strings.Contains(show, line+"\n") {
				t.Fatalf("no %q in\n%s", line, show)
			}
		}
	}
}
