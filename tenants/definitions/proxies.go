package definitions

import (
	"net/netip"
	"path/filepath"
	"strings"

	"wikictl/tenants/disk"
)

// readProxies reads the proxies whose header with the client's address is believed. It refuses
// names, which would be resolved for each request, and a network of all addresses, which would
// believe every client.
func (l *loader) readProxies(s *section) {
	for _, proxy := range s.texts("proxies") {
		network, err := netip.ParsePrefix(proxy.value)
		if address, plain := netip.ParseAddr(proxy.value); err != nil && plain == nil && address.Zone() == "" {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		switch {
		case err != nil || network != network.Masked():
			s.report(proxy.at, "proxies", `such as "10.0.0.0/8" or "2001:db8::1"`, "%q is neither an address nor a network", proxy.value)
		case network.Bits() == 0:
			s.report(proxy.at, "proxies", "name the proxies", "%q is every address: anybody could claim to come from any", proxy.value)
		}
		l.farm.Web.Proxies = append(l.farm.Web.Proxies, proxy.value)
	}
}

// readAccessLog reads the path of a wiki's access log. For a file in a missing folder the
// web server would refuse its whole configuration.
func (l *loader) readAccessLog(s *section) {
	log := s.text("access_log")
	l.farm.Web.AccessLog = log.value
	folder := filepath.Dir(log.value)
	switch {
	case !log.set():
	case !filepath.IsAbs(log.value) || strings.HasSuffix(log.value, "/") || filepath.Clean(log.value) != log.value:
		s.report(log.at, "access_log", `such as "/var/log/wikis/{name}.log"`, "%q is not an absolute path of a file", log.value)
	case strings.ContainsAny(folder, "{}"):
		s.report(log.at, "access_log", `such as "/var/log/wikis/{name}.log"`, "the folder %s is not one for all wikis", folder)
	default:
		if !disk.IsFolder(folder) {
			s.report(log.at, "access_log", "make it, such as by mkdir -p "+folder, "the folder %s does not exist, and the web server would refuse its configuration", folder)
		}
	}
}
