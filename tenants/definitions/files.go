package definitions

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wikictl/tenants"
)

// fileKeys are the keys of a table below [files] of wikictl.toml.
var fileKeys = []Key{
	{Name: "template", Type: Text, Required: true, Example: `"hostmap.tmpl"`, Doc: "The file of its template, in the folder templates."},
	{Name: "path", Type: Text, Required: true, Example: `"/etc/nginx/wikis.map"`, Doc: "The file to write; its folder exists."},
	{Name: "kind", Type: Text, Choices: tenants.FileKinds(), Example: `"nginx"`, Doc: "How values are escaped; without it by the ending of path: .html, .json, .php or .conf."},
	{Name: "mode", Type: Text, Example: `"0644"`, Doc: "Its mode in octal digits; without it \"0644\"."},
	{Name: "owner", Type: Text, Example: `"root"`, Doc: "The user that owns it; without it the user who runs wikictl."},
	{Name: "group", Type: Text, Example: `"www-data"`, Doc: "Its group; without it the group of the user who runs wikictl."},
}

// templateName matches the file name of a template.
var templateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.tmpl$`)

// readFiles reads the files of the farm as a whole.
func (l *loader) readFiles(s *section) {
	paths := map[string]tenants.Position{}
	s.each("files", func(name string, at tenants.Position, sub *section) {
		f := tenants.File{Name: name, Mode: 0o644, Position: at}
		template, path := sub.text("template"), sub.text("path")
		f.Template, f.Owner, f.Group = template.value, sub.text("owner").value, sub.text("group").value
		kind := sub.text("kind")
		l.readMode(sub, &f)
		sub.end()
		for key, t := range map[string]text{"template": template, "path": path} {
			if !t.set() && !t.wrong {
				sub.report(at, key, "", "is missing")
			}
		}
		if template.set() && !templateName.MatchString(template.value) {
			sub.report(template.at, "template", `such as "hostmap.tmpl", in the folder templates`, "%q is not a file name of a template", template.value)
		}
		if !tenants.ValidName(name) {
			sub.report(at, "", "", "the file's name %q has other characters than a-z, 0-9, _ and -", name)
		}
		if !path.set() {
			return
		}
		f.Path = filepath.Clean(l.path(path.value))
		l.checkPath(sub, path, f.Path)
		if first, twice := paths[f.Path]; twice {
			sub.report(path.at, "path", "give each a path of its own", "%q is written by the file at %s, too", path.value, first)
		}
		paths[f.Path] = path.at
		f.Kind = fileKind(sub, kind, path)
		l.farm.Files = append(l.farm.Files, f)
	})
}

// fileKind returns how values are escaped: as the definition says, or by the path's
// ending.
func fileKind(s *section, kind, path text) string {
	if kind.set() {
		if !slices.Contains(tenants.FileKinds(), kind.value) {
			s.report(kind.at, "kind", tenants.Suggest(kind.value, slices.Values(tenants.FileKinds())), "%q is none of %s", kind.value, strings.Join(tenants.FileKinds(), ", "))
		}
		return kind.value
	}
	ending := strings.TrimPrefix(filepath.Ext(path.value), ".")
	if slices.Contains([]string{"html", "json", "php", "conf"}, ending) {
		return ending
	}
	if !kind.wrong {
		s.report(path.at, "kind", "say one of "+strings.Join(tenants.FileKinds(), ", "), "is missing, and the path does not end in one")
	}
	return "conf"
}

// readMode reads octal digits. Only the owner and the group may get write permission.
func (l *loader) readMode(s *section, f *tenants.File) {
	mode := s.text("mode")
	if !mode.set() {
		return
	}
	bits, err := strconv.ParseUint(mode.value, 8, 32)
	switch {
	case err != nil || bits > 0o777:
		s.report(mode.at, "mode", `such as "0644"`, "%q is not a mode in octal digits", mode.value)
	case bits&0o002 != 0:
		s.report(mode.at, "mode", `such as "0644"`, "%q lets everybody write", mode.value)
	case bits&0o400 == 0:
		s.report(mode.at, "mode", `such as "0644"`, "%q does not let its owner read", mode.value)
	default:
		f.Mode = fs.FileMode(bits)
	}
}

// checkPath refuses paths that belong to wikictl, or to which it never writes.
func (l *loader) checkPath(s *section, path text, file string) {
	kept := map[string]string{
		l.farm.State: "the state folder", l.farm.Templates: "the folder of templates", l.farm.Migrations: "the folder of SQL",
		filepath.Join(l.farm.Dir, tenants.FarmFile): "the farm's own file",
	}
	for name, c := range l.farm.Codebases {
		kept[c.Path] = fmt.Sprintf("the codebase %s, which is never written to", name)
	}
	for _, folder := range slices.Sorted(maps.Keys(kept)) {
		if folder != "" && inside(file, folder) {
			s.report(path.at, "path", "choose another place", "%q is in %s", path.value, kept[folder])
			return
		}
	}
	if strings.HasSuffix(file, ".toml") && inside(file, l.farm.Dir) {
		s.report(path.at, "path", "choose another place", "%q could be taken for a definition", path.value)
	}
}
