package definitions

import (
	"fmt"
	"strings"

	"wikictl/tenants"
)

// readMap reads the kind of virtual hosts. One virtual host for all wikis can't use a
// certificate or log per wiki: the web server opens these files before it knows of any
// request.
func (l *loader) readMap(s *section) {
	w := &l.farm.Web
	if l.oneOf(s, "vhosts", "files", "map") != "map" {
		return
	}
	w.Map = true
	if w.Kind == "apache" {
		s.report(s.table["vhosts"].Position, "vhosts", "remove it, or use nginx", "Apache's virtual hosts can't depend on a map")
	}
	for _, key := range []string{"certificate", "certificate_key", "access_log"} {
		if v, found := s.table[key]; found {
			if path, _ := v.Data.(string); strings.Contains(path, "{host}") || strings.Contains(path, "{name}") {
				s.report(v.Position, key, "name one file for all wikis, such as a certificate for *.example.org", "%q is not the same for all wikis, as vhosts = \"map\" needs it", path)
			}
		}
	}
}

// sameForAll lists the keys that must be equal for all wikis of one virtual host.
var sameForAll = []string{"script_path", "article_path", "redirects", "limits"}

// refuseInMap reports keys of a class or a tenant that are not possible with one virtual host
// for all.
func (l *loader) refuseInMap(s *section) {
	if !l.farm.Web.Map || s.path != "" {
		return
	}
	for _, key := range sameForAll {
		if v, found := s.table[key]; found {
			s.report(v.Position, key, "set it in [defaults] for all wikis, or set vhosts to \"files\"", "wikis can't differ in it with vhosts = \"map\"")
		}
	}
}

// checkMap refuses values that a wiki's entry in a map can't contain.
func (l *loader) checkMap(t *tenants.Tenant) {
	if !l.farm.Web.Map {
		return
	}
	for i, folder := range t.Static {
		at := t.Origins["static."+folder]
		if i == tenants.MapFolders {
			l.report(at, "static", "put the files together", "a wiki has at most %d folders with vhosts = \"map\"", tenants.MapFolders)
		}
		if strings.ContainsAny(folder+l.farm.Dir, "|$") {
			t.Fault(tenants.Problem{Position: at, Key: "static", Hint: "rename it", Message: fmt.Sprintf("%q holds a | or a $, which no map can", folder)})
		}
	}
}
