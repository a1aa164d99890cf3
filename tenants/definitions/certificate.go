package definitions

import (
	"bytes"
	"crypto/tls"
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
			return
		}
	}
	if l.pems.differ(certificate, key) {
		t.Fault(tenants.Problem{Position: l.farm.At("web.certificate_key"), Key: "web.certificate_key", Hint: "put the key beside its certificate; in the certificate's file the wiki's own comes first, then those of its authorities",
			Message: fmt.Sprintf("%s is not the key of the first certificate in %s", key, certificate)})
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

// differ reports whether a key surely is not that of the first certificate in a file. It leaves
// what Go can't read to the web server, which knows further kinds of keys.
func (p *pems) differ(certificate, key string) bool {
	both := certificate + "\x00" + key
	known, ok := p.known.Load(both)
	if !ok {
		known = errors.Is(PairError(certificate, key), errDiffer)
		p.known.Store(both, known)
	}
	return known.(bool)
}

// errDiffer is PairError's error for a key of another certificate.
var errDiffer = errors.New("the key is not that of the first certificate")

// PairError returns why the files of a certificate and of its key can't be used together, or nil.
func PairError(certificate, key string) error {
	chain, err1 := disk.Read(certificate)
	private, err2 := disk.Read(key)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, err := tls.X509KeyPair(chain, private)
	if err != nil && strings.Contains(err.Error(), "does not match public key") {
		return errDiffer
	}
	return err
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
