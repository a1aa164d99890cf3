package mediawiki

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// The trees define the constants as the table has them, and all that are of its kinds.
func TestConstants(t *testing.T) {
	define := regexp.MustCompile(`(?m)^define\( '((?:NS|CACHE|APCOND|CONTENT_MODEL)_\w+)', (?:(-?\d+)|'([^']*)') \)`)
	passed := map[string]bool{"CACHE_HASH": true, "CONTENT_MODEL_UNKNOWN": true} // "not configurable", and no model
	for _, version := range []string{"1.39", "1.43"} {
		text, err := os.ReadFile(filepath.Join(needs.Codebases(t), version, "includes/Defines.php"))
		if err != nil {
			t.Fatal(err)
		}
		found := define.FindAllStringSubmatch(string(text), -1)
		if len(found) < len(Constants) {
			t.Errorf("%s: %d constants, want %d", version, len(found), len(Constants))
		}
		for _, m := range found {
			if !passed[m[1]] && fmt.Sprint(Constants[m[1]]) != m[2]+m[3] {
				t.Errorf("%s: %s is %s%s, not %v", version, m[1], m[2], m[3], Constants[m[1]])
			}
		}
	}
}
