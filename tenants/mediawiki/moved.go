package mediawiki

import "fmt"

// Moved is what became of an extension or skin that MediaWiki's trees had.
type Moved struct {
	Since string // the first version of MediaWiki without it
	To    string // the component that took its place; empty: MediaWiki itself has it
}

// moves are by name (release notes of MediaWiki, "Upgrading notes" and "New user-facing
// features"; Interwiki: includes/Defines.php of 1.44 and later, MW_HAS_SPECIAL_INTERWIKI).
var moves = map[string]Moved{
	"Renameuser": {Since: "1.40"},
	"Interwiki":  {Since: "1.44"},
}

// MovedProblem says what became of a component that a codebase of some version does not
// have, and what to do; nothing for one of which nothing is known.
func MovedProblem(name, version string) (why, hint string) {
	m, known := moves[name]
	if !known || CompareVersions(version, m.Since) < 0 {
		return "", ""
	}
	if m.To != "" {
		return fmt.Sprintf("%s is %s since MediaWiki %s", name, m.To, m.Since), "name that in its place"
	}
	return fmt.Sprintf("%s is part of MediaWiki since %s", name, m.Since), "take it away"
}
