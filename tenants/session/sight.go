package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"syscall"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// Sight is the set of a tenant's answers while it was served from one release.
type Sight struct {
	Hosts  []string      `json:"hosts"` // Tenant.Places
	Want   wiki.SiteInfo `json:"want"`
	Set    string        `json:"set"` // Tenant.ComponentSet of its code
	Checks []Check       `json:"checks"`
	Pages  []string      `json:"pages,omitempty"` // paths of further pages to request
	At     time.Time     `json:"at,omitzero"`     // of the checks, if After made them
}

// Check is one request and its result.
type Check struct {
	What    string  `json:"what"`
	Wrong   string  `json:"wrong,omitempty"`  // empty: the answer was right
	Silent  bool    `json:"silent,omitempty"` // no answer, or a failure of the wiki
	Seconds float64 `json:"seconds"`
	Title   string  `json:"title,omitempty"`  // for a page of Sight.Pages
	Length  int     `json:"length,omitempty"` // of its text

	err error
}

// Names of checks. The check of a further host name is named like the host.
const (
	itself   = "the wiki"
	files    = "who gets its files"
	noise    = "what it prints"
	mainPage = "its main page"
	logIn    = "its log-in page"
)

// A page may take pageLimit, or twice as long as before. One that takes slowPage is worth
// a remark.
const (
	pageLimit = 60 * time.Second
	slowPage  = 5 * time.Second
)

// sightOf returns the expected answers of a tenant that is served as wanted.
func (h *Host) sightOf(t *tenants.Tenant) Sight {
	return Sight{Hosts: t.Places(), Want: h.who(t), Set: t.ComponentSet(t.Codebase)}
}

// Before checks a tenant before a change, for After. If its current release is the last that
// answered, it stores the result with it, so that a run that continues after a kill knows the
// existing faults, too. seen is the release to return to, which may be older than the current
// one. set is the ComponentSet of the current code; pages are further pages to request.
func (h *Host) Before(ctx context.Context, t *tenants.Tenant, set string, pages ...string) (seen deploy.Seen, before Sight, err error) {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return seen, before, err
	}
	if seen, err = h.Deploy.Seen(t.Name); err != nil {
		return seen, before, err
	}
	if before, err = readSight(seen); err != nil {
		return seen, before, err
	}
	if seen.Release != 0 && seen.Release != current {
		return seen, before, nil
	}
	if len(before.Hosts) == 0 { // no record yet: assume only what is certain
		before = Sight{Hosts: t.Places(), Want: wiki.SiteInfo{DBName: t.Database}, Set: set}
	}
	before.Pages, before.At = pages, time.Time{}
	before.Want.Version = "" // an update in place is not a fault
	h.probeAll(ctx, t.Name, current, &before)
	if seen.Answer, err = json.Marshal(before); err != nil {
		return seen, before, err
	}
	seen.Release = current
	return seen, before, h.Deploy.NoteSeen(t.Name, seen)
}

// readSight decodes the record of Before or Confirm.
func readSight(s deploy.Seen) (sight Sight, err error) {
	if len(s.Answer) > 0 {
		err = json.Unmarshal(s.Answer, &sight)
	}
	return sight, err
}

// settings checks effects of settings that pages do not show.
func (s *Sight) settings(info wiki.SiteInfo) {
	s.add(files, ServedOpenly(s.Hosts[0], info, s.Want), time.Now())
	s.add(noise, prints(s.Hosts[0], info), time.Now())
}

func hostCheck(i int, name string) string {
	if i == 0 {
		return itself
	}
	return name
}

// put replaces the result of an earlier attempt.
func (s *Sight) put(what string, err error, start time.Time) {
	if i := find(s.Checks, what); i >= 0 {
		s.Checks = slices.Delete(s.Checks, i, i+1)
	}
	s.add(what, err, start)
}

func (s *Sight) add(what string, err error, start time.Time) {
	c := Check{What: what, Seconds: time.Since(start).Seconds(), err: err}
	if err != nil {
		c.Wrong, c.Silent = err.Error(), silent(err)
	}
	s.Checks = append(s.Checks, c)
}

// silent reports whether an error means no answer, or a failure of the wiki.
func silent(err error) bool {
	var answer *wiki.StatusError
	if errors.As(err, &answer) {
		return answer.Code >= http.StatusInternalServerError
	}
	return errors.As(err, new(interface{ Timeout() bool }))
}

// pages requests the main page at the address that the wiki reports, and the log-in page
// unless it was checked on a wiki of the same kind.
func (h *Host) pages(ctx context.Context, tenant string, s *Sight, info wiki.SiteInfo, before []Check) {
	if info.DBName == "" {
		return
	}
	if info.MainPage != "" {
		h.page(ctx, s, info, before, mainPage, info.MainPage)
	}
	h.logInPage(ctx, tenant, s, info, before)
	h.askPages(ctx, s, before)
}

// logInPage requests the log-in page once for wikis of a kind.
func (h *Host) logInPage(ctx context.Context, tenant string, s *Sight, info wiki.SiteInfo, before []Check) {
	kind := h.kindOf(tenant, s.Set)
	if seen, known := h.logIns.seen(kind); known && info.LogsIn {
		s.Checks = append(s.Checks, Check{What: logIn, Seconds: seen})
		return
	}
	h.page(ctx, s, info, before, logIn, wiki.LogIn)
	if c := s.Checks[len(s.Checks)-1]; c.Wrong == "" {
		h.logIns.note(kind, c.Seconds)
	}
}

// page requests a page.
func (h *Host) page(ctx context.Context, s *Sight, info wiki.SiteInfo, before []Check, what, title string) {
	var was Check
	if i := find(before, what); i >= 0 {
		was = before[i]
	}
	limit := max(pageLimit, 2*time.Duration(was.Seconds*float64(time.Second)))
	h.patiently(ctx, before, was, func() error {
		start := time.Now()
		err := wiki.Page(ctx, h.Farm.ProbeBy(s.Hosts[0]), s.Hosts[0], title, info, limit)
		s.put(what, err, start)
		return err
	})
}

// elsewhere reports whether an error may come from a web server that has not loaded its
// whole configuration: for a moment after the new process has answered, the old one may still
// answer, or close connections as it ends.
func elsewhere(err error) bool {
	var answer *wiki.StatusError
	if errors.As(err, &answer) {
		return answer.Code != http.StatusInternalServerError
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED)
}

func find(checks []Check, what string) int {
	return slices.IndexFunc(checks, func(c Check) bool { return c.What == what })
}

// After checks a tenant after a change against before. The error lists the checks that became
// worse, remarks list existing faults and slow answers. If the tenant answered as itself neither
// before nor after, the error is a *SameError. A good result is stored. readOnly reports whether
// the wiki says that it refuses writes; a private wiki does not say it.
func (h *Host) After(ctx context.Context, t *tenants.Tenant, before Sight) (remarks []string, readOnly bool, worse error) {
	return h.after(ctx, t, before, func(after *Sight, info wiki.SiteInfo) {
		h.pages(ctx, t.Name, after, info, before.Checks)
		after.At = time.Now().UTC().Truncate(time.Second)
	})
}

// after is After with another way to check the pages.
func (h *Host) after(ctx context.Context, t *tenants.Tenant, before Sight, pages func(*Sight, wiki.SiteInfo)) (remarks []string, readOnly bool, worse error) {
	after := h.sightOf(t)
	after.Pages = before.Pages
	var info wiki.SiteInfo
	for i, name := range after.Hosts {
		start := time.Now()
		got, err := h.identify(ctx, name, after.Want, probeOf(i))
		if i == 0 {
			info = got
		}
		after.add(hostCheck(i, name), err, start)
	}
	if after.Checks[0].err == nil {
		after.settings(info)
		pages(&after, info)
	}
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	remarks, worse = compareChecks(before.Checks, after.Checks)
	switch {
	case worse != nil:
		return remarks, false, h.Explain(ctx, t, worse)
	case after.Checks[0].err != nil:
		return nil, false, &SameError{h.Explain(ctx, t, after.Checks[0].err)}
	}
	return remarks, info.ReadOnly, h.Note(t, after)
}

// SameError reports that a tenant does not answer as itself, and did not before the
// change either.
type SameError struct{ error }

// Error returns the reason.
func (e *SameError) Error() string {
	return e.error.Error() + "; it did not answer as itself before, either"
}

// Unwrap returns the reason.
func (e *SameError) Unwrap() error { return e.error }

// compareChecks returns the checks that became worse as an error, and remarks.
func compareChecks(before, after []Check) (remarks []string, worse error) {
	for _, c := range after {
		var was Check
		at := find(before, c.What)
		if at >= 0 {
			was = before[at]
		}
		slow := c.Seconds >= slowPage.Seconds() && (c.What == mainPage || c.What == logIn || c.named())
		different := c.differs(was)
		switch {
		case different != nil && worse == nil:
			worse = different
		case c.Wrong == "" && slow && was.Seconds >= slowPage.Seconds():
			remarks = append(remarks, fmt.Sprintf("%s takes %.0f s, as before", c.What, c.Seconds))
		case c.Wrong == "" && slow && at < 0:
			remarks = append(remarks, fmt.Sprintf("%s takes %.0f s", c.What, c.Seconds))
		case c.Wrong == "" && slow:
			remarks = append(remarks, fmt.Sprintf("%s takes %.0f s, and took %.1f s before", c.What, c.Seconds, was.Seconds))
		case c.Wrong == "":
		case was.Wrong != "" && (was.Silent || !c.Silent):
			remarks = append(remarks, c.Wrong+", as before")
		case c.named() && at < 0:
			remarks = append(remarks, c.Wrong+"; whether it was so before is unknown")
		case worse == nil:
			worse = c.err
		}
	}
	return remarks, worse
}

// Confirm checks by each of its host names that a newly served tenant answers as itself,
// and stores the result.
func (h *Host) Confirm(ctx context.Context, t *tenants.Tenant) error {
	info, err := h.identifyAll(ctx, t.Places(), h.who(t))
	if err != nil {
		return h.Explain(ctx, t, err)
	}
	if err := cmp.Or(ServedOpenly(t.Hosts[0], info, h.who(t)), prints(t.Hosts[0], info)); err != nil {
		return err
	}
	sight := h.sightOf(t)
	sight.Checks = []Check{{What: itself}}
	return h.Note(t, sight)
}

// LastSight returns the stored answers of a tenant's last check.
func (h *Host) LastSight(tenant string) (Sight, error) {
	seen, err := h.Deploy.Seen(tenant)
	if err != nil {
		return Sight{}, err
	}
	return readSight(seen)
}

// Note stores that a tenant answers from its current release.
func (h *Host) Note(t *tenants.Tenant, s Sight) error {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return h.Deploy.NoteSeen(t.Name, deploy.Seen{Release: current, Answer: answer})
}

// Unseen returns a tenant's current release and the last one that answered, if they
// differ; otherwise zeros.
func (h *Host) Unseen(tenant string) (current, seen int, err error) {
	s, err := h.Deploy.Seen(tenant)
	if err != nil || s.Release == 0 {
		return 0, 0, err
	}
	if current, err = h.Deploy.Current(tenant); err != nil || current == 0 || current == s.Release {
		return 0, 0, err
	}
	return current, s.Release, nil
}

// ServeSeen makes the release that last answered current again, and checks it by its own host
// names. It fails if that release is of other code, which may not fit the database.
func (h *Host) ServeSeen(ctx context.Context, t *tenants.Tenant, seen deploy.Seen) error {
	sight, err := readSight(seen)
	if err != nil {
		return err
	}
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return err
	}
	same, err := h.Deploy.SameCode(t.Name, current, seen.Release)
	if err != nil {
		return err
	}
	if !same || (sight.Set != "" && sight.Set != t.ComponentSet(t.Codebase)) {
		return fmt.Errorf("release %d, the last that answered, is of other code", seen.Release)
	}
	if err := h.Deploy.Serve(ctx, t.Name, seen.Release); err != nil {
		return err
	}
	if len(sight.Hosts) == 0 || len(sight.Checks) > 0 && sight.Checks[0].Wrong != "" {
		return nil // its answers are unknown
	}
	_, err = h.Identify(ctx, sight.Hosts[0], sight.Want)
	return err
}
