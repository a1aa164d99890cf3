package session

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// answers caches the site information that wikis returned earlier in a run, so that a Before
// soon afterwards need not request it again: that takes a tenth of a small wiki's upgrade.
type answers struct {
	mu    sync.Mutex
	known map[string]answer // by tenant
}

// answer is one answer of a tenant by one of its host names.
type answer struct {
	host    string
	release int
	at      time.Time
	info    wiki.SiteInfo
}

// answerKept is how long a cached answer is used.
const answerKept = 10 * time.Minute

// Ask requests the site information of a tenant by the first host name of its current
// release, or of its definitions for users who may not see releases.
func (h *Host) Ask(ctx context.Context, t *tenants.Tenant) error {
	current, err := h.Deploy.Current(t.Name)
	if errors.Is(err, fs.ErrPermission) {
		_, err = wiki.Probe(ctx, h.Farm.ProbeBy(t.Hosts[0]), t.Places()[0])
		return err
	}
	if err != nil {
		return err
	}
	a := answer{host: h.HostOf(t, current), release: current, at: time.Now()}
	if a.info, err = wiki.ProbeLogIn(ctx, h.Farm.ProbeBy(t.Hosts[0]), a.host); err != nil {
		return err
	}
	h.answers.mu.Lock()
	defer h.answers.mu.Unlock()
	if h.answers.known == nil {
		h.answers.known = map[string]answer{}
	}
	h.answers.known[t.Name] = a
	return nil
}

// take returns an answer once, as a later request may differ.
func (a *answers) take(tenant, host string, release int) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, known := a.known[tenant]
	delete(a.known, tenant)
	return found, known && found.host == host && found.release == release && time.Since(found.at) < answerKept
}

// sightKept is how long the stored good answers of a release are used in place of new requests.
const sightKept = 24 * time.Hour

// Remembered reports whether the stored answers of a tenant's current release, with the code of
// set, are recent and good, and include everything that Before would request with these pages.
func (h *Host) Remembered(t *tenants.Tenant, set string, pages []string) (bool, error) {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return false, err
	}
	seen, err := h.Deploy.Seen(t.Name)
	if err != nil || seen.Release != current {
		return false, err
	}
	s, err := readSight(seen)
	return err == nil && s.covers(t.Places(), set, pages) && time.Since(s.At).Abs() < sightKept, err
}

// BeforeItself is Before without the main page and the log-in page. It stores its result,
// and returns true, only if all answers are good and no stored answer was bad. Faults that After
// finds then are new, or of these two pages.
func (h *Host) BeforeItself(ctx context.Context, t *tenants.Tenant, set string) (stored bool, err error) {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return false, err
	}
	seen, err := h.Deploy.Seen(t.Name)
	if err != nil {
		return false, err
	}
	s, err := readSight(seen)
	if err != nil || seen.Release != 0 && seen.Release != current || len(s.Hosts) == 0 || s.Bad() {
		return false, err
	}
	was := s.Checks
	s.Pages, s.At, s.Want.Version, s.Set = nil, time.Time{}, "", set // an update in place is not a fault
	info := h.probeHosts(ctx, t.Name, current, &s)
	if s.Bad() || info.DBName == "" {
		return false, nil
	}
	for _, what := range []string{mainPage, logIn} { // how long they took
		if i := find(was, what); i >= 0 {
			s.Checks = append(s.Checks, was[i])
		}
	}
	answer, err := json.Marshal(s)
	if err != nil {
		return false, err
	}
	return true, h.Deploy.NoteSeen(t.Name, deploy.Seen{Release: current, Answer: answer})
}

// Bad reports whether a sight has a wrong answer.
func (s Sight) Bad() bool {
	return slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Wrong != "" })
}

// AfterNothing is After for a tenant whose pages can't have changed. It only checks that the
// tenant answers as itself, and keeps the stored answers of its pages. Remembered must have
// reported them good.
func (h *Host) AfterNothing(ctx context.Context, t *tenants.Tenant, before Sight) (remarks []string, readOnly bool, worse error) {
	return h.after(ctx, t, before, func(after *Sight, _ wiki.SiteInfo) {
		for _, c := range before.Checks {
			if find(after.Checks, c.What) < 0 {
				after.Checks = append(after.Checks, c)
			}
		}
		after.At = before.At
	})
}

// covers reports whether a sight has good answers to everything.
func (s Sight) covers(hosts []string, set string, pages []string) bool {
	if s.Set != set || !slices.Equal(s.Hosts, hosts) {
		return false
	}
	for _, what := range append([]string{itself, logIn}, pages...) {
		if find(s.Checks, what) < 0 {
			return false
		}
	}
	return !s.Bad()
}

// Doubt makes the next Before of a tenant send its requests anew, after its stored answers
// proved outdated. It returns their time; zero if they were requested right before.
func (h *Host) Doubt(t *tenants.Tenant) (at time.Time, err error) {
	seen, err := h.Deploy.Seen(t.Name)
	if err != nil {
		return at, err
	}
	s, err := readSight(seen)
	if err != nil || s.At.IsZero() {
		return at, err
	}
	at, s.At = s.At, time.Time{}
	if seen.Answer, err = json.Marshal(s); err != nil {
		return at, err
	}
	return at, h.Deploy.NoteSeen(t.Name, seen)
}
