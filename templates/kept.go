package templates

import (
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// kept holds files that a Set has rendered, for Keep. The files of a tenant depend only on
//
//   - Data: the farm, the tenant and the codebase as they were loaded, and the tenant's
//     secrets as they are now. Values of { secret = "…" } are read once a farm.
//   - the templates, and the lists of settings of codebases, which a Set reads once.
//   - Created, if a template may call it. Nothing is kept then.
//
// A loaded farm changes only by the faults that Check adds, and Check drops the kept files then.
// A run reads a tenant's secrets again under its lock: kept files are used only if these secrets
// are equal to the earlier ones.
type kept struct {
	mu    sync.Mutex
	room  int // bytes that may still be kept
	files map[Data]Rendered
}

// Keep makes Render keep the files that it renders, up to room bytes, and return them again for
// equal Data. Callers must not change them. Render does not keep files for which no room is left.
func (s *Set) Keep(room int) {
	if s.asks {
		return
	}
	s.kept = &kept{room: room, files: map[Data]Rendered{}}
}

func (k *kept) find(d Data) (r Rendered, ok bool) {
	if k == nil {
		return r, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok = k.files[d]
	return r, ok
}

func (k *kept) add(d Data, r Rendered) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, twice := k.files[d]; !twice && r.size() <= k.room {
		k.files[d], k.room = r, k.room-r.size()
	}
}

func (k *kept) clear() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.files {
		k.room += r.size()
	}
	clear(k.files)
}

// SecretsOf returns a tenant's secrets; ok is false if it has none, or none that this user
// can read.
type SecretsOf func(tenant *tenants.Tenant) (s secrets.Secrets, ok bool)
