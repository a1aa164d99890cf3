package session

import (
	"path/filepath"
	"sync"

	"wikictl/templates/deploy"
	"wikictl/tenants/definitions"
)

// logIns records the log-in pages that a run has checked. The page depends on code and
// settings only, and takes as long as all other checks of a wiki together: so it is
// requested once for wikis of the same kind, and the others are asked only for a log-in
// token.
type logIns struct {
	mu    sync.Mutex
	kinds map[string]float64 // seconds by kind
}

// seen returns the seconds that the page of a kind took; known is false if none was
// requested yet.
func (l *logIns) seen(kind string) (seconds float64, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seconds, known = l.kinds[kind]
	return seconds, known
}

// note records the page of a kind. An empty kind is not shared.
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

// kindOf returns the same text for tenants served from the same code (a ComponentSet)
// with the same settings except for names. It is empty if that is unknown: the farm's own
// template may write other settings for each tenant.
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
