package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A wiki shows the files of another beside its own, with thumbnails that the other makes, on a
// newer version than the other's and on an older one, through the other's upgrade. Its account
// reads exactly the tables that MediaWiki does. Definitions that would show files of
// a private wiki, or lose the files, are refused.
func TestSharedMedia(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.moves("w1", "1.43")
	f.showsMedia("w1", "w0")
	f.showsMedia("w2", "w0")
	f.wants(f.saysNo("create", "w1"), "w0, whose files it is to show, is not created yet")
	f.wants(f.exits(1, "plan", "w1"), "with the files of w0")
	f.exits(0, "create", "--all")
	f.exits(0, "plan")
	f.mediaIsShown()
	f.mediaIsGranted()
	f.mediaIsUpgraded()
	f.mediaIsGuarded()
}

// showsMedia has a wiki's definition show the files of another.
func (f *farm) showsMedia(name, owner string) {
	f.t.Helper()
	f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+"[shared]\nmedia = \""+owner+"\"\n")
}

// photo is a picture that is large enough for a thumbnail.
func photo(t *testing.T, shade uint8) string {
	picture := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range picture.Pix {
		picture.Pix[i] = shade + uint8(i)
	}
	picture.SetGray(0, 0, color.Gray{shade})
	var data bytes.Buffer
	must(t, png.Encode(&data, picture))
	return data.String()
}

// get asks for a path of a wiki, with the client's cookies.
func (c *client) get(path string) (status int, kind, body string) {
	c.f.t.Helper()
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", c.f.demo.Web.Port, path), nil)
	must(c.f.t, err)
	request.Host = c.host
	response, err := c.http.Do(request)
	must(c.f.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(c.f.t, err)
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// mediaIsShown uploads a file to the owner in two versions, with a redirect to it, and uses it.
func (f *farm) mediaIsShown() {
	f.t.Helper()
	owner := f.client("w0")
	owner.login("w0")
	owner.uploads("Photo.png", photo(f.t, 1))
	owner.uploads("Photo.png", photo(f.t, 2))
	owner.edit("File:Photo.png", "The owner describes it.")
	owner.edit("File:Other name.png", "#REDIRECT [[File:Photo.png]]")
	f.photoIsShown("w1", "Gallery", 120)
}

var thumbnail = regexp.MustCompile(`src="http://w0\.localhost(?::\d+)?(/images/thumb/[^"]+)"`)

// photoIsShown uses the owner's file on a new page of another wiki, in all ways that ask
// the owner's tables.
func (f *farm) photoIsShown(name, title string, width int) {
	f.t.Helper()
	c := f.client(name)
	c.edit(title, fmt.Sprintf("[[File:Photo.png|thumb|%dpx]] and [[File:Other name.png|%dpx]]", width, width+1))
	_, _, page := c.get("/wiki/" + strings.ReplaceAll(title, " ", "_"))
	found := thumbnail.FindAllStringSubmatch(page, -1)
	if len(found) != 2 {
		f.t.Fatalf("%s has %d thumbnails of the owner's:\n%s", title, len(found), page)
	}
	for _, one := range found {
		if status, kind, _ := f.client("w0").get(one[1]); status != 200 || kind != "image/png" {
			f.t.Errorf("%s: %d %s", one[1], status, kind)
		}
	}
	for path, want := range map[string]string{
		"/wiki/File:Photo.png":                                   "The owner describes it.",
		"/wiki/File:Other_name.png":                              "Photo.png",
		"/index.php?title=Special:FileDuplicateSearch/Photo.png": "Photo.png",
	} {
		if status, _, body := c.get(path); status != 200 || !strings.Contains(body, want) {
			f.t.Errorf("%s: %d, without %q:\n%.3000s", path, status, want, body)
		}
	}
	answer := fmt.Sprint(c.call(url.Values{"action": {"query"}, "titles": {"File:Photo.png"}, "prop": {"imageinfo|duplicatefiles"}, "iilimit": {"max"},
		"iiprop": {"timestamp|user|userid|comment|parsedcomment|canonicaltitle|url|size|sha1|mime|mediatype|metadata|commonmetadata|extmetadata|archivename|bitdepth"}}))
	f.wants(answer, "imagerepository:w0", "user:Admin", "archivename:")
}

// mediaIsGranted compares the rights of the account with what MediaWiki reads, both ways.
func (f *farm) mediaIsGranted() {
	f.t.Helper()
	f.audited("w1")
	rights := "SELECT CONCAT(Table_name, ':', Table_priv) FROM mysql.tables_priv WHERE User = 'wiki_w1' ORDER BY 1"
	want := []string{"actor:Select", "comment:Select", "image:Select", "oldimage:Select", "page:Select", "redirect:Select"}
	if got := f.sql(rights); !slices.Equal(got, want) {
		f.t.Errorf("wiki_w1 may %v, want %v", got, want)
	}
	f.sql("REVOKE SELECT ON wiki_w0.redirect FROM wiki_w1@localhost; GRANT SELECT ON wiki_w0.user TO wiki_w1@localhost")
	f.wants(f.exits(1, "audit", "w1"), "grant-missing", "grant-extra")
	f.wants(f.exits(1, "plan", "w1"), "grant SELECT on wiki_w0.redirect", "revoke SELECT on wiki_w0.user")
	f.exits(0, "apply", "w1")
	if got := f.sql(rights); !slices.Equal(got, want) {
		f.t.Errorf("after apply wiki_w1 may %v, want %v", got, want)
	}
	f.audited("w1")
}

// mediaIsUpgraded upgrades the owner, from older code than the one's to newer code than the
// other's.
func (f *farm) mediaIsUpgraded() {
	f.t.Helper()
	f.moves("w0", "1.43")
	f.wants(f.exits(1, "upgrade", "--dry-run", "w0"), "w1, w2: closed for a part of the time with it")
	out, code := f.held("w0", "update.php", "before", func() {
		if status, _, _ := f.client("w1").get("/wiki/Main_Page"); status != 503 {
			f.t.Error("w1 answers while the owner's tables are changed:", status)
		}
	}, "upgrade", "w0")
	if code != 0 {
		f.t.Fatal(code, out)
	}
	f.photoIsShown("w2", "Older", 140)
	f.write("tenants/w2.toml", strings.Split(f.read("tenants/w2.toml"), "[shared]")[0])
	f.wants(f.exits(1, "plan", "w2"), "revoke SELECT on wiki_w0.image")
	f.exits(0, "apply", "w2")
	f.mayNotRead("w2")
	f.exits(0, "plan")
}

// moves sets a wiki's codebase.
func (f *farm) moves(name, codebase string) {
	f.t.Helper()
	text := regexp.MustCompile(`(?m)^codebase.*\n`).ReplaceAllString(f.read("tenants/"+name+".toml"), "")
	f.write("tenants/"+name+".toml", strings.Replace(text, "sitename", "codebase = \""+codebase+"\"\nsitename", 1))
}

// mediaIsGuarded has the owner removed, its viewer given up, and the owner become private.
func (f *farm) mediaIsGuarded() {
	f.t.Helper()
	owner, member := f.read("tenants/w0.toml"), f.read("tenants/w1.toml")
	f.wants(f.saysNo("delete", "w0", "--dry-run"), "its files are shown by w1", "take media out")
	must(f.t, os.Remove(filepath.Join(f.demo.Dir, "tenants/w1.toml")))
	f.wants(f.saysNo("delete", "w0", "--dry-run"), "w1, which no file defines any more", "apply --prune")
	f.write("tenants/w1.toml", member)
	f.write("tenants/w0.toml", strings.Replace(owner, "sitename", "state = \"private\"\nsitename", 1))
	f.mediaIsDenied()
	f.write("tenants/w0.toml", owner)
	f.write("tenants/w1.toml", strings.Split(member, "[shared]")[0])
	f.audited("w1")
	f.exits(1, "delete", "w0", "--dry-run")
}

// mediaIsDenied takes the files of the owner, which is private now, away from the wiki.
func (f *farm) mediaIsDenied() {
	f.t.Helper()
	f.write("tenants/new.toml", "name = \"new\"\nhosts = [\"new.localhost\"]\nsitename = \"New\"\nskins = [\"Vector\"]\n[shared]\nmedia = \"w0\"\n")
	f.wants(f.saysNo("create", "new", "--dry-run"), `"w0" is private by tenants/w0.toml:`, "remove media")
	must(f.t, os.Remove(filepath.Join(f.demo.Dir, "tenants/new.toml")))
	f.wants(f.exits(1, "audit", "w1"), "media-denied", `"w0" is private by tenants/w0.toml:`, "grant-extra", "SELECT on wiki_w0.image")
	f.wants(f.exits(1, "plan", "w1"), "revoke SELECT on wiki_w0.image", "it shows no files of w0 any more")
	f.exits(0, "apply", "w1")
	f.mayNotRead("w1")
	if _, _, page := f.client("w1").get("/wiki/Gallery?action=purge"); strings.Contains(page, "w0.localhost") {
		f.t.Error("w1 still shows files of a private wiki")
	}
	f.lacks(f.read("state/wikis/w1/current/LocalSettings.php"), "ForeignDBViaLBRepo")
	f.exits(0, "plan", "w1")
	found := f.audit("w1")
	if len(found) != 1 || found[0].Rule != "media-denied" {
		f.t.Errorf("after apply audit finds %+v", found)
	}
}

// mayNotRead wants a wiki's accounts to have no rights on single tables.
func (f *farm) mayNotRead(name string) {
	f.t.Helper()
	if left := f.sql("SELECT Table_name FROM mysql.tables_priv WHERE User LIKE 'wiki_" + name + "%'"); len(left) > 0 {
		f.t.Errorf("%s may still read %v", name, left)
	}
}
