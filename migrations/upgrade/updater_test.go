package upgrade

import (
	"strings"
	"testing"
)

func TestUpdaterSkipsPlannedChecks(t *testing.T) {
	const both = "--skip-config-validation --skip-external-dependencies"
	cases := []struct {
		name, code string
		checked    bool
		want       string
	}{
		{"both are known", "addOption( 'skip-external-dependencies' ); addOption( 'skip-config-validation' );", true, both},
		{"one is known", "addOption( 'skip-external-dependencies' );", true, "--skip-external-dependencies"},
		{"none is known", "addOption( 'quick' );", true, ""},
		{"nothing was checked", "addOption( 'skip-external-dependencies' ); addOption( 'skip-config-validation' );", false, ""},
	}
	for _, tc := range cases {
		if got := strings.Join(skips([]byte(tc.code), tc.checked), " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
