package definitions

import (
	"fmt"
	"strings"
	"testing"
)

// What would lead a wiki to another's data, or is not a definition's to decide, is
// refused wherever it is set, at its place.
func TestOwnSettings(t *testing.T) {
	cases := []struct{ line, hint string }{
		{`wgDBservers = [{ host = "db2" }]`, "server decides it"},
		{`wgLBFactoryConf.class = "LBFactoryMulti"`, "server decides it"},
		{`wgDBport = 3307`, "server decides it"},
		{`wgDBprefix = "mw_"`, "each tenant has a database of its own"},
		{`wgDBmwschema = "b"`, "database decides it"},
		{`wgVirtualDomainsMapping.x.db = "wiki_b"`, "name it in databases"},
		{`wgVirtualDomainsMapping.x.cluster = "other"`, "server decides it"},
		{`wgVirtualDomainsMapping.x = { replace = { db = "wiki_b" } }`, `{ db = "…" }`},
		{`wgVirtualDomainsMapping.x.db = { php = "'b'" }`, "name it in databases"},
		{`wgDBTableOptions = "ENGINE=MyISAM"`, "InnoDB"},
		{`wgDBssl = true`, "remove it"},
		{`wgTmpDirectory = "/tmp"`, "all tenants share one"},
		{`wgFileCacheDirectory = "/var/cache/pages"`, "its own folder"},
		{`wgLocalFileRepo = { class = "LocalRepo", directory = "/srv/wikis/b/images" }`, "its own folder"},
		{`wgObjectCaches.redis.keyspace = "farm"`, "what others cached"},
		{`wgReadOnlyFile = "/x"`, "wikictl upgrade makes wikis read-only"},
		{`wgAllowSchemaUpdates = false`, "update.php"},
		{`wgWikiFarmSettingsDirectory = "/etc"`, "does not know"},
		{`wgDBname = { php = "'b'" }`, "database decides it"},
		{`IP = "/srv/other"`, "codebase decides it"},
		{`_SERVER.HTTP_HOST = "b.example"`, "PHP's"},
		{`_ENV = {}`, "PHP's"},
		{`GLOBALS.wgDBname = "b"`, "PHP's"},
		{`this = 1`, "PHP's"},
	}
	for _, tc := range cases {
		t.Run(tc.line, func(t *testing.T) {
			for _, where := range []string{"tenant", "class", "defaults"} {
				farm := "allow_php = true\n" + farmToml
				files := tenant("classes = [\"c\"]\n[settings]\nwgLocaltimezone = \"UTC\"\n")
				files["classes/c.toml"] = "[settings]\nwgRawHtml = false\n"
				place := map[string]string{"tenant": "tenants/x.toml:7:", "class": "classes/c.toml:3:", "defaults": fmt.Sprintf("wikictl.toml:%d:", strings.Count(farm, "\n")+1)}[where]
				switch where {
				case "tenant":
					files["tenants/x.toml"] += tc.line + "\n"
				case "class":
					files["classes/c.toml"] += tc.line + "\n"
				case "defaults":
					farm += tc.line + "\n"
				}
				files["wikictl.toml"] = farm
				_, err := Load(writeFarm(t, files))
				if err == nil {
					t.Fatalf("in %s it is accepted", where)
				}
				first, _, _ := strings.Cut(err.Error(), "\n")
				if !strings.HasPrefix(first, place) || !strings.Contains(first, tc.hint) || !strings.Contains(first, "settings.") {
					t.Errorf("in %s it says %q, want %s… and %q", where, err, place, tc.hint)
				}
			}
		})
	}
}

// Definitions may set the settings of caches and encryption.
func TestSettingsLeftToDefinitions(t *testing.T) {
	files := tenant("[settings]\nwgDBssl = false\nwgObjectCaches.redis = { class = \"RedisBagOStuff\", servers = [\"127.0.0.1:6379\"] }\nwgLocalFileRepo.transformVia404 = true\n")
	files["wikictl.toml"] = strings.Replace(farmToml, "managed = true", `dsn = "root@tcp(db.example:3306)/"`, 1)
	files["classes/c.toml"] = "[settings]\nwgDBssl = true\n"
	if _, err := Load(writeFarm(t, files)); err != nil {
		t.Error(err)
	}
}

// A virtual domain of an extension may be in a further database of the wiki.
func TestVirtualDomains(t *testing.T) {
	files := tenant("databases = [\"codes\"]\n[settings]\nwgVirtualDomainsMapping.virtual-oathauth.db = \"codes\"\n")
	files["wikictl.toml"] = farmToml
	if _, err := Load(writeFarm(t, files)); err != nil {
		t.Error(err)
	}
}
