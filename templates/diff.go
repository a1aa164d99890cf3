package templates

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/aymanbagabas/go-udiff"
)

// Diff returns the difference between the farm's own template of a name, in the folder
// dir, and the built-in one: as a whole, or part by part. It is empty for a built-in
// template, and for the template of a file of the farm.
func (s *Set) Diff(dir, name string) (string, error) {
	i := s.infos[name]
	text, ok := Builtin(name)
	if !ok || !i.Own() {
		return "", nil
	}
	own, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	if len(i.Parts) == 0 {
		return udiff.Unified(builtinPrefix+name, i.File, string(text), string(own)), nil
	}
	base, _ := parseText(i.Kind, builtinPrefix+name, string(text))
	changed, _ := parseText(i.Kind, i.File, string(own))
	var b strings.Builder
	for _, part := range i.Parts {
		b.WriteString(udiff.Unified(builtinPrefix+name+" "+part, i.File+" "+part, partText(base, part), partText(changed, part)))
	}
	return b.String(), nil
}

// partText returns the text of a part for a comparison by lines.
func partText(t *template.Template, part string) string {
	found := t.Lookup(part)
	if found == nil || found.Tree == nil {
		return ""
	}
	return strings.TrimSuffix(found.Tree.Root.String(), "\n") + "\n"
}
