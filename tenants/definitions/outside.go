package definitions

import (
	"path/filepath"
	"regexp"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// outsideKeys are of a table below [extensions] of wikictl.toml.
var outsideKeys = []Key{
	{Name: "path", Type: Text, Required: true, Example: `"/srv/extensions/MyThing"`, Doc: "Its folder, or the file of its manifest."},
}

// readExtensions gives all codebases the extensions that are in none of them. One that a
// codebase has by the same name gives way.
func (l *loader) readExtensions(s *section) {
	s.each("extensions", func(name string, at tenants.Position, sub *section) {
		path := sub.text("path")
		sub.end()
		switch {
		case !componentName.MatchString(name):
			sub.report(at, "", "letters, digits, _ and -", "the extension's name %q can't be one", name)
			return
		case !path.set():
			if sub.table["path"].Data == nil {
				sub.report(at, "path", "the folder of an extension", "is missing")
			}
			return
		}
		c, err := mediawiki.Outside(name, l.path(path.value))
		if err != nil {
			c = &tenants.Component{Name: name, Path: filepath.Clean(l.path(path.value)), Fault: err.Error(), Fingerprint: func() string { return "unread" }}
		}
		for _, codebase := range l.farm.Codebases {
			if codebase.Extensions == nil {
				codebase.Extensions = map[string]*tenants.Component{}
			}
			codebase.Extensions[name] = c
		}
	})
}

// componentName is the name of an extension's folder.
var componentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
