package definitions

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"wikictl/tenants"
)

// codeSettings lists the settings whose texts MediaWiki runs as code: names of PHP functions, of
// classes that a request instantiates, of files with PHP, and parts of command lines
// (includes/MainConfigSchema.php and the extensions that come with MediaWiki). A farm that does
// not allow PHP refuses texts in them at any depth, because they would run code like an
// expression. Other values, such as false, are allowed.
var codeSettings = map[string]bool{
	"wgExtensionFunctions": true, "wgHooks": true, "wgParserOutputHooks": true, "wgConfigRegistry": true,
	"wgSpecialPages": true, "wgSpecialPageCacheUpdates": true, "wgActions": true, "wgLogActionsHandlers": true,
	"wgAPIModules": true, "wgAPIFormatModules": true, "wgAPIListModules": true, "wgAPIMetaModules": true, "wgAPIPropModules": true,
	"wgContentHandlers": true, "wgMediaHandlers": true, "wgFeedClasses": true, "wgJobClasses": true, "wgResourceModules": true,
	"wgAuthManagerConfig": true, "wgAuthManagerAutoConfig": true, "wgSessionProviders": true, "wgCentralIdLookupProviders": true,
	"wgUserRegistrationProviders": true, "wgPasswordPolicy.checks": true, "wgEchoNotifiers": true,

	"wgAutoloadClasses": true, "wgAutoloadLocalClasses": true, "wgExtensionEntryPointListFiles": true,
	"wgExtensionMessagesFiles": true, "wgRestAPIAdditionalRouteFiles": true, "wgServiceWiringFiles": true,

	"wgAdditionalMailParams": true, "wgAntivirusSetup": true, "wgCustomConvertCommand": true, "wgDjvuPostProcessor": true,
	"wgMathoidCli": true, "wgMimeDetectorCommand": true, "wgSVGConverters": true,
}

// codeMembers lists members of any setting that name a function, a class with its
// arguments, or a program (wikimedia/object-factory; Manual:$wgObjectCaches; Echo;
// Scribunto).
var codeMembers = map[string]bool{
	"factory": true, "callback": true, "closure": true, "calls": true, "args": true, "command": true,
	"user-locators": true, "user-filters": true, "luaPath": true,
}

// program is the allowed value of a setting that names a program.
type program struct {
	example string
	is      func() *regexp.Regexp // is compiled when such a setting is read
}

// programFolders matches the folders where administrators install programs.
const programFolders = `(?:(?:/usr(?:/local)?)?/s?bin/|/opt/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)+)`

// named returns a program with one of some names; the first is the example.
func named(names ...string) program {
	return matched("/usr/bin/"+names[0], "^"+programFolders+"?(?:"+strings.Join(names, "|")+")$")
}

func matched(example, pattern string) program {
	return program{example, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
}

// programSettings lists the settings that name a program. MediaWiki would run any other
// value as well.
var programSettings = map[string]program{
	"wgDiff":                      named("diff"),
	"wgDiff3":                     named("diff3"),
	"wgDjvuDump":                  named("djvudump"),
	"wgDjvuRenderer":              named("ddjvu"),
	"wgDjvuToXML":                 named("djvutoxml"),
	"wgDjvuTxt":                   named("djvutxt"),
	"wgExiftool":                  named("exiftool"),
	"wgExiv2Command":              named("exiv2"),
	"wgExternalDiffEngine":        matched("wikidiff2", "^(?:wikidiff2|wikidiff3|php)$"),
	"wgGitBin":                    named("git"),
	"wgImageMagickConvertCommand": named("convert", "magick"),
	"wgJpegTran":                  named("jpegtran"),
	"wgPdfHandlerShell":           named("sh", "bash", "dash"),
	"wgPdfInfo":                   named("pdfinfo"),
	"wgPdfPostProcessor":          named("convert", "magick"),
	"wgPdfProcessor":              named("gs"),
	"wgPdftoText":                 named("pdftotext"),
	"wgPhpCli":                    named("php", "php[0-9]+(?:[.][0-9]+)?"),
	"wgPygmentizePath":            named("pygmentize"),
	"wgShellboxShell":             named("sh", "bash", "dash"),
	"wgSVGConverterPath":          matched("/usr/bin", "^(?:/usr(?:/local)?)?/bin/?$"),
}

// refuseCode reports the first text of a setting that MediaWiki would run as code. It returns
// whether it found one.
func (l *loader) refuseCode(s *section, name string, v tenants.Value) bool {
	if l.farm.AllowPHP {
		return false
	}
	key, at, found := codeIn(name, v, false)
	if !found {
		return false
	}
	hint := "set allow_php = true in " + tenants.FarmFile + " if all who write definitions may run code"
	if p, is := programSettings[name]; is {
		hint = fmt.Sprintf("such as %q; for another, %s", p.example, hint)
	}
	s.report(at, key, hint, "MediaWiki runs this as code, which definitions of this farm may not contain")
	return true
}

// codeIn finds the first text that is run as code; runs reports whether every text of v
// is.
func codeIn(key string, v tenants.Value, runs bool) (path string, at tenants.Position, found bool) {
	runs = runs || codeSettings[key]
	program, isProgram := programSettings[key]
	switch data := v.Data.(type) {
	case string:
		return key, v.Position, data != "" && (runs || isProgram && !program.is().MatchString(data))
	case []tenants.Value:
		for i, element := range data {
			// A list may be a command with its arguments.
			if path, at, found := codeIn(elementKey(key, i), element, runs || isProgram); found {
				return path, at, true
			}
		}
	case map[string]tenants.Value:
		for _, name := range slices.Sorted(maps.Keys(data)) {
			if path, at, found := codeIn(key+"."+name, data[name], runs || isProgram || codeMembers[name]); found {
				return path, at, true
			}
		}
	}
	return "", tenants.Position{}, false
}
