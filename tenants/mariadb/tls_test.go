package mariadb

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/process"
)

func TestClientOptions(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"root@unix(/run/a.sock)/", "socket=\"/run/a.sock\"\nloose-skip-ssl"},
		{"root@tcp(localhost)/", "host=\"localhost\"\nport=\"3306\"\nloose-skip-ssl"},
		{"root@tcp([::1]:3311)/?tls=true", "host=\"::1\"\nport=\"3311\"\nloose-ssl\nloose-ssl-verify-server-cert\n"},
		{"root@tcp([::1])/?tls=skip-verify", "host=\"::1\"\nport=\"3306\"\nloose-ssl\nloose-skip-ssl-verify-server-cert\nloose-ssl-mode=REQUIRED"},
		{"root@tcp(::1)/?tls=preferred", "host=\"::1\"\nport=\"3306\"\nloose-ssl\nloose-skip-ssl-verify-server-cert\n"},
	} {
		config, err := configFor(&tenants.Server{DSN: c.dsn}, tenants.Layout{}, "a\"b\\c\nd")
		must(t, err)
		got := clientOptions(config)
		if !strings.Contains(got, c.want) || !strings.Contains(got, `password="a\"b\\c\nd"`) {
			t.Errorf("%s:\n%s", c.dsn, got)
		}
	}
}

// What a client says of an option that it does not know does not stand before why it
// failed, whatever tls= is; and no warning comes of a DSN without one.
func TestClientErrorsHaveNoWarnings(t *testing.T) {
	for _, tls := range []string{"", "true", "preferred", "skip-verify"} {
		config, err := configFor(&tenants.Server{DSN: "nobody@tcp(127.0.0.1:1)/?tls=" + tls}, tenants.Layout{}, "pw")
		must(t, err)
		s := &Server{Name: "main", config: config}
		for _, names := range [][]string{{"mariadb", "mysql"}, {"mariadb-dump", "mysqldump"}} {
			err := s.client(t.Context(), names, nil, nil, "x")
			if err == nil || strings.Contains(err.Error(), "unknown") || !strings.Contains(err.Error(), "connect") {
				t.Errorf("tls=%s: %v", tls, err)
			}
		}
	}
	if options := tlsOptions(""); strings.Contains(options, "mode") {
		t.Error(options)
	}
}

// The client programs reach a server that only listens on IPv6 and requires TLS as
// the driver does, and do not go on without what the DSN asks for.
func TestClientsByIPv6AndTLS(t *testing.T) {
	dir := needs.Folder(t)
	port := tlsServer(t, dir)
	t.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem")) // the system's authorities, for Go and for OpenSSL
	for dsn, works := range map[string]bool{
		"admin@tcp([::1]:%d)/?tls=true":         true,
		"admin@tcp([::1]:%d)/?tls=skip-verify":  true,
		"admin@tcp([::1]:%d)/?tls=preferred":    true,
		"admin@tcp(ip6-localhost:%d)/?tls=true": false, // the certificate is for another name
		"admin@tcp([::1]:%d)/":                  false, // the server wants TLS
	} {
		def := &tenants.Server{Name: "main", DSN: fmt.Sprintf(dsn, port)}
		s, err := Connect(t.Context(), def, tenants.Layout{}, "pw")
		if !works {
			config, wrong := configFor(def, tenants.Layout{}, "pw")
			must(t, wrong)
			var out bytes.Buffer
			alone := &Server{config: config}
			if clientErr := alone.client(t.Context(), []string{"mariadb", "mysql"}, strings.NewReader("SELECT 1;"), &out); err == nil || clientErr == nil && !(strings.Contains(dsn, "ip6-localhost") && provesByPassword(t)) {
				t.Errorf("%s: the driver says %v, the client %v", dsn, err, clientErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		must(t, s.EnsureDatabase(t.Context(), "by_tls"))
		must(t, exec1(t, s, "CREATE OR REPLACE TABLE by_tls.t (id INT)"))
		must(t, exec1(t, s, "INSERT INTO by_tls.t VALUES (1)"))
		b, err := s.Dump(t.Context(), "by_tls", filepath.Join(dir, "dump"), tenants.Backup{})
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
		} else if err := s.Restore(t.Context(), b, sure); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
		s.Close()
	}
}

// tlsServer runs a server that listens on ::1 only and requires TLS, and returns its
// port.
func tlsServer(t *testing.T, dir string) int {
	t.Helper()
	p := Private{Folder: dir, Socket: filepath.Join(dir, "s")}
	must(t, p.makeTmp())
	must(t, p.initialise(t.Context()))
	authority(t, dir)
	l, err := net.Listen("tcp6", "[::1]:0")
	must(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	must(t, l.Close())
	mariadbd, err := process.Find("mariadbd")
	must(t, err)
	cmd := exec.Command(mariadbd, append([]string{
		"--no-defaults", "--datadir=" + p.data(), "--tmpdir=" + p.tmp(), "--socket=" + p.Socket, "--pid-file=" + p.pidFile(),
		"--bind-address=::1", fmt.Sprintf("--port=%d", port), "--innodb-buffer-pool-size=32M", "--require-secure-transport=ON",
		"--ssl-ca=" + filepath.Join(dir, "ca.pem"), "--ssl-cert=" + filepath.Join(dir, "cert.pem"), "--ssl-key=" + filepath.Join(dir, "key.pem"),
	}, p.runAs()...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for !p.Running(t.Context()) {
		must(t, process.Pause(t.Context(), 20*time.Millisecond))
	}
	admin := connectWith(t, withRequired(p.config()))
	must(t, exec1(t, admin, "CREATE USER admin@'%' IDENTIFIED BY 'pw'"))
	must(t, exec1(t, admin, "GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION"))
	return port
}

// authority writes ca.pem, cert.pem and key.pem: the certificate is for ::1.
func authority(t *testing.T, dir string) {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		return k
	}
	put := func(name, kind string, der []byte) {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644))
	}
	caKey, serverKey := key(), key()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(t, err)
	put("ca.pem", "CERTIFICATE", der)
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv6loopback}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err = x509.CreateCertificate(rand.Reader, server, ca, &serverKey.PublicKey, caKey)
	must(t, err)
	put("cert.pem", "CERTIFICATE", der)
	der, err = x509.MarshalECPrivateKey(serverKey)
	must(t, err)
	put("key.pem", "EC PRIVATE KEY", der)
}

// provesByPassword reports whether the client lets a server prove by the password who it is,
// whatever name its certificate is for (MariaDB: Zero-configuration TLS, from 11.4 on).
func provesByPassword(t *testing.T) bool {
	t.Helper()
	out, err := exec.Command("mariadb", "--version").Output()
	must(t, err)
	_, version, found := strings.Cut(string(out), "from ")
	server := &Server{Version: version}
	return found && server.atLeast(11, 4)
}
