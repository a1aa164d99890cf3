package staging

import (
	"strings"
	"testing"
)

// article is a page of MediaWiki with a title and a content.
func article(title, content, revision string) string {
	return `<html><head><title>` + title + `</title></head><body><div id="mw-content-text">` + content + `</div><script>{"wgCurRevisionId":` + revision + `}</script></body></html>`
}

// Menus, markup, times and the words in which a copy differs by right are not compared; text,
// title and status are.
func TestDiffers(t *testing.T) {
	own := []string{"alpha-stage.localhost", "alpha.example.org", "1.39.17", "1.43.9"}
	of := article("A page - Alpha", `<p>The <b>text</b> on alpha.example.org at 12:30, by 1.39.17.</p><span class="mw-editsection">[edit]</span>`, "7")
	for _, tc := range []struct {
		name, copy string
		status     int
		want       string
	}{
		{"by right", article("A page - Alpha", `<div><p>The text on <i>alpha-stage.localhost</i> at 08:15, by 1.43.9.</p></div>`, "7"), 200, ""},
		{"a word", article("A page - Alpha", `<p>The texts on alpha.example.org at 12:30, by 1.39.17.</p>`, "7"), 200, `"text on`},
		{"the end", article("A page - Alpha", `<p>The text on alpha.example.org at</p>`, "7"), 200, `"the end" in the copy`},
		{"the title", article("Another - Alpha", `<p>The text on alpha.example.org at 12:30, by 1.39.17.</p>`, "7"), 200, `the title "A page - Alpha"`},
		{"the status", article("A page - Alpha", ``, "7"), 500, "status 200, and 500 in the copy"},
		{"no page", "Fatal error", 200, "the title"},
	} {
		why := differs(readPage("/wiki/A", 200, []byte(of), own), readPage("/wiki/A", tc.status, []byte(tc.copy), own))
		if (why == "") != (tc.want == "") || !strings.Contains(why, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, why, tc.want)
		}
	}
}

// Of the recent changes only those are compared that were made before the copy.
func TestDiffersByRecentChanges(t *testing.T) {
	row := func(at, title string) string {
		return `<li data-mw-ts="` + at + `"><span class="mw-changeslist-title">` + title + `</span></li>`
	}
	view := func(rows ...string) page {
		return readPage("/index.php?title="+changes, 200, []byte(article("Recent changes", strings.Join(rows, ""), "0")), nil)
	}
	copied := view(row("20260101000000", "A"), row("20260102000000", "B"))
	if why := differs(view(row("20260103000000", "Since"), row("20260102000000", "B"), row("20260101000000", "A")), copied); why != "" {
		t.Error(why)
	}
	if why := differs(view(row("20260102000000", "B")), copied); why == "" {
		t.Error("a change that only the copy has is not named")
	}
}
