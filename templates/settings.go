package templates

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// Setting is one variable that a tenant's definitions set.
type Setting struct {
	Name  string // with its prefix, such as "wgMaxUploadSize"
	Value tenants.Value

	whole   bool     // a table replaces the default instead of being merged into it
	listed  bool     // its default is one of MediaWiki's own arrays
	define  bool     // a constant instead of a variable
	path    []string // of an operation: the keys below the variable
	copying []string // of the copy of a group: the settings in which it is copied
}

// Section is a group of settings on one subject.
type Section struct {
	Title    string
	Settings []Setting
}

type subject struct {
	title string
	names *regexp.Regexp
}

// subjects groups settings as an administrator searches for them; the first match counts.
var subjects = []subject{
	{"Rights and groups", regexp.MustCompile(`^wg(GroupPermissions|RevokePermissions|AddGroups|RemoveGroups|GroupsAddToSelf|GroupsRemoveFromSelf|GroupInheritsPermissions|ImplicitGroups|Autopromote.*|AutoConfirm.*|NamespaceProtection|RestrictionLevels|RestrictionTypes|WhitelistRead.*|AvailableRights|EmailConfirmToEdit|NonincludableNamespaces|RateLimits|Block.*|.*Password.*)$`)},
	{"Uploads and images", regexp.MustCompile(`^wg(.*Upload.*|File.*|.*FileExtensions|ProhibitedFileExtensions|.*Thumb.*|.*Image.*|SVG.*|UseInstantCommons|ForeignFileRepos|Djvu.*|Tiff.*|.*Mime.*|CheckFileExtensions|StrictFileExtensions)$`)},
	{"E-mail", regexp.MustCompile(`^wg(.*Email.*|SMTP|EmergencyContact|PasswordSender.*|UserEmail.*|Enotif.*|NoReplyAddress|AdditionalMailParams)$`)},
	{"Namespaces", regexp.MustCompile(`^wg(.*Namespace.*|CapitalLink.*)$`)},
	{"Look", regexp.MustCompile(`^wg(Logo.*|Favicon|AppleTouchIcon|Footer.*|DefaultUserOptions|HiddenPrefs|SkipSkins|AllowUser(Css|Js)|UseSite(Css|Js)|Vector.*|Minerva.*|Timeless.*|Rights.*|Localtimezone|LocalTZoffset|AmericanDates)$`)},
	{"Caches and jobs", regexp.MustCompile(`^wg(.*Cache.*|Job.*|RunJobs.*|.*Cdn.*|.*Squid.*|MiserMode|Memory.*|MaxShell.*)$`)},
	{"Other settings", regexp.MustCompile(`^wg`)},
	{"Settings of extensions", regexp.MustCompile(``)},
}

// namespaceSection defines the constants of a tenant's namespaces, which expressions may
// use.
func namespaceSection(t *tenants.Tenant) []Section {
	var constants []Setting
	for _, n := range t.Namespaces {
		for i, name := range []string{n.Constant, n.Constant + "_TALK"} {
			constants = append(constants, Setting{Name: name, define: true, Value: tenants.Value{Data: n.Number + int64(i), Position: n.Position}})
		}
	}
	if constants == nil {
		return nil
	}
	return []Section{{"Numbers of namespaces", constants}}
}

// sections groups a tenant's settings by subject and sorts them by name.
func sections(settings map[string]tenants.Value, core *coreSettings) []Section {
	bySubject := make([][]Setting, len(subjects))
	var operations []Setting
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		bare, isCore := strings.CutPrefix(name, "wg")
		subject := core.subject(name)
		literal := Setting{Name: name, Value: settings[name], whole: isCore && core.scalars[bare], listed: isCore && core.arrays[bare]}
		if hasOperation(literal.Value) {
			var changes []Setting
			if literal, changes = split(literal); literal.empty() {
				operations = append(operations, changes...)
				continue
			}
			operations = append(operations, changes...)
		}
		bySubject[subject] = append(bySubject[subject], literal)
	}
	found := make([]Section, 0, len(subjects))
	for i, settings := range bySubject {
		if len(settings) > 0 {
			found = append(found, Section{subjects[i].title, settings})
		}
	}
	if len(operations) > 0 {
		found = append(found, Section{operationsTitle, ordered(operations, settings)})
	}
	return found
}

// subject returns the index of a setting's subject. It keeps the results, because a
// farm's tenants set mostly the same settings.
func (c *coreSettings) subject(name string) int {
	if known, ok := c.subjects.Load(name); ok {
		return known.(int)
	}
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.names.MatchString(name) })
	c.subjects.Store(name, i)
	return i
}

// assign writes statements that assign settings, one per line. A table is assigned
// leaf by leaf, so that MediaWiki's other defaults stay.
func assign(value any) (string, error) {
	settings, ok := value.([]Setting)
	if !ok {
		return "", &escape.Error{Value: fmt.Sprint(value), Why: "is not a list of settings"}
	}
	var w escape.Code
	if len(settings) > 0 && settings[0].operation() != nil {
		err := writeOperations(&w, settings)
		return w.String(), err
	}
	for _, s := range settings {
		if !escape.IsPHPName(s.Name) {
			return "", &escape.Error{Value: s.Name, At: s.Value.Position, Why: "is not a name of a PHP variable"}
		}
		if s.define {
			w.Add(fmt.Sprintf("defined( '%s' ) || define( '%[1]s', %d );\n", s.Name, s.Value.Data))
			continue
		}
		if err := w.Assign("$"+s.Name, s.Value, s.whole); err != nil {
			return "", err
		}
	}
	return strings.TrimSuffix(w.String(), "\n"), nil
}
