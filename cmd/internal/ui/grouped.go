package ui

import (
	"fmt"
	"io"
	"strings"
)

// Grouped collects messages about tenants, each message once, in the order of their first
// use.
type Grouped struct {
	texts []string
	names map[string][]string
}

// Add adds a message about a tenant.
func (g *Grouped) Add(text, tenant string) {
	if g.names == nil {
		g.names = map[string][]string{}
	}
	if g.names[text] == nil {
		g.texts = append(g.texts, text)
	}
	g.names[text] = append(g.names[text], tenant)
}

// Len returns the number of messages.
func (g *Grouped) Len() int { return len(g.texts) }

// mostNames is the number of tenants that are named; the others are counted.
const mostNames = 5

// Print prints a line per message: "KIND a, b, and 3 more: message".
func (g *Grouped) Print(out io.Writer, kind string) {
	for _, text := range g.texts {
		names := g.names[text]
		more := ""
		if len(names) > mostNames {
			more = fmt.Sprintf(", and %d more", len(names)-mostNames)
			names = names[:mostNames]
		}
		fmt.Fprintf(out, "%s %s%s: %s\n", kind, strings.Join(names, ", "), more, Clean(text))
	}
}
