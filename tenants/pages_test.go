package tenants

import (
	"regexp"
	"strings"
	"testing"
)

// Only addresses of a wiki's own, of plain folders, are pages; the rest of its host is not.
func TestPagePatterns(t *testing.T) {
	for _, tc := range []struct{ path, language, address, is, isNot string }{
		{"", "en", "/edit/$1", "/edit/A /edit/A/b", "/edit /edit/ /xedit/A /w/edit/A"},
		{"", "en", "/x.y/$1", "/x.y/A", "/xzy/A"},
		{"", "zh", "/$2/$1", "/zh/A /zh-hans/A /zh-hant-tw/A", "/zhx/A /en/A /ZH/A /zh-/A /zh"},
		{"", "iu", "/$2/$1", "/ike-cans/A /iu/A", "/ikea/A"},
		{"", "de-formal", "/v/$2/$1", "/v/de/A /v/de-formal/A", "/de/A"},
		{"/en", "en", "/en/edit/$1", "/en/edit/A", "/edit/A /en/A"},
		{"/en", "zh", "/en/$2/$1", "/en/zh/A", "/en/A"},
		{"/en", "en", "/edit/$1", "", "/edit/A"},
		{"/en", "en", "/en/$1", "", "/en/A"},
		{"", "en", "/$1", "", "/A"},
		{"", "en", "edit/$1", "", "/edit/A"},
		{"", "en", "https://a.example/edit/$1", "", "/edit/A"},
		{"", "en", "/(a|b)/$1", "", "/a/A"},
		{"", "en", "/e\"; return 200/$1", "", "/e"},
		{"", "en", "/edit?title=$1", "", "/edit"},
		{"", "en", "/edit/$1/x", "", "/edit/A/x"},
	} {
		for _, data := range []any{
			map[string]Value{"edit": {Data: tc.address}, "history": {Data: int64(1)}},
			&Operation{Replace: &Value{Data: map[string]Value{"edit": {Data: tc.address}}}},
		} {
			x := &Tenant{Path: tc.path, Language: tc.language, Settings: map[string]Value{"wgActionPaths": {Data: data}}}
			patterns := x.PagePatterns()
			matches := func(path string) bool {
				return len(patterns) == 1 && regexp.MustCompile(patterns[0]+"$").MatchString(path)
			}
			if (len(patterns) == 0) != (tc.is == "") {
				t.Errorf("%s: %q", tc.address, patterns)
			}
			for _, path := range strings.Fields(tc.is) {
				if !matches(path) {
					t.Errorf("%s is no page by %s: %q", path, tc.address, patterns)
				}
			}
			for _, path := range strings.Fields(tc.isNot) {
				if matches(path) {
					t.Errorf("%s is a page by %s: %q", path, tc.address, patterns)
				}
			}
		}
	}
}
