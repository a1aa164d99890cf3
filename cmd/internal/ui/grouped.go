package ui

import (
	"fmt"
	"io"
	"strings"
)

// Grouped is what was said of tenants, each thing once, in the order in which it was
// first said.
type Grouped struct {
	said  []string
	names map[string][]string
}

// Add notes that something is true of a tenant.
func (g *Grouped) Add(said, tenant string) {
	if g.names == nil {
		g.names = map[string][]string{}
	}
	if g.names[said] == nil {
		g.said = append(g.said, said)
	}
	g.names[said] = append(g.names[said], tenant)
}

// Len is how many things were said.
func (g *Grouped) Len() int { return len(g.said) }

// mostNames is how many tenants are named before the others are counted.
const mostNames = 5

// Print prints a line for each: "KIND a, b, and 3 more: what was said".
func (g *Grouped) Print(out io.Writer, kind string) {
	for _, said := range g.said {
		names := g.names[said]
		more := ""
		if len(names) > mostNames {
			more = fmt.Sprintf(", and %d more", len(names)-mostNames)
			names = names[:mostNames]
		}
		fmt.Fprintf(out, "%s %s%s: %s\n", kind, strings.Join(names, ", "), more, Clean(said))
	}
}
