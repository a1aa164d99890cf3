package observe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// Certificate is a TLS certificate as the web server reads it.
type Certificate struct {
	Leaf    *x509.Certificate // nil: unreadable
	Err     error             // why it is unusable
	KeyMode fs.FileMode       // permission bits of the key's file
}

// CertificatePaths names the files of a certificate and its key.
type CertificatePaths struct{ Certificate, Key string }

// inspectCertificates reads the certificate of each tenant, each file once. It skips
// relative paths: only the web server knows their folder.
func inspectCertificates(w Scope) map[CertificatePaths]Certificate {
	read := map[CertificatePaths]Certificate{}
	for _, t := range w.List {
		paths := PathsOf(w.Farm, t)
		if _, known := read[paths]; !known && filepath.IsAbs(paths.Certificate) {
			read[paths] = readCertificate(paths)
		}
	}
	return read
}

func PathsOf(f *tenants.Farm, t *tenants.Tenant) CertificatePaths {
	c, key := f.Web.CertificateOf(t)
	return CertificatePaths{c, key}
}

func readCertificate(paths CertificatePaths) (c Certificate) {
	text, err := disk.Read(paths.Certificate)
	if err != nil {
		return Certificate{Err: err}
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return Certificate{Err: fmt.Errorf("%s is not a PEM certificate", paths.Certificate)}
	}
	if c.Leaf, err = x509.ParseCertificate(block.Bytes); err != nil {
		return Certificate{Err: fmt.Errorf("%s: %w", paths.Certificate, err)}
	}
	info, err := os.Stat(paths.Key)
	if err != nil {
		return Certificate{Leaf: c.Leaf, Err: err}
	}
	c.KeyMode = info.Mode().Perm()
	key, err := disk.Read(paths.Key)
	if errors.Is(err, fs.ErrPermission) {
		return c // only root can read the key
	}
	if err == nil {
		_, err = tls.X509KeyPair(text, key)
	}
	if err != nil {
		c.Err = fmt.Errorf("%s with %s: %w", paths.Certificate, paths.Key, err)
	}
	return c
}
