package deploy

import (
	"fmt"
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
