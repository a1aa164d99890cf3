package definitions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// readStatic reads the folders of static files of a layer: one, or a list.
func (l *loader) readStatic(s *section) []text {
	var fit []text
	for _, folder := range s.oneOrTexts("static", "static/alpha") {
		if folder.set() && l.checkStatic(s, folder) {
			fit = append(fit, folder)
		}
	}
	return fit
}

// checkStatic refuses folders that may contain private files: those outside of the farm's
// own folder, and wikictl's.
func (l *loader) checkStatic(s *section, folder text) bool {
	within := filepath.Join(l.farm.Dir, folder.value)
	switch {
	case path.IsAbs(folder.value), !filepath.IsLocal(folder.value), path.Clean(folder.value) == ".":
		s.report(folder.at, "static", `such as "static/alpha", relative to `+tenants.FarmFile, "%q is not a folder below the farm's own", folder.value)
	case l.farm.State != "" && (inside(within, l.farm.State) || inside(l.farm.State, within)):
		s.report(folder.at, "static", "choose a folder of its own", "%q and the state folder are in each other", folder.value)
	default:
		return true
	}
	return false
}

// inside reports whether a path is a folder or below it.
func inside(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// setStatic sets the folders of a tenant's layers, the tenant's own first. A missing
// folder blocks the tenant.
func (l *loader) setStatic(t *tenants.Tenant, layers []*layer) {
	var folders []text
	for _, layer := range layers {
		folders = joinLists(layer.static, folders)
	}
	for _, folder := range folders {
		t.Static = append(t.Static, folder.value)
		t.Origins["static."+folder.value] = folder.at
		if wrong := l.staticWrong(folder.value); wrong != "" {
			t.Fault(tenants.Problem{Position: folder.at, Key: "static", Message: fmt.Sprintf("%q %s", folder.value, wrong),
				Hint: "make it below " + l.farm.Dir + ", or remove it"})
		}
	}
}

// staticWrong returns why no files can be sent from a folder; empty if they can.
func (l *loader) staticWrong(folder string) string {
	real, err := filepath.EvalSymlinks(filepath.Join(l.farm.Dir, folder))
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return ""
	}
	if err != nil {
		return "can't be read: " + disk.Reason(err)
	}
	home, err := filepath.EvalSymlinks(l.farm.Dir)
	if err != nil {
		return "can't be read: " + disk.Reason(err)
	}
	state, err := filepath.EvalSymlinks(l.farm.State)
	switch {
	case real == home, !inside(real, home):
		return "is a symbolic link to " + real + ", which is not below the farm's folder"
	case err == nil && (inside(real, state) || inside(state, real)):
		return "is a symbolic link to " + real + ", which is wikictl's own"
	case !disk.IsFolder(real):
		return "is not a folder"
	}
	return ""
}
