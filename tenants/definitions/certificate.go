package definitions

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// checkCertificate checks that the web server can read the tenant's certificate and key:
// it would refuse its whole configuration otherwise. A relative path is skipped, because
// only the web server knows its folder.
func (l *loader) checkCertificate(t *tenants.Tenant) {
	if l.farm.Web.Certificate == "" || len(t.Hosts) == 0 {
		return
	}
	certificate, key := l.farm.Web.CertificateOf(t)
	if t.ByHTTP = l.awaitsCertificate(t, certificate, key); t.ByHTTP {
		return
	}
	for _, f := range []struct{ key, path, kind string }{
		{"web.certificate", certificate, "CERTIFICATE-----"},
		{"web.certificate_key", key, "PRIVATE KEY-----"},
	} {
		if !filepath.IsAbs(f.path) {
			continue
		}
		if wrong := l.pems.wrong(f.path, f.kind); wrong != "" {
			t.Fault(tenants.Problem{Position: l.farm.At(f.key), Key: f.key, Hint: "put the file there, and run this again",
				Message: fmt.Sprintf("%s %s", f.path, wrong)})
		}
	}
}

// awaitsCertificate reports whether a tenant is served by http until an ACME client gets
// its certificate. A tenant that was already served by https is not: its certificate
// disappeared, and log-ins would be sent unencrypted.
func (l *loader) awaitsCertificate(t *tenants.Tenant, certificate, key string) bool {
	if l.farm.Web.Map || l.farm.Web.ACME == "" || len(l.farm.Web.PlainListens()) == 0 || l.pems.has(certificate) && l.pems.has(key) {
		return false
	}
	file := l.farm.Layout().Vhost(t.Name)
	if t.Shares {
		file = l.farm.Layout().HostsVhost()
	}
	vhost, err := disk.Read(file)
	if errors.Is(err, fs.ErrNotExist) { // removed because the web server refused it, but still in the release
		vhost, err = disk.Read(filepath.Join(l.farm.Layout().Current(t.Name), "vhost.conf"))
	}
	return errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(vhost, []byte(certificate))
}

// has reports whether a file exists, or may exist.
func (p *pems) has(path string) bool {
	known, ok := p.known.Load(path)
	if !ok {
		_, err := os.Stat(path)
		known = !filepath.IsAbs(path) || !errors.Is(err, fs.ErrNotExist)
		p.known.Store(path, known)
	}
	return known.(bool)
}

// pems caches the problems of files that several tenants may share.
type pems struct{ known sync.Map }

// wrong returns why a file has no PEM block of a kind, or "" if it has one, or if only root can
// read it.
func (p *pems) wrong(path, kind string) string {
	if known, ok := p.known.Load(path + kind); ok {
		return known.(string)
	}
	why := pemWrong(path, kind)
	p.known.Store(path+kind, why)
	return why
}

func pemWrong(path, kind string) string {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "is not a regular file"
	}
	data, err := disk.Read(path)
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return ""
	case err != nil:
		return "can't be read: " + disk.Reason(err)
	case !bytes.Contains(data, []byte(kind)):
		return "holds no " + strings.TrimRight(kind, "-") + " in PEM"
	}
	return ""
}
