package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// pixel is the path of Pixel.gif, which MediaWiki derives from the name.
const pixel = "/images/c/cd/Pixel.gif"

// movesUpload moves the wiki's upload Pixel.gif to another name, and uploads other data by its name.
func (c *client) movesUpload() {
	c.f.t.Helper()
	answer := c.call(url.Values{"action": {"move"}, "from": {"File:Pixel.gif"}, "to": {"File:Moved.gif"}, "noredirect": {"1"}, "token": {c.token("csrf")}})
	if at(answer, "move", "to") != "File:Moved.gif" {
		c.f.t.Fatal(answer)
	}
	c.uploads("Pixel.gif", "GIF89a\x02\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02\x84\n\x00;")
}

// hasPixel wants that Pixel.gif is the picture of one pixel.
func (c *client) hasPixel() {
	c.f.t.Helper()
	if status, _, data := c.get(pixel); status != 200 || !strings.HasPrefix(data, "GIF89a\x01\x00") {
		c.f.t.Errorf("%s is %d, and begins with %.8q", pixel, status, data)
	}
}

// lacksPixel wants that Pixel.gif can't be fetched.
func (c *client) lacksPixel() {
	c.f.t.Helper()
	if status, _, _ := c.get(pixel); status != 404 {
		c.f.t.Errorf("%s is %d", pixel, status)
	}
}

// Files that were deleted since an upgrade are public after its rollback, and no longer once the
// rollback is undone. A rollback whose files find no room is finished by the same command.
func TestUploadsFollowRollbacks(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.exits(0, "create", "--all")
	leave := f.smallDisk("wikis/w0/images")
	c := f.client("w0")
	c.login("w0")
	c.upload("Pixel.gif")
	f.write("tenants/w0.toml", "codebase = \"1.43\"\n"+f.read("tenants/w0.toml"))
	f.exits(0, "upgrade", "w0")
	c = f.client("w0")
	c.login("w0")
	c.call(url.Values{"action": {"delete"}, "title": {"File:Pixel.gif"}, "token": {c.token("csrf")}})
	c.lacksPixel()
	leave(0)
	out, code := f.struck(event{}, "rollback", "--yes", "w0")
	if code != 2 {
		t.Error(code)
	}
	f.wants(out, "put uploads back: ", "no space left on device", "make room in ", "until wikictl rollback w0 is run again")
	leave(1 << 20)
	f.exits(0, "rollback", "--yes", "w0")
	c.hasPixel()
	f.exits(0, "rollback", "--yes", "--to", f.newest("w0", "undone_by"), "w0")
	c.lacksPixel()
	f.exits(0, "rollback", "--yes", "w0")
	c.hasPixel()
}

// smallDisk puts a file system in the place of an empty folder of the state folder. It returns what
// leaves a number of bytes free there.
func (f *farm) smallDisk(name string) (leave func(n int64)) {
	f.t.Helper()
	needs.Root(f.t, "mounting a file system")
	dir := f.state(name)
	info, err := os.Stat(dir)
	must(f.t, err)
	needs.Allowed(f.t, syscall.Mount("none", dir, "tmpfs", 0, "size=1m"), "mounting a file system")
	f.t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	owner := info.Sys().(*syscall.Stat_t)
	must(f.t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	must(f.t, os.Chmod(dir, info.Mode().Perm()))
	return func(n int64) {
		f.t.Helper()
		var s syscall.Statfs_t
		must(f.t, syscall.Statfs(dir, &s))
		must(f.t, syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", int64(s.Blocks-s.Bfree)*s.Bsize+n)))
	}
}
