package staging

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Special pages of which only the listed items are compared, because MediaWiki releases differ
// in the text around them.
const (
	version = "Special:Version"
	changes = "Special:RecentChanges"
)

// page is the compared part of an answer.
type page struct {
	status   int
	title    string
	words    []string
	revision string // id of an article's revision; empty: unknown
	newest   string // time of the newest of the listed changes
}

var (
	revisionOf = regexp.MustCompile(`"wgCurRevisionId":\s*(\d+)`)
	clock      = regexp.MustCompile(`\b\d{1,2}:\d{2}(:\d{2})?\b|\b\d{4}-\d{2}-\d{2}T?|\b20\d{12}\b`)
)

// readPage parses an answer. own are the words in which wiki and copy are allowed to differ, such
// as host and version, longest first.
func readPage(path string, status int, body []byte, own []string) page {
	p := page{status: status}
	if m := revisionOf.FindSubmatch(body); m != nil && string(m[1]) != "0" {
		p.revision = string(m[1])
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		p.words = strings.Fields(string(body))
		return p
	}
	p.title = masked(text(find(root, func(n *html.Node) bool { return n.Data == "title" })), own)
	content := find(root, func(n *html.Node) bool { return attribute(n, "id") == "mw-content-text" })
	switch {
	case content == nil:
		content = find(root, func(n *html.Node) bool { return n.Data == "body" })
	case strings.HasSuffix(path, version):
		p.words = listed(content)
		return p
	case strings.HasSuffix(path, changes):
		p.words, p.newest = changed(content)
		return p
	}
	p.words = strings.Fields(masked(text(content), own))
	return p
}

// masked replaces words that are allowed to differ, and times.
func masked(s string, own []string) string {
	for _, word := range own {
		s = strings.ReplaceAll(s, word, "…")
	}
	return clock.ReplaceAllString(strings.Join(strings.Fields(s), " "), "…")
}

// listed returns the extensions and skins that Special:Version lists, by the rows' ids,
// "mw-version-ext-KIND-NAME".
func listed(n *html.Node) []string {
	var names []string
	for d := range n.Descendants() {
		if rest, is := strings.CutPrefix(attribute(d, "id"), "mw-version-ext-"); is {
			if _, name, has := strings.Cut(rest, "-"); has {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// changed returns the entries of Special:RecentChanges, as "TIME TITLE", and the newest time.
func changed(n *html.Node) (list []string, newest string) {
	for d := range n.Descendants() {
		at := attribute(d, "data-mw-ts")
		if at == "" {
			continue
		}
		title := find(d, func(n *html.Node) bool { return strings.Contains(attribute(n, "class"), "mw-changeslist-title") })
		list, newest = append(list, at+" "+text(title)), max(newest, at)
	}
	slices.Sort(list)
	return slices.Compact(list), newest
}

// find returns the first element, in the order of the document, that matches, or nil.
func find(n *html.Node, match func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(d) {
			return d
		}
	}
	return nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// unseen lists elements whose text is not the page's; blocks end a word.
var (
	unseen = []string{"script", "style", "noscript", "template"}
	blocks = []string{"address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "section", "table", "tbody", "td", "th", "tr", "ul"}
	// menus are classes and ids of links to edit, tables of contents and what the skin adds.
	menus = []string{"mw-editsection", "toc", "printfooter", "catlinks", "mw-empty-elt"}
)

// text returns the visible text of an element.
func text(n *html.Node) string {
	var b strings.Builder
	if n != nil {
		gather(&b, n)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func gather(b *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		b.WriteString(n.Data)
		return
	}
	if n.Type == html.ElementNode {
		menu := func(name string) bool {
			return attribute(n, "id") == name || slices.Contains(strings.Fields(attribute(n, "class")), name)
		}
		if slices.Contains(unseen, n.Data) || slices.ContainsFunc(menus, menu) {
			return
		}
	}
	block := n.Type == html.ElementNode && slices.Contains(blocks, n.Data)
	if block {
		b.WriteByte(' ')
	}
	for c := range n.ChildNodes() {
		gather(b, c)
	}
	if block {
		b.WriteByte(' ')
	}
}

// differs describes the difference between a page of the wiki and that of its copy; "" if they
// are equal.
func differs(of, copy page) string {
	switch {
	case of.status != copy.status:
		return fmt.Sprintf("status %d, and %d in the copy", of.status, copy.status)
	case of.title != copy.title:
		return fmt.Sprintf("the title %q, and %q in the copy", of.title, copy.title)
	}
	mine := of.words
	if copy.newest != "" { // changes made since the copy are not compared
		mine = slices.DeleteFunc(slices.Clone(mine), func(line string) bool { return line[:min(len(line), len(copy.newest))] > copy.newest })
	}
	for i := range max(len(mine), len(copy.words)) {
		if i >= len(mine) || i >= len(copy.words) || mine[i] != copy.words[i] {
			return fmt.Sprintf("%q, and %q in the copy", around(mine, i), around(copy.words, i))
		}
	}
	return ""
}

// around quotes some words from an index on.
func around(words []string, i int) string {
	if i >= len(words) {
		return "the end"
	}
	return strings.Join(words[i:min(i+6, len(words))], " ")
}
