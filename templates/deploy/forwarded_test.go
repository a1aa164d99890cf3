package deploy

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/tenants/definitions"
)

// testForwarded has readers come by https to a proxy in front, as the farm's url says: PHP takes
// requests for such, but for those that the proxy says to have come by http.
func (s *stand) testForwarded(t *testing.T, kind string) {
	t.Helper()
	text := read(t, filepath.Join(s.dir, "wikictl.toml"))
	s.write("wikictl.toml", strings.Replace(text, `url = "http:`, `url = "https:`, 1))
	var err error
	s.farm, err = definitions.Load(s.dir)
	must(t, err)
	s.apply()
	s.reload(t, kind)
	for _, tc := range []struct{ forwarded, want string }{{"https", "by on"}, {"", "by on"}, {"http", "by plain"}} {
		body := ""
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !strings.HasSuffix(body, tc.want); time.Sleep(20 * time.Millisecond) {
			body = s.forwarded(t, tc.forwarded)
		}
		if !strings.HasSuffix(body, tc.want) {
			t.Errorf("X-Forwarded-Proto %q: %.200s, want %s", tc.forwarded, body, tc.want)
		}
	}
}

// forwarded asks for a page of alpha as a proxy that says how it was asked.
func (s *stand) forwarded(t *testing.T, by string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/wiki/Page", s.port), nil)
	must(t, err)
	request.Host, request.Close = "alpha.test", true
	if by != "" {
		request.Header.Set("X-Forwarded-Proto", by)
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	body := make([]byte, 4096)
	n, _ := response.Body.Read(body)
	return string(body[:n])
}

// testProxies wants a client's address from those who may say it, the nearest that may
// not, and each wiki's requests in a file of its own. By IPv4 the test is nobody's proxy.
func (s *stand) testProxies(t *testing.T) {
	t.Helper()
	for address, want := range map[string]string{"[::1]": "from 203.0.113.9.", "127.0.0.1": "from 127.0.0.1."} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s:%d/wiki/Proxied", address, s.port), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "beta.test"
		request.Header.Set("X-Forwarded-For", "198.51.100.7, 203.0.113.9, 192.0.2.5")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("through %s: %d %.200s %v, want %s", address, response.StatusCode, body, err, want)
		}
	}
	log := ""
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !strings.Contains(log, "203.0.113.9 - - ["); time.Sleep(20 * time.Millisecond) {
		log = read(t, filepath.Join(s.dir, "logs/beta.log"))
	}
	if !strings.Contains(log, "/wiki/Proxied") || !strings.Contains(log, "203.0.113.9 - - [") || strings.Contains(log, "favicon.ico") {
		t.Errorf("beta's log: %s", log)
	}
}
