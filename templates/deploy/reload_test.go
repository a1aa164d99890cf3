package deploy

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testReload wants a page whole that php-fpm has written in part when the web server reloads. The
// first part is as long as php-fpm's buffer, which nginx before 1.23.1 takes for the end.
func (s *stand) testReload(t *testing.T, kind string) {
	t.Helper()
	until := filepath.Join(s.dir, "logs/until")
	address := fmt.Sprintf("http://127.0.0.1:%d/index.php?length=12000&until=%s", s.port, until)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	request.Host = "alpha.test"
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	first := make([]byte, 4096)
	_, err = io.ReadFull(response.Body, first)
	must(t, err)
	s.reload(t, kind)
	time.Sleep(300 * time.Millisecond) // a worker that would end does so meanwhile
	must(t, os.WriteFile(until, nil, 0o600))
	rest, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(rest), "xran index.php") {
		t.Errorf("a page during a reload has %d bytes, and then %v", len(first)+len(rest), err)
	}
}

// reload has the web server load its configuration again.
func (s *stand) reload(t *testing.T, kind string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, filepath.Join(s.dir, kind+".pid"))))
	must(t, err)
	must(t, syscall.Kill(pid, map[string]syscall.Signal{"nginx": syscall.SIGHUP, "apache": syscall.SIGUSR1}[kind]))
}
