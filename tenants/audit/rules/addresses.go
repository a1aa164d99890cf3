package rules

import (
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// addressUnserved reports addresses in settings that the rendered virtual host does not answer.
var addressUnserved = rule{Rule: audit.Rule{
	ID: "address-unserved", Severity: audit.Warning,
	What:      "A setting leads readers to an address of the wiki that the web server answers with 404.",
	Why:       "The logo, the styles or the links are broken. The web server knows pages, entry points, uploads, files of the code and folders of static files, and nothing else.",
	Repair:    "Put the file into a folder of static, or use an address below article_path or script_path. Ignore it if a template of your own serves the address.",
	Reference: "wikictl help web",
}, names: slices.Concat(pictureSettings, pathSettings), setting: unservedAddress}

// pictureSettings hold addresses of pictures, some in tables.
var pictureSettings = []string{"wgLogo", "wgLogoHD", "wgLogos", "wgFavicon", "wgAppleTouchIcon", "wgRightsIcon", "wgFooterIcons"}

// pathSettings hold addresses, or beginnings of addresses, of pages and entry points.
var pathSettings = []string{
	"wgScript", "wgLoadScript", "wgRestPath", "wgStylePath", "wgLocalStylePath", "wgExtensionAssetsPath", "wgResourceBasePath",
	"wgActionPaths", "wgVariantArticlePath",
}

// pageSettings hold addresses of pages, which each virtual host answers, but no map can.
var pageSettings = []string{"wgActionPaths", "wgVariantArticlePath"}

// codeFolders are the folders of the code from which the web server sends files.
var codeFolders = []string{"resources", "skins", "extensions"}

func unservedAddress(s *subject, name string, v tenants.Value, r *reporter) {
	each(name, v, func(path string, leaf tenants.Value) {
		address, isText := leaf.Data.(string)
		picture := slices.Contains(pictureSettings, name)
		if !isText || picture && !isAddress(path) {
			return
		}
		switch why := unserved(s.tenant, name, address, picture); {
		case why == "", !s.Farm.Web.Map && s.tenant.PagePattern(address) != "" && slices.Contains(pageSettings, name):
		case picture:
			r.say(leaf.Position, path, `put the file into a folder of static, such as static = "static/`+s.tenant.Name+`"`, "%q %s", address, why)
		default:
			r.say(leaf.Position, path, "remove it, or use an address below "+s.tenant.Articles, "%q %s", address, why)
		}
	})
}

// isAddress reports whether a member of a table of pictures is an address: others are sizes,
// styles and texts.
func isAddress(path string) bool {
	switch parts := strings.Split(path, "."); {
	case parts[0] == "wgFooterIcons":
		return parts[len(parts)-1] == "src"
	default:
		return !slices.Contains([]string{"width", "height", "style"}, parts[len(parts)-1])
	}
}

// unserved returns why readers do not get an address; empty if they may.
func unserved(t *tenants.Tenant, name, address string, picture bool) string {
	switch {
	case address == "" && name != "wgResourceBasePath", strings.HasPrefix(address, "//"), strings.Contains(address, ":"):
		return "" // elsewhere, or a data: address
	case address != "" && address[0] != '/':
		return "begins neither with / nor with https://, so browsers take it as a part of the page's own address"
	}
	path, _, _ := strings.Cut(address, "?")
	path, _, variable := strings.Cut(path, "$")
	switch {
	case name == "wgResourceBasePath":
		path += "/resources/"
	case name == "wgStylePath" || name == "wgLocalStylePath" || name == "wgExtensionAssetsPath":
		path += "/"
	}
	if picture && t.Private() && (strings.HasPrefix(path, t.ScriptPath+"/images/") || strings.HasPrefix(path, t.ScriptPath+"/img_auth.php/")) {
		return "is an upload of a private wiki, which only members get"
	}
	if answered(t, path, variable) {
		return ""
	}
	return "is not an address that the web server answers"
}

// answered reports whether the web server may answer a path, or those that begin with it.
func answered(t *tenants.Tenant, path string, variable bool) bool {
	script := t.ScriptPath + "/"
	articles := strings.TrimSuffix(t.Articles, "$1")
	root := articles == t.Path+"/"
	switch {
	case t.Shares && !strings.HasPrefix(path, t.Path+"/"), slices.ContainsFunc(t.Moves, func(m tenants.Move) bool { return path == m.From || m.Below && strings.HasPrefix(path, m.From) }):
		return true // of another wiki of the host, or led elsewhere
	case slices.ContainsFunc(codeFolders, func(folder string) bool { return strings.HasPrefix(path, script+folder+"/") }), strings.HasPrefix(path, script+"images/"):
		return true
	case strings.HasPrefix(path, script) && entryPoint(path[len(script):]):
		return true
	case strings.HasPrefix(path, articles) && (!root || t.ScriptPath == t.Path || !strings.HasPrefix(path, script)):
		return true
	}
	return len(t.Static) > 0 && !variable
}

// entryPoint reports whether a path below the script path is one of MediaWiki's entry points
// that the web server runs.
func entryPoint(path string) bool {
	name, rest, isPHP := strings.Cut(path, ".php")
	return isPHP && (rest == "" || rest[0] == '/') && slices.Contains([]string{"index", "api", "load", "rest", "img_auth", "thumb", "thumb_handler", "opensearch_desc"}, name)
}
