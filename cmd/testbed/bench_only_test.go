package main

import (
	"regexp"
	"testing"
)

// --only chooses ways by name, and the forced ones apart from others of the same name.
func TestOnlyChooses(t *testing.T) {
	tests := []struct {
		only, table, name string
		want              bool
	}{
		{"^wikictl", "1.39 to 1.43", "wikictl upgrade", true},
		{"^wikictl", forced, "wikictl upgrade --force", true},
		{"^wikictl upgrade --force$", forced, "wikictl upgrade --force", true},
		{"^wikictl upgrade --force$", "1.39 to 1.43", "wikictl upgrade", false},
		{"^nothing to do", forced, "update.php, one after the other", true},
		{"^nothing to do", "1.39 to 1.43", "update.php, one after the other", false},
		{"^1.39.*-P4$", forced, "update.php by xargs -P4", false},
	}
	for _, c := range tests {
		b := &upgrading{only: regexp.MustCompile(c.only)}
		if got := b.chosen(c.table, way{name: c.name}); got != c.want {
			t.Errorf("--only %q, %s: %s: %t", c.only, c.table, c.name, got)
		}
	}
}
