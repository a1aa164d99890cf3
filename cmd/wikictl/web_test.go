package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const webTenant = `name = "alpha"
hosts = ["alpha.localhost"]
aliases = ["www.alpha.localhost"]
sitename = "Alpha"
script_path = "/w"
article_path = "/$1"
static = "static/alpha"
[redirects]
"/mw/*" = "/*"
`

// A wiki with other paths, static files and redirects is created, audited, upgraded and rolled
// back like others. Changes of them on a running farm are switched and can be switched back, and a
// change that the web server refuses leaves everything as it was.
func TestWebOfAFarm(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	must(t, os.MkdirAll(filepath.Join(f.demo.Dir, "static/alpha"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.demo.Dir, "static/alpha/robots.txt"), []byte("alpha's robots"), 0o644))
	f.write("tenants/alpha.toml", webTenant)
	f.run("create", "alpha", "beta")
	root := map[string]string{
		"/": "301 /Main_Page", "/Main_Page": "200 /w/load.php", "/w/api.php": "200 ", "/robots.txt": "200 alpha's robots",
		"/mw/w/index.php?x=y": "301 /w/index.php?x=y", "/w/includes/Defines.php": "404 ", "/w/images/": "404 ",
	}
	f.answers(root)
	for _, found := range f.audit("alpha", "beta") {
		if found.Rule != "mediawiki-eol" {
			t.Errorf("found is %+v", found)
		}
	}
	f.edits("alpha", "codebase", "1.43")
	f.wants(f.run("upgrade", "alpha"), "upgrade: 1 done")
	f.answers(root)
	f.wants(f.run("rollback", "--yes", "alpha"), "1 done")
	f.answers(root)

	// Another path, no folder: the release that was served comes back when the check fails.
	f.write("tenants/alpha.toml", strings.NewReplacer(`article_path = "/$1"`, "", "static = \"static/alpha\"\n", "").Replace(webTenant))
	farm := f.read("wikictl.toml")
	f.write("wikictl.toml", strings.Replace(farm, "check ", "check = [\"false\"]\n# check ", 1))
	f.exits(2, "apply", "alpha")
	f.answers(root)
	f.write("wikictl.toml", farm)
	f.wants(f.exits(1, "plan", "alpha"), "alpha")
	f.run("apply", "alpha")
	f.answers(map[string]string{
		"/": "301 /wiki/Main_Page", "/wiki/Main_Page": "200 /w/load.php", "/Main_Page": "404 ", "/robots.txt": "404 ",
		"/mw/w/index.php?x=y": "301 /w/index.php?x=y",
	})
	f.exits(0, "plan", "alpha")

	f.write("tenants/alpha.toml", strings.Replace(webTenant, "static/alpha", "static/none", 1))
	f.wants(f.exits(2, "plan", "alpha", "beta"), "static/none", "make it below")
}

// edits sets a key of a tenant's file, before its first table.
func (f *farm) edits(tenant, key, value string) {
	name := "tenants/" + tenant + ".toml"
	f.write(name, fmt.Sprintf("%s = %q\n%s", key, value, f.read(name)))
}

// answers asks the wiki alpha for paths, and wants a status and a part of the answer, or
// where it leads.
func (f *farm) answers(wanted map[string]string) {
	f.t.Helper()
	for path, want := range wanted {
		f.comesTo(path, want, func() string { return f.asked("alpha.localhost", path) })
	}
}

// comesTo asks until an answer begins with the status that want begins with, and contains
// the rest of want: the web server's old workers answer for a moment after a reload.
func (f *farm) comesTo(what, want string, ask func() string) {
	f.t.Helper()
	status, part, _ := strings.Cut(want, " ")
	got := ""
	for begun := time.Now(); time.Since(begun) < reloading; time.Sleep(20 * time.Millisecond) {
		if got = ask(); strings.HasPrefix(got, status+" ") && strings.Contains(got, part) {
			return
		}
	}
	f.t.Errorf("%s: %.300s, want %s", what, got, want)
}

// asked is the status of an answer with its body, or where it leads.
func (f *farm) asked(host, path string) string {
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", f.demo.Web.Port, path), nil)
	must(f.t, err)
	request.Host = host
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s%s", response.StatusCode, response.Header.Get("Location"), body)
}
