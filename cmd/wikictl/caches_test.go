package main

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cached content of a replaced database is never shown: texts and revisions, whose ids are used
// again, users, whose keys have changed, and messages. That holds after a restore, and for a new
// wiki under the name of a removed one, with caches in APCu and memcached; also on code that
// ignores $wgCachePrefix, as MediaWiki 1.47 will.
func TestLostContentIsNotCached(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	server := f.memcached()
	define := func() {
		f.define(3)
		f.edits("w0", "codebase", "1.43")
		f.edits("w1", "codebase", "1.43")
		f.write("tenants/w0.toml", f.read("tenants/w0.toml")+"\nwgUseFileCache = true\n")
		for _, tenant := range []string{"w1", "w2"} {
			f.write("tenants/"+tenant+".toml", f.read("tenants/"+tenant+".toml")+fmt.Sprintf(`
wgMainCacheType = "memcached-php"
wgMemCachedServers = [%q]
`, server))
		}
	}
	f.ignorePrefix()
	define()
	f.exits(0, "create", "--all")
	f.exits(0, "backup", "w0")
	known := f.keepsPage("w0")
	f.pagesAreKeptApart("w0")
	f.losesEdits([]string{"w0"}, func() {
		f.exits(0, "restore", "w0", "--yes")
		if file := f.keptPage("w0"); file != "" {
			t.Error("after the restore is kept", file)
		}
		for _, since := range []string{known, ""} {
			if status, page := f.unlessSince("w0", since); status != 200 || strings.Contains(page, "lost front") {
				t.Errorf("who knows the page of %q gets %d: %s", since, status, page)
			}
		}
	})
	f.keptPagesAreTooOld("w0")
	f.losesEdits([]string{"w1", "w2"}, func() {
		for _, tenant := range []string{"w1", "w2"} {
			f.exits(0, "delete", tenant, "--yes", "--no-backup")
			f.exits(0, "purge", tenant, "--early", "--yes")
		}
		define()
		f.exits(0, "create", "w1", "w2")
		time.Sleep(3 * time.Second) // opcache.revalidate_freq: their settings have the paths of the former wikis'
	})
}

// ignorePrefix has the farm's tree 1.43 be a copy whose caches do not know $wgCachePrefix.
func (f *farm) ignorePrefix() {
	f.t.Helper()
	from, to := filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.43"), filepath.Join(f.demo.Dir, "trees/1.43")
	must(f.t, os.MkdirAll(to, 0o755))
	entries, err := os.ReadDir(from)
	must(f.t, err)
	for _, e := range entries {
		name := e.Name()
		if info, err := os.Stat(filepath.Join(from, name)); err == nil && info.IsDir() && !slices.Contains([]string{"includes", "maintenance"}, name) {
			must(f.t, os.Symlink(filepath.Join(from, name), filepath.Join(to, name)))
		} else if out, err := exec.Command("cp", "-rH", filepath.Join(from, name), to).CombinedOutput(); err != nil {
			f.t.Fatalf("%v: %s", err, out)
		}
	}
	f.edit(filepath.Join(to, "includes/objectcache/ObjectCacheFactory.php"), regexp.MustCompile(`is_string\( \$cachePrefix \) && `), "false && ")
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), from, to, 1))
}

// keepsPage makes an edit that is to be lost, and has the wiki and a reader keep the page. It
// returns the time at which the reader got it.
func (f *farm) keepsPage(tenant string) (known string) {
	f.t.Helper()
	f.client(tenant).edit("Main Page", "a lost front")
	for range 50 {
		if status, page := f.unlessSince(tenant, ""); status != 200 || !strings.Contains(page, "a lost front") {
			f.t.Fatalf("%d: %s", status, page)
		}
		known = time.Now().UTC().Format(http.TimeFormat)
		if status, _ := f.unlessSince(tenant, known); status == 304 {
			return known
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.t.Fatalf("the page of %s is sent again", known)
	return ""
}

// pagesAreKeptApart wants the pages that a wiki keeps to be where the web server does not send them.
func (f *farm) pagesAreKeptApart(tenant string) {
	f.t.Helper()
	if f.keptPage(tenant) == "" {
		f.t.Error("no page is kept")
	}
	if among, _ := os.ReadDir(f.state("wikis/" + tenant + "/images/cache")); len(among) > 0 {
		f.t.Errorf("among the uploads is %v", among)
	}
}

// keptPage returns the file of the main page that $wgUseFileCache keeps; empty for none.
func (f *farm) keptPage(tenant string) (found string) {
	filepath.WalkDir(f.state("wikis/"+tenant+"/cache"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(e.Name(), "Main_Page.html") {
			found = path
		}
		return nil
	})
	return found
}

// keptPagesAreTooOld changes a wiki's settings: pages that it kept until they were switched to are
// not sent, though the new settings had been written before; and nothing that is kept is sent when
// the wiki has become private.
func (f *farm) keptPagesAreTooOld(tenant string) {
	f.t.Helper()
	f.keepsPage(tenant)
	file, definition := f.keptPage(tenant), f.read("tenants/"+tenant+".toml")
	for _, change := range []struct {
		key string        // what the definition has besides
		age time.Duration // of the page; the last is from the future, and even a public wiki would send it
	}{{"", time.Minute}, {"state = \"private\"\n", -time.Hour}} {
		f.write("tenants/"+tenant+".toml", change.key+strings.Replace(definition, "Wiki 0", "Wiki Zero", 1))
		f.exits(0, "apply", tenant)
		must(f.t, os.WriteFile(file, []byte(strings.Repeat("a kept page ", 100)), 0o644))
		for path, age := range map[string]time.Duration{file: change.age, f.state("wikis/" + tenant + "/current/LocalSettings.php"): time.Hour} {
			then := time.Now().Add(-age)
			must(f.t, os.Chtimes(path, then, then))
		}
		if status, got := f.unlessSince(tenant, ""); status != 200 || strings.Contains(got, "a kept page") {
			f.t.Errorf("after %q a stranger gets %d %.300s", change.key, status, got)
		}
	}
}

// unlessSince asks for a wiki's main page unless it is as at a time.
func (f *farm) unlessSince(tenant, since string) (status int, page string) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), "GET", fmt.Sprintf("http://127.0.0.1:%d/index.php?title=Main_Page", f.demo.Web.Port), nil)
	must(f.t, err)
	request.Host = tenant + ".localhost"
	if since != "" {
		request.Header.Set("If-Modified-Since", since)
	}
	response, err := http.DefaultClient.Do(request)
	must(f.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(f.t, err)
	return response.StatusCode, string(text)
}

// memcached starts memcached and returns the address of its socket.
func (f *farm) memcached() string {
	f.t.Helper()
	socket := filepath.Join(f.demo.Dir, "run/memcached.sock")
	server := exec.Command("memcached", "-u", "root", "-s", socket, "-a", "0777")
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(f.t, server.Start())
	f.t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for range 100 {
		if _, err := os.Stat(socket); err == nil {
			return "unix://" + socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.t.Fatalf("%s: there is no socket", server)
	return ""
}

// losesEdits makes edits whose content is cached, has the databases replaced, and edits again:
// pages and messages have the new text, and the administrators can log in.
func (f *farm) losesEdits(list []string, replace func()) {
	f.t.Helper()
	for _, tenant := range list {
		f.caches(tenant, "of the lost")
	}
	replace()
	for _, tenant := range list {
		f.caches(tenant, "of what is kept")
		reader := f.client(tenant)
		for _, title := range []string{"Report", "MediaWiki:Sidebar"} {
			f.wants(reader.page(title), "of what is kept")
		}
		if _, _, page := reader.get("/index.php?title=Report"); strings.Contains(page, "of the lost") || !strings.Contains(page, "of what is kept") {
			f.t.Errorf("%s: the sidebar is another: %s", tenant, page)
		}
	}
}

// caches makes edits and reads the pages, so that they are cached.
func (f *farm) caches(tenant, text string) {
	f.t.Helper()
	c := f.client(tenant)
	c.login(tenant)
	c.edit("Report", "a report "+text)
	c.edit("MediaWiki:Sidebar", "** mainpage|entry "+text)
	f.client(tenant).page("Report")
	f.client(tenant).page("MediaWiki:Sidebar")
}
