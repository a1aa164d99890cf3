// Package manual holds the pages of the manual, one topic a file. It knows nothing of
// the commands that it describes.
package manual

import (
	"embed"
	"strings"
)

//go:embed *.md
var pages embed.FS

// topics are the names of the pages, in the order in which a new reader needs them.
var topics = []string{
	"files", "selection", "changing", "upgrading", "auditing", "maintenance", "backups", "monitoring", "web", "rendering", "security",
	"troubleshooting", "exit-codes", "json", "performance", "architecture",
}

// Page is one page of the manual.
type Page struct {
	Topic string // the name that wikictl help takes, such as "exit-codes"
	Title string // the page's heading
	Text  string // the whole page, as Markdown
}

// Pages returns all pages in reading order.
func Pages() []Page {
	list := make([]Page, len(topics))
	for i, topic := range topics {
		list[i], _ = Find(topic)
	}
	return list
}

// Find returns the page of a topic and reports whether there is one.
func Find(topic string) (Page, bool) {
	text, err := pages.ReadFile(topic + ".md")
	if err != nil {
		return Page{}, false
	}
	title, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
	return Page{Topic: topic, Title: title, Text: string(text)}, true
}
