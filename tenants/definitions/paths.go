package definitions

import (
	"regexp"
	"strings"

	"wikictl/tenants"
)

// plainPath matches a path of an address that needs no encoding and contains no hidden
// names.
var plainPath = regexp.MustCompile(`^(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+$`)

// setPaths sets the paths of a tenant's entry points and pages, in a form that both web
// servers and MediaWiki accept ($wgScriptPath, $wgArticlePath).
func (l *loader) setPaths(t *tenants.Tenant, single map[string]text) {
	t.Articles = tenants.DefaultArticles
	if p := single["script_path"]; p.set() && p.value != "/" {
		t.ScriptPath = p.value
		if !plainPath.MatchString(p.value) || strings.HasSuffix(p.value, ".php") {
			l.report(p.at, "script_path", `such as "/w", or "/" for the root`, "%q is not a path without a / at its end", p.value)
		}
	}
	p := single["article_path"]
	if !p.set() {
		p.value = t.Articles
	}
	t.Articles = p.value
	folder, isFolder := strings.CutSuffix(p.value, "/$1")
	script := t.ScriptPath + "/index.php"
	switch {
	case p.value == script+"/$1", p.value == script+"?title=$1":
	case !isFolder || folder != "" && !plainPath.MatchString(folder) || strings.HasSuffix(folder, ".php"):
		l.report(p.at, "article_path", `such as "/wiki/$1", "/$1" or "`+script+`/$1"`, "%q is not a path of pages", p.value)
	case taken.MatchString(strings.TrimPrefix(folder, t.ScriptPath) + "/"):
		l.report(p.at, "article_path", `such as "/wiki/$1"`, "%q holds files of MediaWiki", p.value)
	}
}

// taken matches folders at the script path in which the web server searches for files.
var taken = regexp.MustCompile(`^/(?:resources|skins|extensions|images)/`)
