package rules

import (
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// uploadRules find settings that allow a file to run as a program or as a script.
var uploadRules = []rule{
	{Rule: audit.Rule{
		ID: "upload-executable", Severity: audit.Error,
		What:      "Users may upload files that a server or a visitor's machine executes.",
		Why:       "Users who may upload may run code.",
		Repair:    "Remove the extension from wgFileExtensions.",
		Reference: "Manual:Security, Manual:$wgFileExtensions",
	}, names: []string{"wgFileExtensions"}, setting: extensionsOf(executable, "a file that can be run")},
	{Rule: audit.Rule{
		ID: "upload-script", Severity: audit.Error,
		What:      "Users may upload files that a browser treats as a page with scripts.",
		Why:       "Such a file acts with the log-in of its readers.",
		Repair:    "Remove the extension from wgFileExtensions.",
		Reference: "Manual:Security, Manual:$wgFileExtensions",
	}, names: []string{"wgFileExtensions"}, setting: extensionsOf(scripted, "a page that may hold scripts")},
	{Rule: audit.Rule{
		ID: "upload-unchecked", Severity: audit.Error,
		What:      "A check of uploaded files is turned off.",
		Why:       "A file's content may then differ from its name.",
		Repair:    "Remove the setting.",
		Reference: "Manual:$wgVerifyMimeType, Manual:$wgStrictFileExtensions, Manual:$wgDisableUploadScriptChecks",
	}, names: []string{"wgVerifyMimeType", "wgStrictFileExtensions", "wgCheckFileExtensions", "wgDisableUploadScriptChecks", "wgProhibitedFileExtensions", "wgMimeTypeExclusions"}, setting: uncheckedUpload},
	{Rule: audit.Rule{
		ID: "upload-from-anywhere", Severity: audit.Warning,
		What:      "Users may have the server fetch files from any address.",
		Why:       "The server can be made to fetch addresses that only it can reach.",
		Repair:    "List the domains in wgCopyUploadsDomains.",
		Reference: "Manual:$wgAllowCopyUploads",
	}, names: []string{"wgAllowCopyUploads"}, setting: uploadFromAnywhere},
	{Rule: audit.Rule{
		ID: "upload-limit", Severity: audit.Warning,
		What:      "A PHP expression decides how large uploads may be.",
		Why:       "The web server and PHP allow MediaWiki's default of 100 MiB, and refuse what only the wiki would allow.",
		Repair:    "Write the number of bytes.",
		Reference: "Manual:$wgMaxUploadSize",
	}, names: []string{"wgMaxUploadSize"}, setting: unknownLimit},
	{Rule: audit.Rule{
		ID: "raw-html", Severity: audit.Error,
		What:      "Pages may contain unfiltered HTML.",
		Why:       "Editors can act with the log-in of readers.",
		Repair:    "Set it to false; extensions and templates cover most of its uses.",
		Reference: "Manual:$wgRawHtml",
	}, names: []string{"wgRawHtml"}, setting: on("lets all editors put scripts into pages")},
	{Rule: audit.Rule{
		ID: "external-images", Severity: audit.Note,
		What:      "Pages may show images from any other site.",
		Why:       "Those sites see which pages each reader visits.",
		Repair:    "Use wgAllowExternalImagesFrom or wgEnableImageWhitelist.",
		Reference: "Manual:$wgAllowExternalImages",
	}, names: []string{"wgAllowExternalImages"}, setting: on("tells other sites who reads what")},
}

func unknownLimit(_ *subject, name string, v tenants.Value, r *reporter) {
	each(name, v, func(path string, leaf tenants.Value) {
		if _, is := leaf.Data.(tenants.PHP); is {
			r.say(leaf.Position, path, "write the number", "is a PHP expression, which the web server can't evaluate")
		}
	})
}

// executable and scripted are extensions from MediaWiki's $wgProhibitedFileExtensions and
// some newer ones.
var (
	executable = strings.Fields("php php3 php4 php5 php7 php8 phtml phps phar pl py cgi fcgi jsp asp aspx sh bash exe scr dll msi vbs bat com pif cmd vxd cpl htaccess jar")
	scripted   = strings.Fields("html htm js mjs jsb mhtml mht xhtml xht shtml jhtml svgz swf hta xsl")
)

// extensionsOf reports elements of $wgFileExtensions that are in bad.
func extensionsOf(bad []string, what string) func(*subject, string, tenants.Value, *reporter) {
	return func(_ *subject, name string, v tenants.Value, r *reporter) {
		for _, e := range elements(v) {
			text, _ := e.Data.(string)
			if slices.Contains(bad, strings.ToLower(strings.TrimPrefix(text, "."))) {
				r.say(e.Position, name, "remove it", "%q is %s", text, what)
			}
		}
	}
}

func uncheckedUpload(_ *subject, name string, v tenants.Value, r *reporter) {
	switch name {
	case "wgDisableUploadScriptChecks":
		if truthy(v) {
			r.say(v.Position, name, "remove it", "files with scripts in them are let through")
		}
	case "wgProhibitedFileExtensions", "wgMimeTypeExclusions":
		// A list replaces MediaWiki's; a table adds to it.
		wanted := "php"
		if name == "wgMimeTypeExclusions" {
			wanted = "text/html"
		}
		list, isList := v.Data.([]tenants.Value)
		if isList && !slices.ContainsFunc(list, func(e tenants.Value) bool { return e.Data == wanted }) {
			r.say(v.Position, name, "remove it: the default is longer", "replaces MediaWiki's list and lacks %q", wanted)
		}
	default:
		off("files are not checked against their names")(nil, name, v, r)
	}
}

func uploadFromAnywhere(s *subject, name string, v tenants.Value, r *reporter) {
	if truthy(v) && !truthy(s.tenant.Settings["wgCopyUploadsDomains"]) {
		r.say(v.Position, name, "list domains in wgCopyUploadsDomains", "files may be fetched from any address")
	}
}

// inside reports whether a path of a file is a folder or lies inside it.
func inside(path, folder string) bool {
	relative, err := filepath.Rel(folder, path)
	return path != "" && err == nil && relative != ".." && !strings.HasPrefix(relative, "../")
}
