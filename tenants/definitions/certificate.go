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

// checkCertificate looks whether the web server could read the tenant's certificate
// and key: it refuses its whole configuration for one that it can't read. A relative
// path is so to a folder that only the web server knows.
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

// awaitsCertificate reports whether a tenant is to be served by http until it has the
// certificate that an ACME client gets for it. One that was served by https already is not:
// its certificate went away, and log-ins would travel in the clear.
func (l *loader) awaitsCertificate(t *tenants.Tenant, certificate, key string) bool {
	if l.farm.Web.Map || l.farm.Web.ACME == "" || len(l.farm.Web.PlainListens()) == 0 || l.pems.has(certificate) && l.pems.has(key) {
		return false
	}
	vhost, err := disk.Read(l.farm.Layout().Vhost(t.Name))
	return errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(vhost, []byte(certificate))
}

// has reports whether there is a file, or may be.
func (p *pems) has(path string) bool {
	known, ok := p.known.Load(path)
	if !ok {
		_, err := os.Stat(path)
		known = !filepath.IsAbs(path) || !errors.Is(err, fs.ErrNotExist)
		p.known.Store(path, known)
	}
	return known.(bool)
}

// pems remembers what is wrong with files that several tenants may share.
type pems struct{ known sync.Map }

// wrong says why a file holds nothing of that kind in PEM; empty when it does, or when
// only root may tell.
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
		return "is no regular file"
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
