package mediawiki

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

func TestPlatformProblems(t *testing.T) {
	root := t.TempDir()
	needs.Files(t, root, map[string]string{
		"includes/Defines.php":        "<?php define( 'MW_VERSION', '1.43.9' );",
		"composer.json":               `{"require": {"php": ">=8.1.0", "ext-intl": "*", "ext-zend-opcache": "*", "wikimedia/assert": "0.5.1"}}`,
		"vendor/composer.lock":        `{"packages": [{"name": "wikimedia/assert", "version": "v0.5.1"}]}`,
		"extensions/A/extension.json": `{"requires": {"platform": {"php": ">= 8.3", "ext-ldap": "*", "ability-shell": true}}}`,
		"extensions/B/extension.json": `{"requires": {"platform": {"ext-imagick": "*"}}}`,
		"skins/S/skin.json":           `{"requires": {"platform": {"php": "^7.4"}}}`,
	})
	c, err := Open("1.43", root)
	if err != nil {
		t.Fatal(err)
	}
	if got := LibraryProblems(c); len(got) != 0 {
		t.Errorf("all libraries are there: %q", got)
	}
	for lock, want := range map[string]string{
		`{"packages": [{"name": "wikimedia/assert", "version": "v0.5.0"}]}`: "assert 0.5.1, but has v0.5.0: run composer",
		`{"packages": []}`: "needs the library wikimedia/assert 0.5.1: run composer",
		`{"packages":`:     "composer.lock: unexpected end of JSON",
	} {
		// The one beside composer.json comes first.
		if err := os.WriteFile(filepath.Join(root, "composer.lock"), []byte(lock), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := LibraryProblems(c); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q", lock, got)
		}
	}
	tenant := &tenants.Tenant{Extensions: []string{"A"}, Skins: []string{"S"}, Codebase: c}
	for _, want := range []struct {
		version    string
		extensions []string
		problems   []string
	}{
		{"8.2.29", []string{"intl", "Zend OPcache", "ldap"}, []string{"A needs PHP >= 8.3, but it is 8.2.29", "S needs PHP ^7.4, but it is 8.2.29"}},
		{"7.4.33", []string{"Intl"}, []string{
			"MediaWiki 1.43.9 needs PHP's extension zend-opcache", "MediaWiki 1.43.9 needs PHP >=8.1.0, but it is 7.4.33",
			"A needs PHP's extension ldap", "A needs PHP >= 8.3, but it is 7.4.33",
		}},
	} {
		if got := PlatformProblems(tenant, c, want.version, want.extensions); !slices.Equal(got, want.problems) {
			t.Errorf("PHP %s: %q, want %q", want.version, got, want.problems)
		}
	}
}
