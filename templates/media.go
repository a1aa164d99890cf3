package templates

import (
	"bytes"
	"fmt"
	"strings"

	"wikictl/tenants"
)

// Media describes the files of another wiki, the owner, that a wiki shows.
type Media struct {
	Of           string // the owner's name
	Database     string
	Directory    string // the owner's $wgUploadDirectory
	URL          string // address of the files
	Script       string // address of the folder of index.php
	Articles     string // address of a page, with $1 for its title
	Descriptions string // what the addresses of pages of files begin with
	HashLevels   int64  // of folders of the files
	Capital      bool   // names of files begin with a capital letter
	Maintenance  string // the owner's maintenance page
}

// mediaOf describes the files of another wiki that a tenant shows; nil if it shows only its own.
func mediaOf(t *tenants.Tenant, web tenants.Web, l tenants.Layout) *Media {
	o := t.Media
	if o == nil {
		return nil
	}
	server := web.AddressOf(o)
	m := &Media{
		Of: o.Name, Database: o.Database, Directory: l.Images(o.Name), URL: server + o.ScriptPath + "/images",
		Script: server + o.ScriptPath, Articles: server + o.Articles, HashLevels: 2, Capital: o.CapitalFiles(),
		Descriptions: server + strings.Replace(o.Articles, "$1", "File:", 1), Maintenance: l.Maintenance(o.Name),
	}
	if o.Settings["wgHashedUploadDirectory"].Data == false {
		m.HashLevels = 0
	}
	return m
}

// checkMedia refuses settings that a template of the farm's own rendered without the files of
// the other wiki that the tenant shows.
func (v *View) checkMedia(settings []byte, label string) error {
	if v.Media == nil || bytes.Contains(settings, []byte("ForeignDBViaLBRepo")) && bytes.Contains(settings, []byte(v.Media.Maintenance)) {
		return nil
	}
	return withoutBlock("media", label, fmt.Sprintf("it leaves out that %s shows files of %s", v.Tenant.Name, v.Media.Of))
}
