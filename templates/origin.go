package templates

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// CodeLine is a line of a PHP file.
type CodeLine struct {
	File string
	Line int
}

// Origin returns the part of a tenant's definitions that caused an error of PHP: the
// value of which the first line of settings among lines was rendered, otherwise the
// extension or skin of the first line, otherwise a value that names the faulty code, such
// as a class. file is the path of the settings, text their content; message is PHP's. ok
// is false if no definition caused it.
func Origin(t *tenants.Tenant, file string, text []byte, message string, lines []CodeLine) (key string, at tenants.Position, ok bool) {
	for _, l := range lines {
		if l.File != file {
			continue
		}
		if key, at, ok = lineOrigin(t, text, l.Line); ok {
			return key, at, true
		}
	}
	for _, l := range append([]CodeLine{{File: message}}, lines...) {
		if key, at, ok = componentOrigin(t, l.File); ok {
			return key, at, true
		}
	}
	if key, at, ok = changingOrigin(t, message); ok {
		return key, at, true
	}
	return namingOrigin(t, message, lines)
}

// changes matches the message about a variable that an expression changes.
var changes = regexp.MustCompile(`^an expression changes .*\$(\w+)`)

// changingOrigin finds the first expression that names the changed variable.
func changingOrigin(t *tenants.Tenant, message string) (key string, at tenants.Position, ok bool) {
	variable := changes.FindStringSubmatch(message)
	if variable == nil {
		return "", at, false
	}
	leaves(t, func(_, k string, v tenants.Value) {
		code, is := v.Data.(tenants.PHP)
		if is && (strings.Contains(string(code), variable[1]) || k == "settings."+variable[1]) && (!ok || k < key) {
			key, at, ok = k, v.Position, true
		}
	})
	return key, at, ok
}

// loading matches a line that loads an extension or a skin.
var loading = regexp.MustCompile(`^wfLoad(Extension|Skin)\( '([^']+)'`)

// lineOrigin finds the value of which a line of settings was rendered: the statement that
// contains it begins with the variable.
func lineOrigin(t *tenants.Tenant, text []byte, line int) (key string, at tenants.Position, ok bool) {
	all := bytes.Split(text, []byte("\n"))
	for i := min(line, len(all)) - 1; i >= 0; i-- {
		statement := strings.TrimPrefix(string(all[i]), "\t") // the tab of an operation
		if m := loading.FindStringSubmatch(statement); m != nil {
			key = strings.ToLower(m[1]) + "s." + m[2]
			at, ok = t.Origins[key]
			return key, at, ok
		}
		if strings.HasPrefix(statement, "$") {
			return statementOrigin(t, statement)
		}
	}
	return "", at, false
}

// statementOrigin finds the value that a line assigns.
func statementOrigin(t *tenants.Tenant, statement string) (key string, at tenants.Position, ok bool) {
	for variable, key := range map[string]string{"$wgSitename = ": "sitename", "$wgLanguageCode = ": "language", "$wgServer = ": "hosts"} {
		if strings.HasPrefix(statement, variable) {
			at, ok = t.Origins[key]
			return key, at, ok
		}
	}
	longest := 0
	leaves(t, func(target, name string, v tenants.Value) {
		if len(target) > longest && strings.HasPrefix(statement, target+" = ") {
			key, at, ok, longest = name, v.Position, true, len(target)
		}
	})
	return key, at, ok
}

// leaves calls do for each value of a tenant's settings, tables before their members,
// with its variable in PHP and its key.
func leaves(t *tenants.Tenant, do func(target, key string, v tenants.Value)) {
	var walk func(target, key string, v tenants.Value)
	walk = func(target, key string, v tenants.Value) {
		do(target, key, v)
		switch data := v.Data.(type) {
		case map[string]tenants.Value:
			for k, inner := range data {
				walk(target+"["+escape.PHPKey(k)+"]", key+"."+k, inner)
			}
		case []tenants.Value:
			for _, inner := range data {
				walk(target+"[]", key, inner)
			}
		}
	}
	for name, v := range t.Settings {
		walk("$"+name, "settings."+name, v)
	}
}

// component matches the folder of an extension or a skin in a path or a message.
var component = regexp.MustCompile(`/(extensions|skins)/([^/]+)/`)

func componentOrigin(t *tenants.Tenant, text string) (key string, at tenants.Position, ok bool) {
	for _, m := range component.FindAllStringSubmatch(text, -1) {
		if at, ok = t.Origins[m[1]+"."+m[2]]; ok {
			return m[1] + "." + m[2], at, true
		}
		names := t.Extensions
		if m[1] == "skins" {
			names = t.Skins
		}
		for _, name := range names { // may be a part, or another manifest in the folder
			if at, ok = t.Origins[m[1]+"."+name]; ok && strings.FieldsFunc(name, isPart)[0] == m[2] {
				return m[1] + "." + name, at, true
			}
		}
	}
	return "", at, false
}

// isPart reports whether a letter separates a component's folder from a part of it.
func isPart(r rune) bool { return r == ':' || r == '/' }

// name matches a text that may name code and is not an everyday word.
var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_\\]{7,}$`)

// namingOrigin finds the value that names the faulty code: the class of a file in lines,
// or a word of PHP's message.
func namingOrigin(t *tenants.Tenant, message string, lines []CodeLine) (key string, at tenants.Position, ok bool) {
	files := map[string]bool{}
	for _, l := range lines {
		files[strings.TrimSuffix(filepath.Base(l.File), ".php")] = true
	}
	leaves(t, func(_, k string, v tenants.Value) {
		text, is := v.Data.(string)
		if is && name.MatchString(text) && (files[text] || strings.Contains(message, text)) && (!ok || k < key) {
			key, at, ok = k, v.Position, true
		}
	})
	return key, at, ok
}
