package rules

import (
	"slices"
	"testing"

	"wikictl/tenants"
)

// What MediaWiki's code takes beside the declared type is no mistake; the rest stays one.
func TestSettingsOfTwoTypes(t *testing.T) {
	const right = `wgAllowExternalImagesFrom = ["https://a.example/", "https://b.example/"]
wgSpamRegex = "/casino/"
wgSummarySpamRegex = ["/a/", "/b/"]
wgSkipSkins = "cologneblue"
wgReferrerPolicy = ["origin", "same-origin"]
wgNoFollowDomainExceptions = "mediawiki.org"
wgForceUIMsgAsContentMsg = "mainpage"
wgMaxUploadSize = { "*" = 1000 }`
	for codebase, path := range map[string]string{"1.43": "", "1.39": "\ncodebase = \"old\""} {
		files := map[string]string{
			"wikictl.toml":   farmToml + "[codebases.old]\npath = \"CODEBASES/1.39\"\n",
			"classes/c.toml": "[settings]\nwgCapitalLinks = false\n",
			"tenants/a.toml": tenantToml("a", "a.wiki.example", "\nclasses = [\"c\"]"+path, right),
			"tenants/b.toml": tenantToml("b", "b.wiki.example", "\nclasses = [\"c\"]"+path, "wgSpamRegex = true\nwgSkipSkins = false"),
		}
		wrong := 0
		for _, f := range static(t, load(t, files)).Findings {
			if f.Rule == "setting-type" && f.Tenants[0] == "a" {
				t.Errorf("%s: %+v", codebase, f)
			}
			if f.Rule == "setting-type" && f.Tenants[0] == "b" {
				wrong++
			}
		}
		if wrong == 0 {
			t.Errorf("%s: no wrong type is found", codebase)
		}
	}
}

// Addresses that the wiki's virtual host does not answer are findings, as are those of other hosts.
func TestUnservedAddresses(t *testing.T) {
	wiki := func(top, settings string) tenants.Tenant {
		files := map[string]string{"wikictl.toml": farmToml, "classes/c.toml": "[settings]\nwgCapitalLinks = false\n", "tenants/a.toml": tenantToml("a", "a.example", "\nclasses = [\"c\"]"+top, settings), "static/a/logo.png": "x"}
		return *load(t, files).Tenants[0]
	}
	plain, below := wiki("", "wgLogo = \"/x\""), wiki("\nscript_path = \"/w\"", "wgLogo = \"/x\"")
	root := wiki("\nscript_path = \"/w\"\narticle_path = \"/$1\"", "wgLogo = \"/x\"")
	private, static := wiki("", `wgGroupPermissions."*".read = false`), wiki("\nstatic = \"static/a\"\nredirects.\"/old/*\" = \"/wiki/*\"", "wgLogo = \"/x\"")
	for _, tc := range []struct {
		wiki          *tenants.Tenant
		name, address string
		served        bool
	}{
		{&plain, "wgLogo", "/resources/assets/wiki.png", true},
		{&plain, "wgLogo", "$wgResourceBasePath/resources/assets/wiki.png", false},
		{&plain, "wgLogo", "images/logo.png", false},
		{&plain, "wgLogo", "/logo.png", false},
		{&plain, "wgLogo", "https://cdn.example/logo.png", true},
		{&plain, "wgLogo", "//cdn.example/logo.png", true},
		{&plain, "wgLogo", "data:image/png;base64,AAAA", true},
		{&plain, "wgLogo", "/images/a/ab/Logo.png?x", true},
		{&plain, "wgLogo", "/wiki/Special:Redirect/file/Logo.png", true},
		{&plain, "wgLogo", "/index.php?title=Special:Redirect/file/Logo.png", true},
		{&plain, "wgFavicon", "", true},
		{&plain, "wgActionPaths", "/edit/$1", false},
		{&plain, "wgActionPaths", "/wiki/edit/$1", true},
		{&plain, "wgVariantArticlePath", "/$2/$1", false},
		{&plain, "wgScript", "/wiki.php", false},
		{&plain, "wgRestPath", "/rest.php", true},
		{&plain, "wgLoadScript", "https://cdn.example/load.php", true},
		{&plain, "wgResourceBasePath", "", true},
		{&plain, "wgStylePath", "/skins", true},
		{&below, "wgLogo", "/resources/assets/wiki.png", false},
		{&below, "wgLogo", "/w/resources/assets/wiki.png", true},
		{&below, "wgLogo", "/w/logo.png", false},
		{&below, "wgResourceBasePath", "", false},
		{&below, "wgStylePath", "/skins", false},
		{&below, "wgScript", "/w/index.php", true},
		{&root, "wgActionPaths", "/edit/$1", true},
		{&root, "wgVariantArticlePath", "/$2/$1", true},
		{&root, "wgLogo", "/w/logo.png", false},
		{&private, "wgLogo", "/images/logo.svg", false},
		{&private, "wgLogo", "/img_auth.php/logo.svg", false},
		{&private, "wgLogo", "/resources/assets/wiki.png", true},
		{&static, "wgLogo", "/logo.png", true},
		{&static, "wgScript", "/old/index.php", true},
		{&static, "wgActionPaths", "/edit/$1", false},
	} {
		if why := unserved(tc.wiki, tc.name, tc.address, slices.Contains(pictureSettings, tc.name)); (why == "") != tc.served {
			t.Errorf("%s = %q of script path %q, pages %q: %q", tc.name, tc.address, tc.wiki.ScriptPath, tc.wiki.Articles, why)
		}
	}
	for path, is := range map[string]bool{
		"wgLogo": true, "wgLogos.1.5x": true, "wgLogos.wordmark.src": true, "wgLogos.wordmark.width": false, "wgLogos.variants.zh-hans.icon": true,
		"wgFooterIcons.poweredby.mediawiki.src": true, "wgFooterIcons.poweredby.mediawiki.alt": false, "wgFooterIcons.poweredby.mediawiki.url": false,
	} {
		if isAddress(path) != is {
			t.Errorf("%s is an address: %v", path, !is)
		}
	}
}
