package templates

import (
	"errors"
	"slices"
	"strings"
	"text/template"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// problems converts an error of a template to problems with places: of the value in the
// definitions if the value is at fault, otherwise of the template.
func (v *View) problems(file string, err error) tenants.Problems {
	var unfit *escape.Error
	if !errors.As(err, &unfit) {
		var exec template.ExecError
		if errors.As(err, &exec) {
			err = exec.Err
		}
		return tenants.Problems{syntaxProblem(file, err)}
	}
	key, at := v.origin(unfit)
	return tenants.Problems{{Position: at, Key: key, Message: unfit.Error(), Hint: "it was to be written by " + file}}
}

// origin returns the definition of a value that an escaper refused.
func (v *View) origin(unfit *escape.Error) (string, tenants.Position) {
	if unfit.At.File != "" {
		return "", unfit.At
	}
	if t := v.Tenant; t != nil {
		for _, host := range t.Hosts {
			if unfit.Value == host {
				return "hosts", t.Origins["hosts."+host]
			}
		}
		for _, key := range slices.Concat(keysOf("extensions.", t.Extensions), keysOf("skins.", t.Skins)) {
			_, name, _ := strings.Cut(key, ".")
			if unfit.Value == name {
				return key, t.Origins[key]
			}
		}
		for key, value := range map[string]string{"sitename": t.Sitename, "language": t.Language, "database": t.Database, "admin": t.Admin} {
			if unfit.Value == value {
				return key, t.Origins[key]
			}
		}
	}
	return v.farmKey(unfit.Value), tenants.Position{File: tenants.FarmFile}
}

func keysOf(prefix string, names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = prefix + name
	}
	return keys
}

// farmKey returns the key of wikictl.toml from which a value came.
func (v *View) farmKey(value string) string {
	w := v.Farm.Web
	switch {
	case strings.HasPrefix(value, v.Farm.State):
		return "state"
	case slices.Contains(w.Listen, value):
		return "web.listen"
	case strings.Contains(value, w.FPM) && w.FPM != "":
		return "web.fpm"
	case w.Certificate != "" && strings.HasPrefix(value, strings.Split(w.Certificate, "{")[0]):
		return "web.certificate"
	}
	return ""
}
