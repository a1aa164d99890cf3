package deploy

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// testMaintenance runs scripts of both codebases with the rendered settings.
func (s *stand) testMaintenance(t *testing.T) {
	for _, tenant := range s.farm.Tenants {
		env := []string{"MW_CONFIG_FILE=" + s.farm.Layout().LocalSettings(tenant.Name)}
		maintenance := filepath.Join(tenant.Codebase.Path, "maintenance")
		out := s.run(env, needs.PHP(t), filepath.Join(maintenance, "showSiteStats.php"))
		if !strings.Contains(out, "Total pages") || strings.Contains(out, "Warning") || strings.Contains(out, "Deprecated") {
			t.Errorf("%s: showSiteStats.php:\n%s", tenant.Name, out)
		}
		out = s.run(env, needs.PHP(t), "-d", "display_errors=1", "-d", "error_reporting=-1", filepath.Join(maintenance, "getConfiguration.php"), "--format=json", "--settings=wgDBname wgSitename wgReadOnlyFile wgDefaultSkin")
		if !strings.Contains(out, `"wgDBname":"`+tenant.Database+`"`) {
			t.Errorf("%s: getConfiguration.php:\n%s", tenant.Name, out)
		}
	}
}

func (s *stand) testReadOnly(t *testing.T) {
	readOnly := func() bool {
		a := s.get("alpha.test", "/api.php?action=query&meta=siteinfo&format=json")
		return strings.Contains(a.body, `"readonly":""`) && strings.Contains(a.body, "upgrade at noon")
	}
	if err := s.d.SetReadOnly("alpha", "upgrade at noon"); err != nil || !readOnly() {
		t.Error("the web side is not read-only", err)
	}
	s.run([]string{"MW_CONFIG_FILE=" + s.farm.Layout().LocalSettings("alpha")}, needs.PHP(t),
		filepath.Join(s.farm.Tenant("alpha").Codebase.Path, "maintenance/update.php"), "--quick")
	if err := s.d.ClearReadOnly("alpha"); err != nil || readOnly() {
		t.Error("the web side is still read-only", err)
	}
}

// testClosed wants the maintenance page from all that PHP would answer, at once and
// without a reload, and nothing of it by its name or from other wikis.
func (s *stand) testClosed(t *testing.T) {
	const page = "<!DOCTYPE html><p>back at noon, 100 % sure"
	if err := s.d.SetMaintenance("alpha", page); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/wiki/Hauptseite", "/wiki/C%2B%2B", "/index.php?title=X", "/index.php/X", "/api.php?action=query", "/load.php?modules=startup", "/rest.php/v1/page/X", "/images/thumb/a/ab/X.png/20px-X.png"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			a := s.do(method, "alpha.test", path, strings.NewReader("a=b"))
			kind := a.header.Get("Content-Type")
			if a.status != 503 || a.body != page || a.header.Get("Retry-After") == "" || !strings.HasPrefix(kind, "text/html") || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d, %v: %.300s", method, path, a.status, a.header, a.body)
			}
		}
	}
	for path, status := range map[string]int{"/resources/assets/wiki.png": 200, "/wikictl-maintenance": 404, "/maintenance": 404} {
		if a := s.get("alpha.test", path); a.status != status {
			t.Errorf("%s: %d, want %d: %.300s", path, a.status, status, a.body)
		}
	}
	if a := s.get("beta.test", "/opensearch_desc.php"); a.status != 200 {
		t.Errorf("another wiki: %d", a.status)
	}
	if err := s.d.ClearMaintenance("alpha"); err != nil {
		t.Fatal(err)
	}
	if a := s.get("alpha.test", "/wiki/Hauptseite"); a.status != 200 || a.header.Get("Retry-After") != "" {
		t.Errorf("after it: %d %v", a.status, a.header)
	}
}
