package definitions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// readInclude reads the farm's own PHP files that a layer includes: one, or a list.
func (l *loader) readInclude(s *section) []text {
	const key = "include"
	var fit []text
	for _, f := range s.oneOrTexts(key, "php/hooks.php") {
		within := filepath.Join(l.farm.Dir, f.value)
		switch {
		case !f.set():
		case !l.farm.AllowPHP:
			s.report(f.at, key, "set allow_php = true in "+tenants.FarmFile+" if all who write definitions may run code", "PHP files are not allowed on this farm")
		case path.IsAbs(f.value), !filepath.IsLocal(f.value), !strings.HasSuffix(f.value, ".php"):
			s.report(f.at, key, `such as "php/hooks.php", relative to `+tenants.FarmFile, "%q is not a PHP file below the farm's own folder", f.value)
		case l.farm.State != "" && inside(within, l.farm.State):
			s.report(f.at, key, "choose a folder of its own", "%q is in the state folder", f.value)
		default:
			fit = append(fit, f)
		}
	}
	return fit
}

// setInclude sets the files of a tenant's layers, the most general first. A missing file
// blocks the tenant.
func (l *loader) setInclude(t *tenants.Tenant, layers []*layer) {
	var files []text
	for _, layer := range layers {
		files = joinLists(files, layer.include)
	}
	for _, f := range files {
		t.Include = append(t.Include, f.value)
		t.Origins["include."+f.value] = f.at
		info, err := os.Stat(filepath.Join(l.farm.Dir, f.value))
		wrong := ""
		switch {
		case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		case err != nil:
			wrong = "can't be read: " + disk.Reason(err)
		case !info.Mode().IsRegular():
			wrong = "is not a file"
		}
		if wrong != "" {
			t.Fault(tenants.Problem{Position: f.at, Key: "include", Message: fmt.Sprintf("%q %s", f.value, wrong), Hint: "write it below " + l.farm.Dir + ", or remove it"})
		}
	}
}
