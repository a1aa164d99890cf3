package mediawiki

import "fmt"

// Moved describes the fate of an extension or skin that earlier MediaWiki releases
// contained.
type Moved struct {
	Since string // the first version of MediaWiki without it
	To    string // the component that replaces it; empty: MediaWiki itself includes it
}

// moves is by name (release notes of MediaWiki, "Upgrading notes" and "New user-facing
// features"; Interwiki: includes/Defines.php of 1.44 and later,
// MW_HAS_SPECIAL_INTERWIKI).
var moves = map[string]Moved{
	"Renameuser": {Since: "1.40"},
	"Interwiki":  {Since: "1.44"},
}

// MovedProblem returns what became of a component that a codebase of some version lacks,
// and what to do; empty if unknown.
func MovedProblem(name, version string) (why, hint string) {
	m, known := moves[name]
	if !known || CompareVersions(version, m.Since) < 0 {
		return "", ""
	}
	if m.To != "" {
		return fmt.Sprintf("%s is %s since MediaWiki %s", name, m.To, m.Since), "use that instead"
	}
	return fmt.Sprintf("%s is part of MediaWiki since %s", name, m.Since), "remove it"
}
