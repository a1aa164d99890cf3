package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// ownPools gives each wiki of a farm a pool of its own, and all of them one virtual host.
func (f *farm) ownPools() {
	f.t.Helper()
	f.demo.Web.Pools = f.state("pools")
	must(f.t, f.demo.Web.Stop(f.t.Context()))
	must(f.t, f.demo.Web.Start(f.t.Context()))
	script := filepath.Join(f.demo.Dir, "reload")
	must(f.t, os.WriteFile(script, []byte("#!/bin/sh\nkill -USR2 $(cat "+f.demo.Web.Dir+"/fpm.pid)\nexec \"$@\"\n"), 0o755))
	text := strings.Replace(f.read("wikictl.toml"), "reload = [", fmt.Sprintf("pools = true\nvhosts = \"map\"\nreload = [%q, ", script), 1)
	f.write("wikictl.toml", text+"[defaults.redirects]\n\"/old/*\" = \"/wiki/*\"\n")
}

// Wikis with a pool and a user each, behind one virtual host, live as others do: nothing of
// one is readable for another's PHP, and all that its own wrote stays its own through
// upgrades, ways back, copies and removals.
func TestOwnPoolsAndMap(t *testing.T) {
	t.Parallel()
	needs.Root(t, "running PHP as other users")
	f := newFarm(t)
	f.ownPools()
	f.define(3)
	plain := f.read("tenants/w2.toml")
	f.write("tenants/w0.toml", "aliases = [\"www.w0.localhost\"]\npool.user = \"nobody\"\n"+f.read("tenants/w0.toml"))
	f.write("tenants/w1.toml", "state = \"private\"\npool.user = \"games\"\n"+f.read("tenants/w1.toml"))
	f.run("create", "--all")
	f.mapped(map[string]string{
		"w0.localhost /wiki/Main_Page": "200 <title>", "www.w0.localhost /wiki/X?y=z": "301 SERVER/wiki/X?y=z", "w0.localhost /old/X": "301 SERVER/wiki/X",
		"w0.localhost /includes/Defines.php": "404 ", "other.localhost /": "404 ", "w2.localhost /": "301 http://w2.localhost",
	})
	files := map[string]map[string]string{"w0": f.wide("w0"), "w1": f.wide("w1")}
	owners := map[string]string{"w0": "nobody", "w1": "games", "w2": "www-data"}
	sound := func(what string) {
		t.Helper()
		f.writtenBy(what, owners)
		f.picturesServed(what, files)
	}
	sound("created")
	f.closedToOthers("w0", "nobody", "games")
	f.closedToOthers("w1", "games", "www-data")
	out, story, code := f.typed("echo 'by ', posix_geteuid(), '.';", "run", "w0", "w1", "w2", "--", "eval")
	for _, name := range owners {
		if !strings.Contains(out, "by "+userOf(t, name).Uid+".") || code != 0 {
			t.Errorf("no script ran as %s: %d %s %s", name, code, out, story)
		}
	}
	f.run("jobs", "run", "w0", "w1", "w2")
	f.soundFiles()

	older := f.read("wikictl.toml")
	f.want143()
	if out, code := f.held("w0", "update.php", "before", func() {
		f.mapped(map[string]string{"w0.localhost /wiki/Main_Page": "503 ", "www.w0.localhost /wiki/X": "301 SERVER/wiki/X", "w2.localhost /wiki/Main_Page": "200 "})
	}, "upgrade", "w0"); code != 0 {
		t.Fatal(out)
	}
	f.wants(f.client("w0").version(), "1.43")
	sound("upgraded")
	f.run("rollback", "--yes", "w0")
	f.write("wikictl.toml", older)
	sound("rolled back")

	f.run("backup", "w1")
	definition := f.read("tenants/w0.toml")
	// php-fpm is reloaded with the web server, and finishes the pages of others.
	f.honest("w2.localhost", "/wiki/Main_Page", func() { f.run("delete", "--yes", "w0") })
	f.mapped(map[string]string{"w0.localhost /wiki/Main_Page": "410 ", "www.w0.localhost /": "410 ", "w2.localhost /wiki/Main_Page": "200 "})
	f.write("tenants/w0.toml", definition)
	f.run("undelete", "w0")
	f.run("restore", "--yes", "w1")
	sound("brought back")

	// A copy as another user, a new name, and the common user again. Both names mean something in
	// php-fpm's files: a pool that it has besides those of wikis, and no pool.
	f.write("tenants/www.toml", strings.NewReplacer("w2", "www", "Wiki 2", "Copy").Replace("pool.user = \"games\"\n"+plain))
	f.run("clone", "w0", "www")
	owners["www"], files["www"] = "games", files["w0"]
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants/w2.toml")))
	f.write("tenants/global.toml", "database = \"wiki_w2\"\npool.user = \"nobody\"\n"+strings.ReplaceAll(plain, "w2", "global"))
	f.run("apply", "global")
	owners["global"] = "nobody"
	delete(owners, "w2")
	f.mapped(map[string]string{"w2.localhost /wiki/Main_Page": "404 ", "global.localhost /wiki/Main_Page": "200 "})
	if c, err := net.Dial("unix", strings.TrimPrefix(f.demo.Web.FPM(), "unix:")); err != nil {
		t.Errorf("the wiki www took the place of php-fpm's own pool www: %v", err)
	} else {
		c.Close()
	}
	f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "games", "www-data", 1))
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "pool.user = \"nobody\"\n", "state = \"closed\"\n", 1))
	f.run("apply", "--all")
	owners["w0"], owners["w1"] = "www-data", "www-data"
	sound("moved")
	if answer := f.client("w0").call(url.Values{"action": {"edit"}, "title": {"X"}, "text": {"x"}, "token": {f.client("w0").token("csrf")}}); at(answer, "error", "code") != "readonly" {
		t.Errorf("a closed wiki takes an edit: %v", answer)
	}
	f.soundFiles()
}

// soundFiles wants audit to find nothing but advice.
func (f *farm) soundFiles() {
	f.t.Helper()
	for _, found := range f.audit() {
		if found.Severity != "note" && found.Rule != "mediawiki-eol" {
			f.t.Errorf("found is %+v", found)
		}
	}
}

func userOf(t *testing.T, name string) *user.User {
	t.Helper()
	u, err := user.Lookup(name)
	must(t, err)
	return u
}

// mapped asks for "host path", and wants a status and a part of the answer, or where it
// leads; SERVER is the address of w0. Old workers of nginx answer for a moment.
func (f *farm) mapped(wanted map[string]string) {
	f.t.Helper()
	for address, want := range wanted {
		host, path, _ := strings.Cut(address, " ")
		want = strings.Replace(want, "SERVER", fmt.Sprintf("http://w0.localhost:%d", f.demo.Web.Port), 1)
		f.comesTo(address, want, func() string { return f.asked(host, path) })
	}
}

// wide uploads a picture of 200 by 100 pixels as the administrator, deletes another, and has
// a thumbnail made; it returns the paths of both and which statuses a stranger gets.
func (f *farm) wide(tenant string) map[string]string {
	f.t.Helper()
	c := f.client(tenant)
	c.login(tenant)
	var picture bytes.Buffer
	must(f.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 200, 100))))
	for _, name := range []string{"Wide.png", "Gone.png"} {
		c.uploads(name, picture.String()+name)
	}
	if answer := c.call(url.Values{"action": {"delete"}, "title": {"File:Gone.png"}, "token": {c.token("csrf")}}); at(answer, "delete", "title") == nil {
		f.t.Fatal(answer)
	}
	answer := c.call(url.Values{"action": {"query"}, "titles": {"File:Wide.png"}, "prop": {"imageinfo"}, "iiprop": {"url"}, "iiurlwidth": {"120"}})
	pages, _ := at(answer, "query", "pages").([]any)
	infos, _ := at(pages[0], "imageinfo").([]any)
	paths := map[string]string{}
	for _, kind := range []string{"url", "thumburl"} {
		u, err := url.Parse(fmt.Sprint(at(infos[0], kind)))
		must(f.t, err)
		if paths[kind] = u.Path; !strings.Contains(u.Path, "Wide.png") {
			f.t.Fatal(answer)
		}
	}
	return paths
}

// picturesServed wants each file and its thumbnail to be sent to members, and to strangers
// where the wiki is public.
func (f *farm) picturesServed(what string, files map[string]map[string]string) {
	f.t.Helper()
	for tenant, paths := range files {
		member := f.client(tenant)
		if tenant == "w1" {
			member.login(tenant)
		}
		for _, path := range paths {
			f.comesTo(what+": "+tenant+path, "200 \x89PNG", func() string {
				status, _, body := member.get(path)
				return fmt.Sprint(status, " ", body)
			})
			stranger, _, _ := f.client(tenant).get(path)
			if past, _, _ := member.get("/images" + strings.TrimPrefix(strings.TrimPrefix(path, "/img_auth.php"), "/images")); tenant == "w1" && (stranger != 403 || past != 404) {
				f.t.Errorf("%s: the private %s: a stranger gets %d, and past MediaWiki %d", what, path, stranger, past)
			}
		}
	}
}

// writtenBy wants everything that a wiki's PHP writes to be its user's, and its settings to
// be that user's group's alone.
func (f *farm) writtenBy(what string, owners map[string]string) {
	f.t.Helper()
	for tenant, name := range owners {
		u := userOf(f.t, name)
		for _, folder := range []string{"images", "cache"} {
			root := f.state(filepath.Join("wikis", tenant, folder))
			must(f.t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
				must(f.t, err)
				info, err := e.Info()
				must(f.t, err)
				if uid := info.Sys().(*syscall.Stat_t).Uid; fmt.Sprint(uid) != u.Uid || path == root && info.Mode().Perm()&0o007 != 0 {
					f.t.Errorf("%s: %s of %d with %v, want %s's", what, path, uid, info.Mode(), name)
				}
				return nil
			}))
		}
		info, err := os.Stat(f.state(filepath.Join("wikis", tenant, "current/LocalSettings.php")))
		must(f.t, err)
		if gid := info.Sys().(*syscall.Stat_t).Gid; fmt.Sprint(gid) != u.Gid || info.Mode().Perm()&0o007 != 0 {
			f.t.Errorf("%s: settings of %s: group %d, %v", what, tenant, gid, info.Mode())
		}
	}
}

// closedToOthers wants a wiki's settings and uploads to be readable by its own user only.
func (f *farm) closedToOthers(tenant, own, other string) {
	f.t.Helper()
	for _, path := range []string{"current/LocalSettings.php", "images"} {
		path = f.state(filepath.Join("wikis", tenant, path))
		for _, name := range []string{own, other} {
			u := userOf(f.t, name)
			uid, err := strconv.ParseUint(u.Uid, 10, 32)
			must(f.t, err)
			gid, err := strconv.ParseUint(u.Gid, 10, 32)
			must(f.t, err)
			cmd := exec.Command("test", "-r", path)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
			// The web server reads uploads.
			want := name == own || name == "www-data" && filepath.Base(path) == "images"
			if reads := cmd.Run() == nil; reads != want {
				f.t.Errorf("%s reads %s: %v", name, path, reads)
			}
		}
	}
}
