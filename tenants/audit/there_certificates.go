package audit

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

// certificate is a TLS certificate as the web server reads it.
type certificate struct {
	leaf    *x509.Certificate // nil: it can't be read
	err     error             // why it can't be used
	keyMode fs.FileMode       // permission bits of the key
}

// certificatePaths are the files of a certificate and of its key.
type certificatePaths struct{ certificate, key string }

// lookAtCertificates reads the certificate of each tenant, each file once. A path
// that is relative is so to a folder that only the web server knows.
func lookAtCertificates(w scope) map[certificatePaths]certificate {
	read := map[certificatePaths]certificate{}
	for _, t := range w.list {
		paths := pathsOf(w.farm, t)
		if _, known := read[paths]; !known && filepath.IsAbs(paths.certificate) {
			read[paths] = readCertificate(paths)
		}
	}
	return read
}

func pathsOf(f *tenants.Farm, t *tenants.Tenant) certificatePaths {
	c, key := f.Web.CertificateOf(t)
	return certificatePaths{c, key}
}

func readCertificate(paths certificatePaths) (c certificate) {
	text, err := disk.Read(paths.certificate)
	if err != nil {
		return certificate{err: err}
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return certificate{err: fmt.Errorf("%s is no certificate in PEM", paths.certificate)}
	}
	if c.leaf, err = x509.ParseCertificate(block.Bytes); err != nil {
		return certificate{err: fmt.Errorf("%s: %w", paths.certificate, err)}
	}
	info, err := os.Stat(paths.key)
	if err != nil {
		return certificate{leaf: c.leaf, err: err}
	}
	c.keyMode = info.Mode().Perm()
	key, err := disk.Read(paths.key)
	if errors.Is(err, fs.ErrPermission) {
		return c // only root can compare the two
	}
	if err == nil {
		_, err = tls.X509KeyPair(text, key)
	}
	if err != nil {
		c.err = fmt.Errorf("%s with %s: %w", paths.certificate, paths.key, err)
	}
	return c
}
