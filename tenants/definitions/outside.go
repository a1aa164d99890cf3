package definitions

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// sourceKeys are the keys for the source of an extension or a skin.
var sourceKeys = []Key{
	{Name: "git", Type: Text, Example: `"https://gerrit.wikimedia.org/r/mediawiki/extensions/Cargo"`, Doc: "A git repository to fetch it from, by wikictl extensions fetch."},
	{Name: "version", Type: Text, Example: `"REL1_43"`, Doc: "The repository's branch, tag or commit."},
	{Name: "archive", Type: Text, Example: `"https://example.org/Foo-1.2.tar.gz"`, Doc: "A .tar.gz, .tar.zst, .tar or .zip file to fetch in place of a repository: an address, or a file relative to wikictl.toml."},
	{Name: "sha256", Type: Text, Example: `"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`, Doc: "The archive's SHA-256, as sha256sum prints it."},
}

// outsideKeys are the keys of a table below [extensions] or [skins] of wikictl.toml.
var outsideKeys = append([]Key{
	{Name: "path", Type: Text, Example: `"/srv/extensions/MyThing"`, Doc: "Its folder, or the file of its manifest, in place of a source to fetch it from."},
	{Name: "composer", Type: Bool, Example: "false", Doc: "Composer installs the libraries that its composer.json requires; without it true."},
	{Name: "codebases", Type: Tables, Doc: "Other sources for some codebases, by their names.", Keys: sourceKeys},
}, sourceKeys...)

// componentName matches the name of an extension's or a skin's folder.
var componentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// readOutside adds the extensions and skins outside of codebases to all codebases. They
// replace a codebase's own of the same name.
func (l *loader) readOutside(s *section) {
	l.readLock()
	for _, kind := range []string{"extension", "skin"} {
		s.each(kind+"s", func(name string, at tenants.Position, sub *section) {
			if !componentName.MatchString(name) {
				sub.report(at, "", "letters, digits, _ and -", "the %s's name %q can't be one", kind, name)
				return
			}
			l.readOne(kind, name, at, sub)
		})
	}
	slices.SortStableFunc(l.farm.Sources, func(a, b tenants.Source) int {
		return strings.Compare(a.Kind()+" "+a.Name, b.Kind()+" "+b.Name)
	})
}

// readOne reads one table below [extensions] or [skins].
func (l *loader) readOne(kind, name string, at tenants.Position, s *section) {
	before := len(*s.problems)
	path, base := s.text("path"), l.readSource(kind, name, at, s)
	composer, given := s.bool("composer")
	base.Composer = composer || given.File == ""
	own := l.readSources(kind, name, base, s)
	s.end()
	if len(*s.problems) > before {
		return
	}
	isSource := base.Git+base.Version+base.Archive+base.SHA256 != ""
	switch {
	case path.set() && (isSource || len(own) > 0):
		s.report(path.at, "path", "remove one of them", "the %s has a path and a source to fetch it from", kind)
		return
	case path.set():
	case !isSource && len(own) == 0:
		s.report(at, "path", "the folder of an "+kind+", or git and version, or archive and sha256", "is missing")
		return
	case len(own) > 0 && base.Git != "" && base.Version == "":
		isSource = false // a repository whose versions are in codebases
	case isSource && !l.checkSource(s, at, base):
		return
	}
	for _, codebase := range slices.Sorted(maps.Keys(l.farm.Codebases)) {
		source, has := own[codebase]
		switch {
		case path.set():
			l.putOutside(kind, name, l.farm.Codebases[codebase], l.path(path.value), tenants.Declared{})
		case has:
			l.putSource(source, codebase)
		case isSource:
			l.putSource(base, codebase)
		}
	}
}

// readSources reads the sources for single codebases, by their names.
func (l *loader) readSources(kind, name string, base tenants.Source, s *section) map[string]tenants.Source {
	own := map[string]tenants.Source{}
	s.each("codebases", func(codebase string, at tenants.Position, sub *section) {
		source := l.readSource(kind, name, at, sub)
		sub.end()
		if l.farm.Codebases[codebase] == nil {
			sub.report(at, "", tenants.Suggest(codebase, maps.Keys(l.farm.Codebases)), "there is no codebase %q", codebase)
			return
		}
		if source.Git == "" && source.Archive == "" && source.Version != "" {
			source.Git = base.Git // the same repository, another branch
		}
		source.Composer = base.Composer
		if l.checkSource(sub, at, source) {
			own[codebase] = source
		}
	})
	return own
}

// putSource adds a fetched component to a codebase.
func (l *loader) putSource(s tenants.Source, codebase string) {
	same := slices.IndexFunc(l.farm.Sources, func(have tenants.Source) bool {
		return have.Kind() == s.Kind() && have.Name == s.Name && have.Where() == s.Where() && have.SHA256 == s.SHA256
	})
	if same < 0 {
		same = len(l.farm.Sources)
		l.farm.Sources = append(l.farm.Sources, s)
	}
	l.farm.Sources[same].Codebases = append(l.farm.Sources[same].Codebases, codebase)
	locked, found := l.farm.LockedAs(s)
	fault := tenants.Declared{Fault: "it is not fetched yet from " + s.Where(), Hint: "wikictl extensions fetch " + s.Name}
	if !found {
		l.putFault(s.Kind(), s.Name, l.farm.Codebases[codebase], "", fault)
		return
	}
	l.putOutside(s.Kind(), s.Name, l.farm.Codebases[codebase], l.farm.Layout().Component(locked), fault)
}

// putOutside adds the extension or the skin in a folder to a codebase. missing has the
// fault and the hint for a folder without one; without a fault the error is the fault.
func (l *loader) putOutside(kind, name string, c *tenants.Codebase, path string, missing tenants.Declared) {
	found, err := mediawiki.Outside(kind, name, path)
	if err != nil {
		if missing.Fault == "" {
			missing.Fault = err.Error()
		}
		l.putFault(kind, name, c, filepath.Clean(path), missing)
		return
	}
	maps.Copy(l.without(kind, name, c), found)
}

// putFault adds an extension or a skin that can't be loaded to a codebase.
func (l *loader) putFault(kind, name string, c *tenants.Codebase, path string, fault tenants.Declared) {
	l.without(kind, name, c)[name] = &tenants.Component{
		Name: name, Skin: kind == "skin", Path: path,
		Declares:    func() tenants.Declared { return fault },
		Fingerprint: func() string { return "unread" },
	}
}

// without returns a codebase's extensions or skins without those of a folder.
func (l *loader) without(kind, name string, c *tenants.Codebase) map[string]*tenants.Component {
	have := &c.Extensions
	if kind == "skin" {
		have = &c.Skins
	}
	if *have == nil {
		*have = map[string]*tenants.Component{}
	}
	maps.DeleteFunc(*have, func(other string, _ *tenants.Component) bool {
		return other == name || strings.HasPrefix(other, name+"/") || strings.HasPrefix(other, name+":")
	})
	return *have
}
