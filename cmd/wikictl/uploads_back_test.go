package main

import (
	"net/url"
	"strings"
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
