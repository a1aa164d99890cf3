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
