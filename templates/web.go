package templates

import (
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Move is a redirect in the form of virtual hosts.
type Move struct {
	Pattern string // matches the path as it was sent; its group follows Target
	Target  string // full address
	Query   bool   // the query is kept
}

// moves returns a tenant's redirects with their full addresses.
func moves(t *tenants.Tenant, server string) []Move {
	var all []Move
	for _, m := range t.Moves {
		target := m.To
		if strings.HasPrefix(target, "/") {
			target = server + target
		}
		all = append(all, Move{Pattern: m.Pattern(), Target: target, Query: m.Query()})
	}
	return all
}

// staticFolders lists a tenant's folders of static files, the most general first.
func staticFolders(f *tenants.Farm, t *tenants.Tenant) []string {
	var folders []string
	for _, folder := range slices.Backward(t.Static) {
		folders = append(folders, filepath.Join(f.Dir, folder))
	}
	return folders
}

// Paths holds the parts of a wiki's address, and regular expressions (PCRE) for the files
// that the web server sends. They contain neither a backslash nor a $, which nginx and
// Apache read differently.
type Paths struct {
	Path       string // the folder of all of the wiki's addresses; empty: the root
	All        string // all addresses below it
	Files      string // addresses that may be static files; the group is the path in the folder, named, because nginx encodes numbered groups
	Closing    string // of the maintenance page, with Apache
	ScriptPath string // $wgScriptPath
	Articles   string // $wgArticlePath
	Strip      string // removes ScriptPath; its group is the rest
	Pages      string // pages, and the main address
	Entries    string // MediaWiki's entry points; the group is the name without .php
	Asked      string // those at the root for wikictl's own requests, if ScriptPath is not the root
	Code       string // files of the code; the group is the path in the codebase
	Uploads    string // files of Images
	Thumbs     string // thumbnails; the group is the path below the folder thumb
	RootPages  bool   // any other path is a page
	NoPages    string // exceptions from RootPages: below the script path, if that is not the root
}

// end matches the end of an address.
const end = `(?![^/]|/)`

// codeTypes are the endings of styles, scripts and pictures.
const codeTypes = `(?:css|less|js|mjs|map|png|gif|jpe?g|svg|webp|ico|cur|woff2?|ttf|otf|eot|mp3|ogg|oga|ogv|wav|wasm)`

// staticTypes end the names of files that are sent as they are, in small letters or large.
const staticTypes = `(?i:txt|xml|xslt?|gz|json|webmanifest|html?|css|js|ico|png|gif|jpe?g|webp|avif|svg|pdf|asc|woff2?)`

func pathsOf(t *tenants.Tenant) Paths {
	script, at := "^"+exactly(t.ScriptPath), "^"+exactly(t.Path)
	p := Paths{
		Path: t.Path, All: at + "(?![^/])", Closing: at + "/wikictl-maintenance" + end,
		Files:      at + "(?<sent>/(?:[.]well-known/)?(?!(?:.*/)?[.])(?:.+[.]" + staticTypes + "|(?<=/[.]well-known/)[A-Za-z0-9_/-]+))" + end,
		ScriptPath: t.ScriptPath, Articles: t.Articles, RootPages: t.Articles == t.Path+"/$1",
		Strip:   script + "(/.*)",
		Pages:   at + "/?" + end,
		Entries: script + "/(index|api|load|rest|img_auth|thumb|thumb_handler|opensearch_desc)[.]php(?:/|" + end + ")",
		Code:    script + "(/(?:resources|skins|extensions)/(?!(?:.*/)?[.]).+[.]" + codeTypes + ")" + end,
		Uploads: script + "/images(/(?!deleted/|temp/|lockdir/|cache/|archive/[.])(?!(?:.*/)?[.]).+)" + end,
		Thumbs:  script + "/images/thumb/(.+)" + end,
	}
	if t.ScriptPath != t.Path {
		p.NoPages = script + "/"
		p.Asked = at + "/(index|api|load)[.]php(?:/|" + end + ")"
		p.Pages = at + "/?" + end + "|" + script + "/?" + end
	}
	if folder, is := strings.CutSuffix(t.Articles, "/$1"); is && !p.RootPages && !strings.HasSuffix(folder, ".php") {
		p.Pages = p.Pages + "|^" + exactly(folder) + "(?:/.*)?" + end
	}
	for _, pattern := range t.PagePatterns() {
		p.Pages = p.Pages + "|" + pattern + end
	}
	return p
}

// exactly returns a regular expression for a path of plain characters.
func exactly(path string) string { return strings.ReplaceAll(path, ".", "[.]") }
