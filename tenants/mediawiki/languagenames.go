package mediawiki

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"wikictl/tenants/disk"
)

// languageFile has the patterns of a file languages/messages/MessagesXX.php: its lists of names of
// namespaces, its languages of fallback, the strings of a list, and comments.
type languageFile struct{ list, fallback, text, comment *regexp.Regexp }

var languagePatterns = sync.OnceValue(func() languageFile {
	return languageFile{
		regexp.MustCompile(`(?ms)^\$namespace(?:Names|Aliases|GenderAliases)\s*=\s*\[(.*?)\];`),
		regexp.MustCompile(`(?m)^\$fallback\s*=\s*'([^']*)'`),
		regexp.MustCompile(`'((?:[^'\\]|\\.)*)'|"([^"\\$]*)"`),
		regexp.MustCompile(`(?m)(?://|#).*$`),
	}
})

// NamespaceNames returns the names of MediaWiki's own namespaces in a language and in those that it
// falls back to, with _ for blanks (Localisation: $namespaceNames, $namespaceAliases,
// $namespaceGenderAliases, $fallback). The names of every language, in English, are not among
// them, nor those with the wiki's own name. tree is the path of a MediaWiki.
func NamespaceNames(tree, language string) []string {
	var names, read []string
	p := languagePatterns()
	for next := []string{language}; len(next) > 0; next = next[1:] {
		code := next[0]
		if code == "" || code == "en" || slices.Contains(read, code) {
			continue
		}
		read = append(read, code)
		file := "Messages" + strings.ToUpper(code[:1]) + strings.ReplaceAll(code[1:], "-", "_") + ".php"
		data, err := disk.Read(filepath.Join(tree, "languages", "messages", filepath.Base(file)))
		if err != nil { // the language has only messages, or none, which is reported elsewhere
			continue
		}
		for _, list := range p.list.FindAllStringSubmatch(string(data), -1) {
			for _, text := range p.text.FindAllStringSubmatch(p.comment.ReplaceAllString(list[1], ""), -1) {
				name := strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(text[1] + text[2])
				if name != "male" && name != "female" && !strings.Contains(name, "$1") {
					names = append(names, strings.ReplaceAll(name, " ", "_"))
				}
			}
		}
		if m := p.fallback.FindStringSubmatch(string(data)); m != nil {
			for _, one := range strings.Split(m[1], ",") {
				next = append(next, strings.TrimSpace(one))
			}
		}
	}
	return names
}
