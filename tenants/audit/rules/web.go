package rules

import (
	"net/netip"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// webRules find risks between browsers, proxies and wikis.
var webRules = []rule{
	{Rule: audit.Rule{
		ID: "cookie-insecure", Severity: audit.Error,
		What:      "Readers use https, but cookies may be sent without it.",
		Why:       "An eavesdropper gets the log-in.",
		Repair:    "Remove wgCookieSecure: wikictl sets it by the farm's address.",
		Reference: "Manual:$wgCookieSecure",
	}, names: []string{"wgCookieSecure"}, setting: insecureCookie},
	{Rule: audit.Rule{
		ID: "cookie-script", Severity: audit.Warning,
		What:      "Scripts in pages can read the log-in cookie.",
		Why:       "One injected script can take over accounts.",
		Repair:    "Remove the setting.",
		Reference: "Manual:$wgCookieHttpOnly",
	}, names: []string{"wgCookieHttpOnly"}, setting: off("scripts can read the log-in cookie")},
	{Rule: audit.Rule{
		ID: "cookie-domain", Severity: audit.Error,
		What:      "Cookies are sent to other tenants' hosts too.",
		Why:       "Each of those wikis, and users who may add scripts there, get the log-ins of this one.",
		Repair:    "Remove wgCookieDomain unless the tenants share their users.",
		Reference: "Manual:$wgCookieDomain",
	}, names: []string{"wgCookieDomain"}, setting: crossDomain},
	{Rule: audit.Rule{
		ID: "session-evicted", Severity: audit.Warning,
		What:      "Sessions are in the memcached that also holds pages.",
		Why:       "memcached forgets the oldest when it is full: a large wiki's pages push out sessions, and users are logged out in the middle of an edit.",
		Repair:    "Remove wgSessionCacheType: wikictl keeps sessions in the database. Or give sessions a memcached of their own by wgObjectCaches.",
		Reference: "Manual:$wgSessionCacheType",
	}, names: []string{"wgSessionCacheType"}, setting: evictedSession},
	{Rule: audit.Rule{
		ID: "proxies-open", Severity: audit.Error,
		What:      "Nearly every address counts as a proxy of the farm.",
		Why:       "Anyone can then claim any address, and so evade blocks and limits.",
		Repair:    "List the addresses of your own proxies only.",
		Reference: "Manual:$wgCdnServersNoPurge",
	}, names: []string{"wgCdnServers", "wgCdnServersNoPurge"}, setting: openProxies},
	{Rule: audit.Rule{
		ID: "origin-any", Severity: audit.Error,
		What:      "Any other site may call the API with a reader's log-in.",
		Why:       "A page on another site can act as its visitors.",
		Repair:    "List the sites that need it.",
		Reference: "Manual:$wgCrossSiteAJAXdomains",
	}, names: []string{"wgCrossSiteAJAXdomains"}, setting: anyOrigin},
	{Rule: audit.Rule{
		ID: "frames-allowed", Severity: audit.Warning,
		What:      "Other sites may embed edit pages in their own.",
		Why:       "Readers can be tricked into pressing buttons that they do not see.",
		Repair:    "Remove the setting; the default is DENY.",
		Reference: "Manual:$wgEditPageFrameOptions, Manual:$wgApiFrameOptions",
	}, names: []string{"wgEditPageFrameOptions", "wgApiFrameOptions"}, setting: off("other sites may show such pages inside their own")},
	addressUnserved,
}

// httpsFarm reports whether readers use https.
func httpsFarm(f *tenants.Farm) bool { return strings.HasPrefix(f.Web.URL, "https:") }

func throughAuth(url string) bool { return strings.Contains(url, "img_auth.php") }

func insecureCookie(s *subject, name string, v tenants.Value, r *reporter) {
	if httpsFarm(s.Farm) && falsy(v) {
		r.say(v.Position, name, "remove it", "is %s although readers use https", kind(v))
	}
}

// crossDomain reports a cookie domain that covers a host of another tenant.
func crossDomain(s *subject, name string, v tenants.Value, r *reporter) {
	domain, _ := v.Data.(string)
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	if domain == "" {
		return
	}
	other := s.hosts().other(domain, s.tenant.Name)
	if other != "" {
		r.say(v.Position, name, "remove it", "browsers send cookies to the tenant %s too", other)
	}
}

// memcached are the names of MediaWiki's caches in the servers of $wgMemCachedServers
// (Defines.php, MainConfigSchema: ObjectCaches).
var memcached = []string{"memcached-php", "memcached-pecl"}

// inMemcached reports whether a setting names one of them.
func inMemcached(v tenants.Value) bool {
	name, _ := v.Data.(string)
	return slices.Contains(memcached, name)
}

// evictedSession reports sessions in the memcached of other things.
func evictedSession(s *subject, name string, v tenants.Value, r *reporter) {
	if !inMemcached(v) {
		return
	}
	for _, other := range []string{"wgMainCacheType", "wgParserCacheType", "wgMessageCacheType"} {
		if inMemcached(s.tenant.Settings[other]) {
			r.say(v.Position, name, "remove it", "sessions share memcached with what %s says", other)
			return
		}
	}
}

// wide is the shortest network prefix that one farm's proxies may fill.
const wide4, wide6 = 8, 24

func openProxies(_ *subject, name string, v tenants.Value, r *reporter) {
	for _, e := range elements(v) {
		text, _ := e.Data.(string)
		network, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		if network.Addr().Is4() && network.Bits() < wide4 || network.Addr().Is6() && network.Bits() < wide6 {
			r.say(e.Position, name, "list your own proxies only", "%s counts as proxies of the farm", text)
		}
	}
}

func anyOrigin(_ *subject, name string, v tenants.Value, r *reporter) {
	for _, e := range elements(v) {
		if text, _ := e.Data.(string); text == "*" || text == "*.*" {
			r.say(e.Position, name, "list the sites that need it", "%q is every site", text)
		}
	}
}

// hostIndex maps a domain to at most two tenants with hosts below it.
type hostIndex map[string][]string

// hosts returns the farm's index, built on first use.
func (w *wanted) hosts() hostIndex {
	if w.hostIndex != nil {
		return w.hostIndex
	}
	w.hostIndex = hostIndex{}
	for _, t := range w.Farm.Tenants {
		for _, host := range t.Hosts {
			for domain := host; domain != ""; _, domain, _ = strings.Cut(domain, ".") {
				w.hostIndex.add(domain, t.Name)
			}
		}
	}
	return w.hostIndex
}

func (h hostIndex) add(domain, tenant string) {
	if names := h[domain]; len(names) < 2 && (len(names) == 0 || names[0] != tenant) {
		h[domain] = append(names, tenant)
	}
}

// other returns a tenant below a domain other than the given one.
func (h hostIndex) other(domain, than string) string {
	for _, name := range h[domain] {
		if name != than {
			return name
		}
	}
	return ""
}
