package upgrade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mariadb"
)

// kind is a group of tenants with equal upgrades, for which one rehearsal is valid.
type kind struct {
	fingerprint string // 16 hexadecimal digits of everything that determines the upgrade
	tenants     []*Planned
	copies      []*scratch // of its tables; not yet removed
}

// example returns the tenant whose tables are copied.
func (k *kind) example() *Planned { return k.tenants[0] }

func (k *kind) names() []string {
	names := make([]string, len(k.tenants))
	for i, j := range k.tenants {
		names[i] = j.Name
	}
	slices.Sort(names)
	return names
}

// Estimated cost and gain of a rehearsal, in seconds of a run with many wikis. testbed
// bench upgrade measures the difference with --no-rehearsal.
const (
	rehearsalCost = 2.5
	gainEach      = 0.2   // per wiki whose tables change
	gainIdle      = 0.02  // per wiki whose updater only checks
	gainShare     = 0.005 // per second of a wiki's updater: large tables are written fewer times
)

// gain returns the number of seconds that a rehearsal saves for one tenant.
func (j *Planned) gain() float64 {
	if j.row.ComponentSet == j.tenant.ComponentSet(j.tenant.Codebase) {
		return gainIdle
	}
	return gainEach + gainShare*j.Forecast.Update
}

// pays reports whether rehearsing an upgrade of these tenants takes less time than it saves.
func pays(list []*Planned) bool {
	var saved float64
	for _, j := range list {
		saved += j.gain()
	}
	return saved > rehearsalCost
}

// rehearsable lists the tenants of a plan for which the new code's updater runs, except
// those whose settings may lead it into other databases than the copy.
func rehearsable(p *Plan) []*Planned {
	return slices.DeleteFunc(slices.Clone(p.Tenants), func(j *Planned) bool {
		return len(j.Problems) > 0 || j.Interrupted != "" || !j.code || j.reachesOut()
	})
}

// kindsOf groups tenants by everything that determines their upgrades, the largest group
// first. A tenant whose database can't be read or copied is in none; the errors by name
// have the reason.
func (u *upgrade) kindsOf(ctx context.Context, list []*Planned) ([]*kind, map[string]error) {
	options := fleet.Options[*Planned]{Jobs: u.o.Jobs, MaxFailures: fleet.NoLimit, Drain: u.o.Drain}
	results := fleet.Run(ctx, list, options, func(ctx context.Context, j *Planned) (string, error) {
		s, err := u.Server(ctx, j.tenant.Server)
		if err != nil {
			return "", err
		}
		return u.fingerprint(ctx, s, j.tenant)
	})
	found, odd := map[string]*kind{}, map[string]error{}
	for _, r := range results {
		if r.Err != nil {
			odd[r.Item.Name] = r.Err
			continue
		}
		if found[r.Value] == nil {
			found[r.Value] = &kind{fingerprint: r.Value}
		}
		found[r.Value].tenants = append(found[r.Value].tenants, r.Item)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *kind) int {
		return cmp.Or(cmp.Compare(len(b.tenants), len(a.tenants)), strings.Compare(a.example().Name, b.example().Name))
	}), odd
}

// If more than comparedAll tenants have similar databases, only sampled are compared:
// reading all definitions of many wikis costs the server as much as a tenth of their
// upgrades. The definitions of each tenant are compared again before its updater runs.
const (
	comparedAll = 8
	sampled     = 4
)

// likelyKindsOf is kindsOf, but compares only a sample of the tenants with similar databases.
// The others count as members of the sample's kinds until their own tables are compared.
func (u *upgrade) likelyKindsOf(ctx context.Context, list []*Planned) []*kind {
	alike := map[string][]*Planned{}
	var names []string // in the list's order
	for _, j := range list {
		name := u.likeness(ctx, j)
		if alike[name] == nil {
			names = append(names, name)
		}
		alike[name] = append(alike[name], j)
	}
	var compared []*Planned
	for _, name := range names {
		compared = append(compared, sample(alike[name])...)
	}
	kinds, _ := u.kindsOf(ctx, compared) // tenants that can't be read are upgraded by update.php's own statements
	of := map[*Planned]*kind{}
	for _, k := range kinds {
		for _, j := range k.tenants {
			of[j] = k
		}
	}
	for _, name := range names {
		join(alike[name], of)
	}
	return kinds
}

// join adds the tenants of a group that were not compared to the kind of the first tenant
// of the group that has one.
func join(group []*Planned, of map[*Planned]*kind) {
	compared := len(group)
	if compared > comparedAll {
		compared = sampled
	}
	for _, j := range group[:compared] {
		if k := of[j]; k != nil {
			k.tenants = append(k.tenants, group[compared:]...)
			return
		}
	}
}

// sample moves the tenants to be compared to the front and returns them.
func sample(group []*Planned) []*Planned {
	if len(group) <= comparedAll {
		return group
	}
	for i := range sampled {
		at := i * len(group) / sampled
		group[i], group[at] = group[at], group[i]
	}
	return group[:sampled]
}

// likeness returns a text that is equal for tenants whose upgrades are probably equal. It does
// not read the definitions of their tables.
func (u *upgrade) likeness(ctx context.Context, j *Planned) string {
	settings, err := u.effective(ctx, j.tenant)
	if err != nil { // the comparison returns the error
		settings = j.Name
	}
	return strings.Join([]string{j.tenant.Server.Name, j.shape, j.row.ComponentSet, j.tenant.ComponentSet(j.tenant.Codebase), j.tenant.Codebase.Path, settings}, "\n")
}

// lockWait is how long a rehearsal waits for a table that another client has locked.
const lockWait = time.Minute

var errLocked = errors.New("another client has held a lock on one of its tables for a minute")

// fingerprint returns a digest of everything that determines the upgrade of a tenant: its
// tables and earlier updates as they are now, the new code, the settings, and the PHP.
func (u *upgrade) fingerprint(ctx context.Context, s *mariadb.Server, t *tenants.Tenant) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, errLocked)
	defer cancel()
	tables, err := s.Definitions(ctx, t.Database)
	if err != nil {
		return "", err
	}
	return u.fingerprintWith(ctx, s, t, tables)
}

// fingerprintWith is fingerprint with known definitions of the tables.
func (u *upgrade) fingerprintWith(ctx context.Context, s *mariadb.Server, t *tenants.Tenant, tables mariadb.Definitions) (string, error) {
	objects, err := s.Objects(ctx, t.Database)
	if err != nil {
		return "", err
	}
	if len(objects) > 0 {
		return "", fmt.Errorf("a copy of the tables would lack the %s of %q", objects[0], t.Database)
	}
	return u.fingerprintOf(ctx, s, t, tables)
}

// fingerprintOf is fingerprintWith for a database that contains only tables.
func (u *upgrade) fingerprintOf(ctx context.Context, s *mariadb.Server, t *tenants.Tenant, tables mariadb.Definitions) (string, error) {
	if name := leadsElsewhere(t.Settings); name != "" {
		return "", fmt.Errorf("$%s leads the updater to another database, which has no copy", name)
	}
	if table := tables.Uncopyable(); table != "" {
		return "", fmt.Errorf("table %s of %q can't be copied", table, t.Database)
	}
	log, err := s.UpdateLog(ctx, t.Database)
	if err != nil {
		return "", err
	}
	settings, err := u.effective(ctx, t)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "1\n%s\n%s\n%s\n", s.Name, s.Version, php.StatementsCode())
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n", t.ComponentSet(t.Codebase), t.Codebase.Version, t.Codebase.Path, t.Codebase.PHP)
	fmt.Fprintf(h, "%s\n%q\n%s\n", tables.WithoutNumbers().Fingerprint(), log, settings)
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// elsewhere matches settings of extensions with a further database, or its address or
// account.
var elsewhere = regexp.MustCompile(`^wg\w*(?:DBname|DBservers?|DBuser|DBpassword|Cluster)$|^wgShared`)

// leadsElsewhere returns a setting by which a rehearsal could change another database
// than the copy; empty if the tenant has none.
func leadsElsewhere(settings map[string]tenants.Value) string {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if v := settings[name].Data; elsewhere.MatchString(name) && v != false && v != "" && v != nil {
			return name
		}
	}
	return ""
}

// effective returns the text of all settings of a tenant, except those that only
// distinguish wikis and change neither tables nor the updater. The text is unique to the
// tenant if it contains code that could depend on its name, such as { php = "…" }.
func (u *upgrade) effective(ctx context.Context, t *tenants.Tenant) (string, error) {
	c := *t
	c.Settings = withoutIdentity(t.Settings)
	text, err := u.Templates.Alike(templates.Data{Farm: u.Farm, Tenant: &c, Codebase: t.Codebase})
	if err != nil || text != "" {
		return text, err
	}
	want, err := u.Wanted(ctx, t, t.Codebase)
	return t.Name + "\n" + string(want.LocalSettings), err
}

// identity lists the settings by which otherwise equal wikis differ: names, addresses and
// appearance. All others may change tables, or the updater's work.
var identity = map[string]bool{
	"wgAppleTouchIcon": true, "wgCanonicalServer": true, "wgDefaultSkin": true, "wgEmergencyContact": true, "wgFavicon": true,
	"wgFooterIcons": true, "wgLocaltimezone": true, "wgLogo": true, "wgLogoHD": true, "wgLogos": true, "wgNoReplyAddress": true,
	"wgPasswordSender": true, "wgRightsIcon": true, "wgRightsPage": true, "wgRightsText": true, "wgRightsUrl": true,
	"wgServer": true, "wgSitename": true,
}

func withoutIdentity(settings map[string]tenants.Value) map[string]tenants.Value {
	rest := maps.Clone(settings)
	maps.DeleteFunc(rest, func(name string, _ tenants.Value) bool { return identity[name] })
	return rest
}
