package templates

import (
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// kept holds what a Set has rendered, for Keep. The files of a tenant depend on nothing but
//
//   - Data: the farm, the tenant and the codebase as they were loaded, and the tenant's
//     secrets as they are now. Values of { secret = "…" } are read once a farm.
//   - the templates, and the lists of settings of codebases, which a Set reads once.
//   - Created, where a template may ask it. Nothing is kept then.
//
// A loaded farm changes only by the faults that Check adds, and Check drops what it rendered
// then. Secrets that were read under a tenant's lock thus give the files of before it only if
// they are equal to those of before.
type kept struct {
	mu    sync.Mutex
	room  int // bytes that may still be kept
	files map[Data]Rendered
}

// Keep has Render keep what it makes, up to room bytes, and return it again for equal Data.
// Callers must not change it. Of what does not fit nothing is kept.
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
