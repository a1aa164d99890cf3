package definitions

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// setPath sets below which path of its hosts a tenant is.
func (l *loader) setPath(t *tenants.Tenant, v *layer) {
	p := v.path
	if !p.set() {
		return
	}
	t.Shares, t.Origins["path"] = true, p.at
	if l.farm.Web.Map {
		l.report(p.at, "path", `remove it, or set vhosts to "files"`, "several wikis of one host can't be had with vhosts = \"map\"")
	}
	if p.value == "/" {
		return
	}
	t.Path = p.value
	switch {
	case !plainPath.MatchString(p.value):
		l.report(p.at, "path", `such as "/en", or "/" for the root`, "%q is not a path without a / at its end", p.value)
	case strings.Contains(p.value, ".php"), strings.HasPrefix(p.value, "/wikictl-"):
		l.report(p.at, "path", `such as "/en"`, "%q is a path that the web server needs itself", p.value)
	}
}

// placeBelow puts a tenant's addresses below its path, which its definitions leave out.
func placeBelow(t *tenants.Tenant) {
	t.ScriptPath, t.Articles = t.Path+t.ScriptPath, t.Path+t.Articles
	for i, m := range t.Moves {
		t.Moves[i].From = t.Path + m.From
		if strings.HasPrefix(m.To, "/") {
			t.Moves[i].To = t.Path + m.To
		}
	}
}

// checkShared reports what keeps two tenants from sharing a host.
func (l *loader) checkShared(t, other *tenants.Tenant, host string) {
	at, before := positionOf(t, "path"), positionOf(other, "path")
	switch {
	case t == other:
		l.report(t.Origins["hosts."+host], "hosts", "name it once, in hosts or in aliases", "%q is named more than once", host)
	case !t.Shares || !other.Shares:
		l.report(t.Origins["hosts."+host], "hosts", `to have both on one host, say path = "/en" or path = "/" in each`,
			"%q also belongs to tenant %q at %s", host, other.Name, other.Origins["hosts."+host])
	case !slices.Equal(t.Hosts, other.Hosts) || !slices.Equal(t.Aliases, other.Aliases):
		l.report(t.Origins["hosts."+host], "hosts", "give both the same hosts and aliases, in the same order",
			"%q also belongs to tenant %q at %s, which has others beside it", host, other.Name, other.Origins["hosts."+host])
	case t.Path == other.Path:
		l.report(at, "path", "choose another", "%q of %s also belongs to tenant %q at %s", pathOf(t), host, other.Name, before)
	case t.Path == "":
		l.checkHidden(other, t)
	case other.Path == "":
		l.checkHidden(t, other)
	case tenants.PathsCollide(t.Path, other.Path):
		l.report(at, "path", "choose paths side by side, such as \"/en\" and \"/de\"", "%q is on the way of %q of tenant %q at %s", t.Path, other.Path, other.Name, before)
	}
}

// pathOf is a tenant's path as definitions have it.
func pathOf(t *tenants.Tenant) string { return cmp.Or(t.Path, "/") }

// checkHidden reports addresses of the tenant at the root of a host that one below a path
// would hide.
func (l *loader) checkHidden(t, root *tenants.Tenant) {
	at := positionOf(t, "path")
	hides := func(what, key string) {
		l.report(at, "path", "choose another path", "%q hides %s of tenant %q at %s", t.Path, what, root.Name, positionOf(root, key))
	}
	if root.Articles == "/$1" {
		hides("pages", "article_path")
	} else if folder, _, _ := strings.Cut(root.Articles, "/$1"); tenants.IsBelow(t.Path, folder) || tenants.IsBelow(folder, t.Path) {
		hides("pages", "article_path")
	}
	for _, pattern := range root.PagePatterns() {
		if strings.HasPrefix(pattern, "^"+t.Path+"/") || regexp.MustCompile(pattern).MatchString(t.Path+"/x") {
			hides("addresses of pages by wgActionPaths or wgVariantArticlePath", "path")
		}
	}
	script := root.ScriptPath
	if script != "" && (tenants.IsBelow(t.Path, script) || tenants.IsBelow(script, t.Path)) || taken.MatchString(t.Path+"/") && script == "" {
		hides("entry points and files", "script_path")
	}
	for _, m := range root.Moves {
		from := m.From
		if m.Below {
			from += "*"
		}
		if tenants.IsBelow(m.From, t.Path) || m.Below && strings.HasPrefix(t.Path, m.From) {
			hides("the redirect "+from, "redirects."+from)
		}
	}
	for _, folder := range root.Static {
		if _, err := os.Lstat(filepath.Join(l.farm.Dir, folder, t.Path)); err == nil {
			hides("files of "+folder, "static."+folder)
		}
	}
}

// checkOneFile reports files by the names of wikis that a host with several has only one of.
func (l *loader) checkOneFile() {
	for _, key := range []struct{ name, value string }{
		{"certificate", l.farm.Web.Certificate}, {"certificate_key", l.farm.Web.CertificateKey}, {"access_log", l.farm.Web.AccessLog},
	} {
		if !strings.Contains(key.value, "{name}") {
			continue
		}
		for _, t := range l.farm.Tenants {
			if t.Shares {
				l.report(l.farm.At("web."+key.name), "web."+key.name, "use {host}", "a host has one for all of its wikis, and tenant %q at %s has a path", t.Name, positionOf(t, "path"))
				break
			}
		}
	}
}
