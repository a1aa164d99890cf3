package mediawiki

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"wikictl/cmd/testbed/needs"
)

var (
	composerVersions = []string{
		"1.43.9", "1.43.0", "1.43.0-alpha", "1.43.0-rc.1", "1.43.0-beta2", "1.44.0", "1.44.0-dev", "1.39.17", "1.0", "1.2", "1.2.3", "1.2.3.4", "1.2.4", "1.3.0",
		"2.0.0", "2.0.1", "2.1", "3.0.0", "0.3.0", "0.3.9", "0.4.0", "0.9", "0.0.3", "0.0.4", "v1.5.0", "8.2.29", "7.4.33", "10.0.0", "1.2.3-p1", "1.2.3-patch2", "0.0.0",
	}
	composerConstraints = []string{
		">= 1.43", ">=1.43.0", ">1.43", ">1.2", "<=1.2", "<1.44", "=1.2", "1.2", "1.2.3", "1.2.3.4", ">=1.39 <1.44", ">=1.39,<1.44", ">= 1.39.0, < 1.44.0",
		"1.0 - 2.0", "1.2 - 2", "1.0.0 - 2.0.0", "1.0 - 2.0 | 8.*", "^0.3", "^0.0.3", "^0", "^1.2.3", "^1", "^1.2 || ^2.0", "^1.2 | ^3", "^7.4|^8.0", "~1.2", "~1.2.3", "~1",
		"~0.3", "!= 1.2.3", "!=1.2.3", "<> 1.2.3", "1.43.x", "1.43.*", "1.*", "*", "x", "1.x", "~1.2.3.4", ">=1.43@dev", ">=1.43.0-rc1", "<2.0.0-beta", "^1.43.0-alpha",
		">=1.0 <1.1 || >=1.2", "==1.2.3", "1.0.0 - 2.0.0 !=1.2.3", ">0", "^0.0", "~0", "v1.5.0", ">=1.2.3-p1", "<=1.43.0-beta2",
	}
)

// Every answer is that of Composer's own library, which MediaWiki asks.
func TestSatisfiesAsComposerDoes(t *testing.T) {
	php := needs.PHP(t)
	asked, _ := json.Marshal([]any{composerVersions, composerConstraints})
	code := `require $argv[1]; [ $vs, $cs ] = json_decode( $argv[2] ); $out = [];
foreach ( $cs as $c ) { foreach ( $vs as $v ) { $out[$c][$v] = Composer\Semver\Semver::satisfies( $v, $c ); } } echo json_encode( $out );`
	out, err := exec.Command(php, "-d", "error_reporting=0", "-r", code, filepath.Join(needs.Codebases(t), "1.43/vendor/autoload.php"), string(asked)).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var want map[string]map[string]bool
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	for constraint, answers := range want {
		for version, met := range answers {
			if got := Satisfies(version, constraint); got != met {
				t.Errorf("%s of %s: %v, Composer says %v", version, constraint, got, met)
			}
		}
	}
}

// What can't be read is met, and what can be read beside it still counts.
func TestSatisfiesUnreadableConstraints(t *testing.T) {
	for _, tc := range []struct {
		version, constraint string
		met                 bool
	}{
		{"dev-master", ">=1.0", true},
		{"1.44.0-wmf.5", "<1.0", true},
		{"1.0.x-dev", ">=2", true},
		{"", ">=2", true},
		{"1.2.3", "dev-master", true},
		{"1.2.3", "self.version", true},
		{"1.2.3", "", true},
		{"1.2.3", "nonsense, >=2", false},
		{"1.43.9", "1.43.x", true},
		{"1.2.3", "!= 1.2.3", false},
		{"0.9", "^0.3", false},
		{"1.5", "1.0 - 2.0", true},
		{"3.0", "^1 | ^3", true},
	} {
		if got := Satisfies(tc.version, tc.constraint); got != tc.met {
			t.Errorf("%q of %q: %v", tc.version, tc.constraint, got)
		}
	}
}
