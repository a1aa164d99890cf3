package wiki

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Probe reads a wiki's description from the first answer that visitors without an account may see.
func TestProbe(t *testing.T) {
	const (
		general = `{"query":{"general":{"generator":"MediaWiki 1.43.9","sitename":"S","lang":"de","wikiid":"wiki_a","server":"//a.test","mainpage":"Hauptseite","script":"/w/index.php","readonly":true}}}`
		denied  = `{"error":{"code":"readapidenied","info":"x"}}`
		module  = `mw.loader.impl(function(){return["mediawiki.base@1",{"config.json":{"debug":!1,"wgServer":"//a.test","wgContentLanguage":"de","wgVersion":"1.43.9","wgSiteName":"S","wgScript":"/w/index.php","wgDBname":"wiki_a"}}]});`
		failed  = `/* Fatal exception of type "DBConnectionError" */ mw.loader.state({"mediawiki.base":"error"});`
	)
	open := SiteInfo{Version: "1.43.9", Sitename: "S", Lang: "de", DBName: "wiki_a", Server: "//a.test", MainPage: "Hauptseite", Script: "/w/index.php", ReadOnly: true}
	private := SiteInfo{Version: "1.43.9", Sitename: "S", Lang: "de", DBName: "wiki_a", Server: "//a.test", Script: "/w/index.php", Private: true}
	noisy := open
	noisy.Noise = "hello"
	hidden := private
	hidden.Hidden = true
	tests := map[string]struct {
		apiStatus          int
		api, base, startup string
		pageStatus         int
		want               SiteInfo
		fails              bool
	}{
		"open":                           {200, general, "", "", 200, open, false},
		"settings print":                 {200, "hello\n" + general, "", "", 200, noisy, false},
		"not readable":                   {200, denied, module, "", 200, hidden, false},
		"api.php shut":                   {403, "no", module, "", 200, private, false},
		"api.php answers something else": {200, "<html>", module, "", 200, private, false},
		"variables in startup":           {200, denied, "", module, 200, hidden, false},
		"log-in page shut":               {200, denied, module, "", 403, hidden, false},
		"database gone":                  {200, denied, module, "", 500, SiteInfo{}, true},
		"module fails":                   {200, denied, failed, "", 200, SiteInfo{}, true},
		"api.php fails with 200":         {200, `{"error":{"code":"internal_api_error_Exception","info":"x"}}`, module, "", 200, SiteInfo{}, true},
		"api.php fails":                  {500, general, module, "", 200, SiteInfo{}, true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status, text := c.pageStatus, "page"
				switch {
				case r.URL.Path == "/api.php":
					status, text = c.apiStatus, c.api
				case r.URL.Path == "/load.php" && r.FormValue("modules") == "startup":
					status, text = 200, c.startup
				case r.URL.Path == "/load.php":
					status, text = 200, c.base
				case r.URL.Path != "/w/index.php": // as with $wgArticlePath = "/$1"
					status, text = 500, "there is no page Index.php"
				}
				w.WriteHeader(status)
				w.Write([]byte(text))
			}))
			defer s.Close()
			got, err := Probe(t.Context(), s.URL, "a.test")
			if (err != nil) != c.fails || !c.fails && got != c.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
