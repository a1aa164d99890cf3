package mediawiki

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// maxUserName is the maximum length of a user name in bytes (MediaWiki:
// UserNameUtils::isCreatable).
const maxUserName = 235

// reservedNames lists users of MediaWiki's own scripts, which can't log in
// (Manual:$wgReservedUsernames), with the English names of those that a message names.
var reservedNames = []string{
	"MediaWiki default", "Conversion script", "Maintenance script", "Template namespace initialisation script", "ScriptImporter",
	"Delete page script", "Move page script", "Command line script", "Unknown user",
	"Redirect fixer", "System messenger", "MediaWiki message delivery", "Proxy blocker", "DNSBL", "MediaWiki spam cleanup", "MediaWiki automatic change",
}

// reservedMessages lists the messages that name such users in a wiki's language.
var reservedMessages = []string{
	"double-redirect-fixer", "usermessage-editor", "proxyblocker", "sorbs", "spambot_username", "autochange-username",
}

var (
	blanks = regexp.MustCompile(`[ _\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+`)
	// address matches what MediaWiki treats as an IP address or a range.
	address = regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){2}\.(\d{1,3}|xxx)(-\d{1,3}(\.\d{1,3}){3})?$`)
	// userName excludes what MediaWiki's UserNameUtils and titles refuse, and further
	// characters that an administrator's name does not need. It is large: only a run that
	// needs it compiles it.
	userName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[\p{Lu}\p{Lo}\p{Nd}][\p{L}\p{M}\p{N} .'’()-]*$`)
	})
)

// canonicalName returns a user name as MediaWiki stores it (Manual:Page title): blanks
// for underscores, single ones, none at the ends, and a capital first letter.
func canonicalName(name string) string {
	name = strings.Trim(blanks.ReplaceAllString(norm.NFC.String(name), " "), " ")
	if first, size := utf8.DecodeRuneInString(name); size > 0 {
		name = string(unicode.ToUpper(first)) + name[size:]
	}
	return name
}

// UserNameProblem returns why a user of that name could not log in, and what to do; empty
// if there is no problem.
func UserNameProblem(name string) (why, hint string) {
	canonical := canonicalName(name)
	switch {
	case address.MatchString(name):
		return fmt.Sprintf("%q is an IP address, which no user can be named", name), "choose a name"
	case slices.Contains(reservedNames, canonical):
		return fmt.Sprintf("%q is a name that MediaWiki reserves for itself", name), "choose another"
	case !userName().MatchString(canonical) || strings.Trim(canonical, ".") == "":
		return fmt.Sprintf("%q is not a user name that wikictl can make", name), "a capital letter or a digit first, then letters, digits, spaces and . ' ( ) -"
	case len(name) > maxUserName:
		return fmt.Sprintf("the user name has %d bytes, MediaWiki's limit is %d", len(name), maxUserName), ""
	case canonical != name:
		return fmt.Sprintf("MediaWiki would call the user %q", canonical), fmt.Sprintf("write it that way; %q could not log in", name)
	}
	return "", ""
}

// ReservedIn returns the reserved names in a language, from MediaWiki's messages; none
// for a language without messages, which is reported elsewhere.
func ReservedIn(c *tenants.Codebase, language string) []string {
	var names []string
	var messages map[string]any
	data, err := disk.Read(filepath.Join(c.Path, "languages", "i18n", language+".json"))
	if err == nil && json.Unmarshal(data, &messages) == nil {
		for _, key := range reservedMessages {
			if text, ok := messages[key].(string); ok {
				names = append(names, text)
			}
		}
	}
	return names
}
