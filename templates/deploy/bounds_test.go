package deploy

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// boundedEcho are the tenants of an echo whose requests are bounded: one by limits of nginx,
// one by its pool, which runs as a user of its own where root runs the test.
func boundedEcho(kind string, pools bool) map[string]string {
	files := map[string]string{}
	if kind == "nginx" {
		files["tenants/limited-x_y.toml"] = "name = \"limited-x_y\"\nhosts = [\"limited.test\"]\nsitename = \"Limited\"\n[limits]\nrequests = \"1/m\"\nburst = 3\n"
		files["tenants/busy.toml"] = "name = \"busy\"\nhosts = [\"busy.test\"]\nsitename = \"Busy\"\n[limits]\nconnections = 1\ntotal = 2\n"
	}
	if pools {
		files["tenants/alpha.toml"] = echoFiles()["tenants/alpha.toml"] + "[pool]\nmemory_limit = \"64M\"\n"
		own := ""
		if os.Geteuid() == 0 {
			own = "pool.user = \"nobody\"\n"
		}
		files["tenants/delta.toml"] = own + echoFiles()["tenants/delta.toml"]
		files["tenants/small.toml"] = "name = \"small\"\nhosts = [\"small.test\"]\nsitename = \"Small\"\n[pool]\nchildren = 1\n" + map[string]string{"nginx": "queue = 1\n"}[kind]
	}
	return files
}

// testBounds holds that what one wiki may be asked is bounded, and that no other wiki is.
func (s *stand) testBounds(t *testing.T) {
	t.Helper()
	if s.farm.Web.Kind == "nginx" {
		s.testRate(t, "limited.test", "alpha.test")
		s.testConnections(t)
	}
	if s.farm.Web.Pools {
		// One file of code, which opcache compiles once, reads the limit of each.
		if a, b := s.get("alpha.test", "/index.php?memory=1").body, s.get("gamma.test", "/index.php?memory=1").body; !strings.Contains(a, "memory 67108864; ") || strings.Contains(b, "memory 67108864; ") {
			t.Errorf("limits of memory: %q, %q", a, b)
		}
		s.testQueue(t)
		if os.Geteuid() == 0 {
			s.testOwnUser(t)
		}
	}
}

// from asks as another of the machine's addresses.
func (s *stand) from(address, host, path string) (status int, header http.Header) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSClientConfig: anyCertificate(host)}}
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s://127.0.0.1:%d%s", s.scheme(), s.port, path), nil)
	if err != nil {
		return 0, nil
	}
	request.Host = host
	response, err := client.Do(request)
	if err != nil {
		return 0, nil
	}
	response.Body.Close()
	return response.StatusCode, response.Header
}

// testRate asks a wiki of one request a minute and three more at once, and another wiki.
func (s *stand) testRate(t *testing.T, limited, other string) {
	t.Helper()
	for i, want := range []int{200, 200, 200, 200, 429, 429} {
		status, header := s.from("127.0.0.2", limited, "/wiki/X")
		if status != want || (want == 429) != (header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d %v, want %d", i, status, header, want)
		}
	}
	for _, r := range []struct{ from, host, path string }{
		{"127.0.0.3", limited, "/wiki/X"},
		{"127.0.0.1", limited, "/wiki/X"},
		{"127.0.0.2", limited, "/skins/Plain/plain.css"},
		{"127.0.0.2", other, "/wiki/X"},
	} {
		if status, _ := s.from(r.from, r.host, r.path); status != 200 {
			t.Errorf("from %s: %s%s: %d", r.from, r.host, r.path, status)
		}
	}
	if status, _ := s.from("127.0.0.2", limited, "/api.php"); status != 429 {
		t.Errorf("another entry point: %d, want 429", status)
	}
}

// held starts requests from addresses that end when done is called, each once the one before
// is worked on: of two that come at once, php-fpm may leave one to an idle child that takes
// the other (pm = ondemand).
func (s *stand) held(t *testing.T, tenant string, from ...string) (statuses chan int, done func()) {
	t.Helper()
	until := filepath.Join(s.farm.Layout().Images(tenant), "until")
	host := s.farm.Tenant(tenant).Hosts[0]
	statuses = make(chan int, len(from))
	for _, address := range from {
		go func() {
			status, _ := s.from(address, host, "/index.php?until="+url.QueryEscape(until))
			statuses <- status
		}()
		for deadline := time.Now().Add(10 * time.Second); !Exists(until + "-" + address); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no request of %s was worked on", address)
			}
		}
	}
	return statuses, func() {
		if err := os.WriteFile(until, nil, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// testConnections asks a wiki of one request at a time of an address, and two of all.
func (s *stand) testConnections(t *testing.T) {
	statuses, done := s.held(t, "busy", "127.0.0.2", "127.0.0.3")
	for _, address := range []string{"127.0.0.2", "127.0.0.4"} {
		if status, _ := s.from(address, "busy.test", "/wiki/X"); status != 429 {
			t.Errorf("one more request of %s at the same time: %d, want 429", address, status)
		}
	}
	if status, _ := s.from("127.0.0.2", "alpha.test", "/wiki/X"); status != 200 {
		t.Errorf("another wiki: %d", status)
	}
	done()
	for range 2 {
		if status := <-statuses; status != 200 {
			t.Errorf("a request before the bound: %d", status)
		}
	}
	if status, _ := s.from("127.0.0.4", "busy.test", "/wiki/X"); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

// testQueue asks more of a wiki than its pool has processes and places to wait.
func (s *stand) testQueue(t *testing.T) {
	asked := 12
	if s.farm.Web.Kind == "apache" { // which has three processes at least
		asked = 70
	}
	statuses, done := s.held(t, "small", strings.Fields(strings.Repeat("127.0.0.1 ", asked))...)
	if status := <-statuses; status != 502 && status != 503 {
		t.Errorf("a request beyond the queue: %d", status)
	}
	if status, _ := s.from("127.0.0.1", "alpha.test", "/wiki/X"); status != 200 {
		t.Errorf("another wiki: %d", status)
	}
	done()
	good := 0
	for range asked - 1 {
		if status := <-statuses; status == 200 {
			good++
		} else if status != 502 && status != 503 {
			t.Errorf("a request of a flood: %d", status)
		}
	}
	if good == 0 {
		t.Error("nothing of a flood is answered")
	}
}

// testOwnUser wants a wiki's PHP to run as the wiki's user, and its files to be closed to the
// PHP of others.
func (s *stand) testOwnUser(t *testing.T) {
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	l := s.farm.Layout()
	ask := func(host, tenant string) string {
		return s.get(host, "/index.php?read="+url.QueryEscape(filepath.Join(l.Release(tenant, 1), "LocalSettings.php"))).body
	}
	if got := s.get("delta.test", "/w/index.php?read="+url.QueryEscape(l.LocalSettings("delta"))).body; !strings.Contains(got, "user "+u.Uid+" reads ") || strings.Contains(got, "reads 0") || !strings.Contains(got, "writes 1") {
		t.Errorf("the wiki's own: %s", got)
	}
	if got := s.get("delta.test", "/w/index.php?read="+url.QueryEscape(l.LocalSettings("alpha"))).body; !strings.Contains(got, "reads 0") {
		t.Errorf("it reads another's settings: %s", got)
	}
	if got := ask("alpha.test", "delta"); !strings.Contains(got, "reads 0") || strings.Contains(got, "user "+u.Uid) {
		t.Errorf("another reads its settings: %s", got)
	}
	for _, tenant := range []string{"alpha", "delta"} {
		if i, err := s.d.Inspect(tenant); err != nil || len(i.Rights) > 0 || len(i.Missing) > 0 {
			t.Errorf("%s: %+v %v", tenant, i, err)
		}
	}
	// Back to the common user: what it wrote goes along.
	delete(s.d.own, "delta")
	i, err := s.d.Inspect("delta")
	if err != nil || len(i.Rights) == 0 {
		t.Errorf("another owner is no finding: %v", err)
	}
	if err := s.d.handOverWiki("delta"); err != nil {
		t.Fatal(err)
	}
	if i, err := s.d.Inspect("delta"); err != nil || len(i.Rights) > 0 {
		t.Errorf("handed over: %+v %v", i.Rights, err)
	}
	if info, err := os.Stat(filepath.Join(l.Images("delta"), "written")); err != nil || fmt.Sprint(info.Sys().(*syscall.Stat_t).Uid) == u.Uid {
		t.Errorf("what it wrote still is its own: %v", err)
	}
}
