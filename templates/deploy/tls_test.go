package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates"
	"wikictl/tenants/definitions"
)

// certificate writes a self-signed certificate for alpha.test.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"alpha.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"alpha.test.pem": {Type: "CERTIFICATE", Bytes: der}, "alpha.test.key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newTLSStand serves one tenant by https with a php-fpm pool of its own; plain is
// the port without TLS. No wiki is installed behind it.
func newTLSStand(t *testing.T) (s *stand, plain int) {
	t.Helper()
	needs.Program(t, "nginx")
	needs.FPM(t)
	dir := needs.Folder(t)
	s = &stand{t: t, dir: dir, port: freePort(t)}
	plain = freePort(t)
	certificate(t, dir)
	user := ""
	if os.Geteuid() == 0 {
		user = "user = \"www-data\"\ngroup = \"www-data\""
	}
	for name, text := range map[string]string{
		"code/index.php":              `<?php echo getenv( 'MW_CONFIG_FILE' ), ' ', $_SERVER['HTTPS'] ?? 'plain', ' ', ini_get( 'post_max_size' );`,
		"code/includes/Defines.php":   "<?php\ndefine( 'MW_VERSION', '1.43.0' );\n",
		"code/skins/Plain/skin.json":  "{}",
		"code/languages/i18n/en.json": "{}",
		"code/extensions/README":      "",
		"tenants/alpha.toml":          "name = \"alpha\"\nhosts = [\"alpha.test\"]\nsitename = \"Alpha\"\n",
		"wikictl.toml": fmt.Sprintf(`state = "state"
tenants = ["tenants/*.toml"]
codebases.x.path = "code"
servers.main.managed = true
[web]
url = "https://{host}:%[2]d"
listen = ["127.0.0.1:%[1]d", "127.0.0.1:%[2]d ssl"]
certificate = "%[3]s/{host}.pem"
certificate_key = "%[3]s/{host}.key"
%[4]s
[defaults]
codebase = "x"
server = "main"
skins = ["Plain"]
`, plain, s.port, dir, user),
	} {
		s.write(name, text)
	}
	var err error
	if s.farm, err = definitions.Load(dir); err != nil {
		t.Fatal(err)
	}
	s.farm.Web.Pools = true
	if s.set, err = templates.Load(""); err != nil {
		t.Fatal(err)
	}
	if s.d, err = New(s.farm.Layout(), s.farm.Web); err != nil {
		t.Fatal(err)
	}
	s.apply()
	s.write("fpm.conf", "[global]\nerror_log = "+dir+"/fpm-error.log\ninclude = "+s.farm.Layout().Pools()+"/*.conf\n")
	s.start(dials("unix", s.farm.Layout().Run()+"/alpha.fpm.sock"), needs.FPM(t), "--nodaemonize", "--fpm-config", dir+"/fpm.conf")
	s.startNginx()
	return s, plain
}

func TestTLSAndPools(t *testing.T) {
	s, plain := newTLSStand(t)
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "alpha.test"}},
	}
	request := func(url, host string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		return client.Do(r)
	}
	response, err := request(fmt.Sprintf("https://127.0.0.1:%d/wiki/X", s.port), "alpha.test")
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 1000)
	n, _ := response.Body.Read(body)
	if want := s.farm.Layout().Release("alpha", 1) + "/LocalSettings.php on " + fmt.Sprint(101<<20); response.StatusCode != 200 || string(body[:n]) != want {
		t.Errorf("%d %s, want %s", response.StatusCode, body[:n], want)
	}
	if response, err = request(fmt.Sprintf("https://127.0.0.1:%d/wiki/X", s.port), "unknown.test"); err != nil || response.StatusCode != 404 {
		t.Errorf("an unknown name by another's certificate: %v %v", response, err)
	}
	if response, err = request(fmt.Sprintf("http://127.0.0.1:%d/wiki/X?y=%%20z", plain), "alpha.test"); err != nil || response.StatusCode != 301 || response.Header.Get("Location") != fmt.Sprintf("https://alpha.test:%d/wiki/X?y=%%20z", s.port) {
		t.Errorf("by http: %v %v", response, err)
	}
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "unknown.test"}}
	if _, err = request(fmt.Sprintf("https://127.0.0.1:%d/", s.port), "unknown.test"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("an unknown name got a certificate: %v", err)
	}
}
