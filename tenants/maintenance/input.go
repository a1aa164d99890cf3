package maintenance

import (
	"fmt"
	"os"
	"regexp"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// readsInput matches the code of a script that may read standard input (Maintenance::getStdin,
// Maintenance::readconsole).
var readsInput = regexp.MustCompile(`\b(?:getStdin|readconsole|STDIN)\b|php://stdin`)

// missesInput returns a *ScriptError if a script would not get the input that it reads, and so
// would do nothing, or something else than what was meant.
func (s Script) missesInput(l Located) error {
	if s.Input != nil || l.File == "" {
		return nil
	}
	if l.Core && slices.Contains(mediawiki.SavesInput, s.Title()) {
		return &ScriptError{tenants.WithHint(fmt.Errorf("%s saves what it reads from standard input as the whole page", s.Title()), "--stdin gives it to the script of each wiki")}
	}
	if !s.Offered {
		return nil
	}
	code, err := os.ReadFile(l.File)
	if err == nil && readsInput.Match(code) {
		err = &ScriptError{tenants.WithHint(fmt.Errorf("%s may read standard input, and would not get what is there", s.Title()), "--stdin gives it to the script of each wiki, < /dev/null none")}
	}
	return err
}
