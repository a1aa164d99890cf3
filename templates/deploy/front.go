package deploy

import (
	"maps"
	"regexp"

	"wikictl/tenants/disk"
)

// frontLines are the parts of a virtual host that the farm's [web] decides: the addresses, the
// certificate and php-fpm.
var frontLines = regexp.MustCompile(`(?m)^[ \t]*(?:listen |<VirtualHost |ssl_certificate|SSLCertificate|fastcgi_pass ).*$|proxy:[^|"\]]+`)

// SameFront reports whether a release of a tenant can be reached as w can: by the same web server
// at the same addresses, with the same certificate and php-fpm.
func (d *Deployer) SameFront(release int, w Wanted) bool {
	vhost, err := disk.Read(d.parts(w.Tenant, release)[0].source)
	return (err == nil) == (w.Vhost != nil) && maps.Equal(frontOf(vhost), frontOf(w.Vhost))
}

func frontOf(vhost []byte) map[string]bool {
	lines := map[string]bool{}
	for _, line := range frontLines.FindAll(vhost, -1) {
		lines[string(line)] = true
	}
	return lines
}
