package mediawiki

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"wikictl/tenants"
)

// Constants are the PHP constants that settings may use, with their values: an int64 or a
// string (MediaWiki: includes/Defines.php).
var Constants = map[string]any{
	"NS_MEDIA": int64(-2), "NS_SPECIAL": int64(-1), "NS_MAIN": int64(0), "NS_TALK": int64(1),
	"NS_USER": int64(2), "NS_USER_TALK": int64(3), "NS_PROJECT": int64(4), "NS_PROJECT_TALK": int64(5),
	"NS_FILE": int64(6), "NS_FILE_TALK": int64(7), "NS_MEDIAWIKI": int64(8), "NS_MEDIAWIKI_TALK": int64(9),
	"NS_TEMPLATE": int64(10), "NS_TEMPLATE_TALK": int64(11), "NS_HELP": int64(12), "NS_HELP_TALK": int64(13),
	"NS_CATEGORY": int64(14), "NS_CATEGORY_TALK": int64(15),

	"CACHE_ANYTHING": int64(-1), "CACHE_NONE": int64(0), "CACHE_DB": int64(1), "CACHE_MEMCACHED": "memcached-php", "CACHE_ACCEL": int64(3),

	"APCOND_EDITCOUNT": int64(1), "APCOND_AGE": int64(2), "APCOND_EMAILCONFIRMED": int64(3), "APCOND_INGROUPS": int64(4),
	"APCOND_ISIP": int64(5), "APCOND_IPINRANGE": int64(6), "APCOND_AGE_FROM_EDIT": int64(7), "APCOND_BLOCKED": int64(8), "APCOND_ISBOT": int64(9),

	"CONTENT_MODEL_WIKITEXT": "wikitext", "CONTENT_MODEL_JAVASCRIPT": "javascript", "CONTENT_MODEL_CSS": "css",
	"CONTENT_MODEL_TEXT": "text", "CONTENT_MODEL_JSON": "json",
}

// lastCoreNamespace is the last number that MediaWiki uses or reserves for its own
// namespaces (Manual:Using custom namespaces).
const lastCoreNamespace = 99

// maxNamespace is the largest number of a namespace (Manual:Using custom namespaces:
// extensions and sites use numbers up to 32767).
const maxNamespace = 32767

// namespaceName matches a namespace's name: a valid begin of a title, not an interwiki
// prefix, with _ for blanks. It is large: only a run that needs it compiles it.
var namespaceName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}_ ().'-]*$`) })

// NamespaceProblem returns why a namespace can't have a number or name, and what to do;
// empty if it can.
func NamespaceProblem(number int64, name string) (why, hint string) {
	switch {
	case number <= lastCoreNamespace || number > maxNamespace:
		return fmt.Sprintf("the number %d is not from 100 to %d", number, maxNamespace), "such as 3000"
	case number%2 != 0:
		return fmt.Sprintf("the number %d is odd", number), "odd numbers are for the talk pages of the number before"
	case !namespaceName().MatchString(name):
		return fmt.Sprintf("%q can't begin the title of a page", name), "letters, digits, _ ( ) . ' and -"
	case isCoreName(name):
		return fmt.Sprintf("%q is a name of MediaWiki's own namespaces, whose pages could not be read any more", name), "choose another name"
	}
	return "", ""
}

// isCoreName reports whether a name means one of MediaWiki's own namespaces in every language:
// its constant without NS_, or the former name of files (MessagesEn.php, $namespaceAliases).
func isCoreName(name string) bool {
	name = strings.ToUpper(name)
	_, known := Constants["NS_"+name]
	return known && name != "MAIN" || name == "IMAGE" || name == "IMAGE_TALK"
}

// ExtensionConstants returns the constants of the namespaces that a tenant's extensions
// declare, with their numbers (Manual:Extension registration).
func ExtensionConstants(t *tenants.Tenant) map[string]int64 {
	found := map[string]int64{}
	if t.Codebase == nil {
		return found
	}
	for _, name := range t.Extensions {
		if c := t.Codebase.Extensions[name]; c != nil {
			for _, n := range c.Declared().Namespaces {
				found[n.Constant] = n.Number
			}
		}
	}
	return found
}

// ConstantNames lists the names of Constants, sorted.
func ConstantNames() []string { return slices.Sorted(maps.Keys(Constants)) }
