package rules

import "testing"

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
