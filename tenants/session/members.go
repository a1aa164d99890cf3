package session

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"wikictl/tenants/ledger"
)

// members are the existing tenants, for templates that use them. They are read from the ledger
// once for each Source, and only if a template uses them.
type members struct {
	mu       sync.Mutex
	fresh    bool
	tenants  map[string]bool
	expected map[string]bool
}

func (m *members) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = false
}

// Expect makes tenants count as created that this run is about to create or rename; it replaces
// those of an earlier call. So files that list tenants are planned and written in the same run.
func (h *Host) Expect(names []string) {
	h.members.mu.Lock()
	defer h.members.mu.Unlock()
	h.members.expected = map[string]bool{}
	for _, name := range names {
		h.members.expected[name] = true
	}
}

// created reports whether the ledger had a complete tenant of that name when it was read,
// or one is expected.
func (m *members) created(name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.fresh {
		return false, errors.New("the ledger was not read")
	}
	return m.tenants[name] || m.expected[name], nil
}

// read reads the ledger, unless it was read already or no template uses it. Without a ledger
// no tenant exists.
func (m *members) read(ctx context.Context, h *Host) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fresh || !h.Templates.AsksCreated() {
		return nil
	}
	l, err := h.Ledger(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		m.tenants, m.fresh = nil, true
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := l.Tenants(ctx)
	if err != nil {
		return err
	}
	m.tenants, m.fresh = map[string]bool{}, true
	for name, row := range rows {
		m.tenants[name] = row.State != ledger.Creating
	}
	return nil
}
