package machine

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// File is a file of a new farm.
type File struct {
	Name string // relative to the farm's folder
	Text []byte
}

//go:embed starter/wikictl.toml
var starterFarm string

//go:embed starter/tenant.toml
var starterTenant string

//go:embed starter/class.toml
var starterClass string

//go:embed starter/gitignore
var starterIgnore string

// newCodebase is the codebase of a new farm if no MediaWiki was found: the newest
// long-term release with which wikictl was tested.
const newCodebase = "1.43"

// schemaFolder is the folder of a farm's JSON Schemas, for editors.
const schemaFolder = ".schemas"

// Starter returns the files of a new farm that uses the found parts.
func Starter(f Found) ([]File, error) {
	farm, err := fill(starterFarm, f)
	if err != nil {
		return nil, err
	}
	all := []File{
		{tenants.FarmFile, []byte(farm)},
		{"tenants/.example.toml", []byte(strings.ReplaceAll(starterTenant, "%CODEBASE%", f.codebase()))},
		{"classes/.example.toml", []byte(starterClass)},
		{".gitignore", []byte(starterIgnore)},
	}
	for _, s := range []struct {
		name, title string
		keys        []definitions.Key
	}{
		{"farm", "wikictl.toml, the farm's file of wikictl", definitions.FarmKeys()},
		{"class", "A class of wikictl", definitions.ClassKeys()},
		{"tenant", "A tenant of wikictl", definitions.TenantKeys()},
	} {
		text, wrong := definitions.Schema(s.title, s.keys)
		err = errors.Join(err, wrong)
		all = append(all, File{schemaFolder + "/" + s.name + ".json", text})
	}
	return all, err
}

// codebase returns the name of the codebase for new tenants.
func (f Found) codebase() string {
	if len(f.Codebases) == 0 {
		return newCodebase
	}
	return f.Codebases[0].Name
}

// fill replaces the placeholders in the farm's file by the parts that were found.
func fill(text string, f Found) (string, error) {
	var codebases strings.Builder
	trees := f.Codebases
	if len(trees) == 0 {
		codebases.WriteString("# None was found here: unpack one there.\n")
		trees = []Tree{{Name: newCodebase, Path: "/srv/mediawiki/" + newCodebase}}
	}
	for i, t := range trees {
		if i > 0 {
			codebases.WriteString("\n")
		}
		fmt.Fprintf(&codebases, "[codebases.%s]\npath = %s", literal(t.Name), literal(t.Path))
		if t.Version != "" {
			fmt.Fprintf(&codebases, " # MediaWiki %s", t.Version)
		}
		codebases.WriteString("\n")
	}
	server := "dsn = " + literal(f.DSN)
	if f.DSN == "" {
		server = "managed = true"
	}
	user := "user   = " + literal(f.User)
	if !f.Root {
		user = "# user = " + literal(f.User) + " # when root runs wikictl"
	}
	filled := strings.NewReplacer(
		"%STATE%", literal(f.State), "%CODEBASES%", strings.TrimSpace(codebases.String()), "%SERVER%", server, "%KIND%", literal(f.Kind), "%FPM%", literal(f.FPM),
		"%CHECK%", literal(f.Check), "%RELOAD%", literal(f.Reload), "%USER%", user, "%CODEBASE%", literal(f.codebase()),
	).Replace(text)
	if strings.Contains(filled, "\x00") {
		return "", errors.New("a path has characters that TOML can't express")
	}
	return filled, nil
}

// literal returns a string or a list of strings in TOML: JSON's strings are also TOML's
// basic strings (TOML 1.0: String), without HTML escapes.
func literal(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // can't fail for strings
	return strings.ReplaceAll(strings.TrimSpace(b.String()), `","`, `", "`)
}
