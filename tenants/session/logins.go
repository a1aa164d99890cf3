package session

import (
	"path/filepath"
	"sync"

	"wikictl/templates/deploy"
	"wikictl/tenants/definitions"
)

// logIns are the log-in pages that a run has seen. Code and settings make that page, and
// it takes as long as all else that a wiki is asked: of wikis of one kind one shows it,
// and the others are asked only what a log-in takes of them.
type logIns struct {
	mu    sync.Mutex
	kinds map[string]float64 // seconds by kindOf
}

// seen returns how long the page of a kind took; false: none was seen yet.
func (l *logIns) seen(kind string) (seconds float64, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seconds, known = l.kinds[kind]
	return seconds, known
}

// note keeps that the page of a kind came. An empty kind is of no other wiki.
func (l *logIns) note(kind string, seconds float64) {
	if kind == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds == nil {
		l.kinds = map[string]float64{}
	}
	l.kinds[kind] = seconds
}

// kindOf is the same for tenants that are served from the same code, a ComponentSet, with
// the same settings but for their names. It is empty where that can't be told: a template
// of the farm's own may write other settings for each.
func (h *Host) kindOf(tenant, set string) string {
	if set == "" || deploy.Exists(filepath.Join(h.Farm.Templates, "localsettings.php.tmpl")) {
		return ""
	}
	current, err := h.Deploy.Current(tenant)
	if err != nil {
		return ""
	}
	definition, err := h.Deploy.DefinitionOf(tenant, current)
	if err != nil {
		return ""
	}
	return set + " " + definitions.DefinedAlike(definition)
}
