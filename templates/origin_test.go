package templates

import (
	"testing"

	"wikictl/tenants"
)

// A line of rendered settings leads back to the value that it came from.
func TestOrigin(t *testing.T) {
	at := func(line int) tenants.Position {
		return tenants.Position{File: "tenants/a.toml", Line: line, Column: 1}
	}
	value := func(line int, data any) tenants.Value { return tenants.Value{Data: data, Position: at(line)} }
	tenant := &tenants.Tenant{
		Settings: map[string]tenants.Value{
			"wgFoo":  value(1, tenants.PHP("NS_DEV")),
			"wgFoo2": value(2, "x"),
			"wgGroupPermissions": value(3, map[string]tenants.Value{
				"*": value(4, map[string]tenants.Value{"edit": value(5, true), "it's": value(6, tenants.PHP("f()"))}),
			}),
			"wgObjectCaches": value(7, map[string]tenants.Value{"redis": value(8, map[string]tenants.Value{"class": value(9, "RedisBagOStuff")})}),
		},
		Origins: tenants.Origins{"extensions.Cite": at(20), "skins.Vector": at(21), "sitename": at(22)},
	}
	const file = "/w/LocalSettings.php"
	text := []byte("<?php\n$wgSitename = 'A';\n$wgFoo = f(\n\tNS_DEV\n);\n$wgFoo2 = 'x';\n$wgGroupPermissions['*']['edit'] = true;\n$wgGroupPermissions['*']['it\\'s'] = f();\nwfLoadExtension( 'Cite' );\n$wgOwn = 1;\n")
	tests := map[string]struct {
		message string
		lines   []CodeLine
		key     string
		line    int
	}{
		"a line":                       {"m", []CodeLine{{file, 6}}, "settings.wgFoo2", 2},
		"within a statement":           {"m", []CodeLine{{file, 4}}, "settings.wgFoo", 1},
		"a leaf":                       {"m", []CodeLine{{file, 7}}, "settings.wgGroupPermissions.*.edit", 5},
		"a leaf with a quote":          {"m", []CodeLine{{file, 8}}, "settings.wgGroupPermissions.*.it's", 6},
		"called from a line":           {"m", []CodeLine{{"/code/includes/X.php", 3}, {file, 9}}, "extensions.Cite", 20},
		"sitename":                     {"m", []CodeLine{{file, 2}}, "sitename", 22},
		"of a template":                {"m", []CodeLine{{file, 10}}, "", 0},
		"another file":                 {"m", []CodeLine{{"/other/LocalSettings.php", 6}}, "", 0},
		"code of an extension":         {"m", []CodeLine{{"/code/extensions/Cite/src/C.php", 3}}, "extensions.Cite", 20},
		"an extension in the message":  {"Unable to open /code/skins/Vector/skin.json", nil, "skins.Vector", 21},
		"a class":                      {"m", []CodeLine{{"/code/includes/RedisBagOStuff.php", 3}}, "settings.wgObjectCaches.redis.class", 9},
		"a class in the message":       {"Class \"RedisBagOStuff\" not found", nil, "settings.wgObjectCaches.redis.class", 9},
		"an extension that is no such": {"m", []CodeLine{{"/code/extensions/Poem/P.php", 3}}, "", 0},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			key, at, ok := Origin(tenant, file, text, c.message, c.lines)
			if key != c.key || at.Line != c.line || ok != (c.key != "") {
				t.Errorf("%q at %v, %v", key, at, ok)
			}
		})
	}
}
