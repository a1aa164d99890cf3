package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// encryptedServer starts a MariaDB that refuses connections without TLS, with a
// certificate of no authority, and returns its socket and port.
func (f *farm) encryptedServer() (socket, port string) {
	f.t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pair := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	must(f.t, err)
	dir := f.t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		must(f.t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	port = freePort(f.t)
	socket, _ = f.otherServer("encrypted", "--port="+port, "--innodb-flush-log-at-trx-commit=0", "--require-secure-transport=ON", "--ssl-cert="+dir+"/cert.pem", "--ssl-key="+dir+"/key.pem")
	for _, statement := range []string{"CREATE USER boss@'%' IDENTIFIED BY 'boss-password'", "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION"} {
		ask(socket, statement)
	}
	f.write("boss.password", "boss-password")
	must(f.t, os.Chmod(filepath.Join(f.demo.Dir, "boss.password"), 0o600))
	return socket, port
}

// A wiki on a server that wants TLS is installed and served by TLS where the DSN asks for
// it. PHP does not verify the certificate, as the manual says.
func TestEncryptedServer(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	_, port := f.encryptedServer()
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[servers.far]\ndsn = \"boss@tcp(127.0.0.1:%s)/?tls=skip-verify\"\npassword_file = \"boss.password\"\n", port))
	f.define(1)
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "\n", "\nserver = \"far\"\n", 1))
	f.run("create", "w0")
	f.client("w0").edit("Page", "text")
	if out := f.run("sql", "w0", "--", "SHOW STATUS LIKE 'Ssl_cipher'"); !strings.Contains(out, "TLS_") {
		t.Errorf("wikictl's own way is not encrypted: %s", out)
	}

	f.replace("wikictl.toml", "tls=skip-verify", "tls=true")
	if _, story, code := f.result("backup", "w0"); code != 2 || !strings.Contains(story, "certificate") {
		t.Errorf("exit code %d: %s", code, story)
	}
}
