package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// measures: a wiki counts as up if it answers as itself, a wiki that hangs does not delay the
// answers of others, and Prometheus accepts the page.
func measures(t *testing.T, f *farm) {
	f.sql("DELETE FROM wiki_w0.job; DELETE FROM wiki_w2.job")
	f.queue("w0", 2)
	defer f.sql("DELETE FROM wiki_w0.job")
	file := f.demo.Dir + "/farm.prom"
	f.exits(0, "metrics", "--textfile", file)
	page, err := os.ReadFile(file)
	must(t, err)
	promtool := exec.Command(needs.Program(t, "promtool"), "check", "metrics")
	promtool.Stdin = bytes.NewReader(page)
	if out, err := promtool.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s\n%s", err, out, page)
	}
	for _, want := range []string{
		`wikictl_wiki_up{host="w0.localhost",wiki="w0"} 1`, `wikictl_wiki_up{host="w2.localhost",wiki="w2"} 1`,
		`wikictl_wiki_version_info{actual="1.39.`, `wikictl_wiki_upgrade_wanted{wiki="w0"} 0`, `wikictl_wiki_upgrade_open{wiki="w0"} 0`,
		`wikictl_wiki_jobs{state="ready",wiki="w0"} 2`, `wikictl_wiki_oldest_job_timestamp_seconds{wiki="w0"} `,
		`wikictl_wiki_last_backup_timestamp_seconds{wiki="w0"} 0`, `wikictl_wiki_database_size_bytes{wiki="w0"} `,
		`wikictl_wiki_uploads_size_bytes{wiki="w0"} `, `wikictl_server_up{server="main"} 1`, `wikictl_last_run_wikis{command="create",status="done"} 3`,
		`wikictl_audit_findings{rule="wiki-silent",severity="error"} 0`, `wikictl_definitions_valid 1`, `wikictl_collector_success{collector="audit"} 1`,
	} {
		f.wants(string(page), want)
	}
	f.lacks(string(page), "wikictl_wiki_last_upgrade_timestamp_seconds{", `} 0 `, `_oldest_job_timestamp_seconds{wiki="w2"}`)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and never answers
	must(t, err)
	defer silent.Close()
	config := f.demo.Web.Dir + "/nginx.conf"
	before, err := os.ReadFile(config)
	must(t, err)
	defer func() {
		must(t, os.WriteFile(config, before, 0o644))
		f.shell(f.demo.Web.Reload()[0], f.demo.Web.Reload()[1:]...)
	}()
	f.edit(config, regexp.MustCompile(`http \{`), fmt.Sprintf("http {\nserver { listen 127.0.0.1:%d; server_name w0.localhost; location / { proxy_pass http://%s; } }\n", f.demo.Web.Port, silent.Addr()))
	f.serve("w1.localhost", "", fmt.Sprintf("location / { proxy_pass http://127.0.0.1:%d; proxy_set_header Host w2.localhost; }", f.demo.Web.Port), "wiki_w2")
	s := f.start("metrics", "--listen", "127.0.0.1:0", "--probe-timeout", "3s", "--fresh", "1s", "--timeout", "10ms", "--audit-every", "0")
	s.prints("/metrics\n")
	address := regexp.MustCompile(`http://\S+`).FindString(s.printed())
	got := ""
	s.until("the wikis were asked", func() bool {
		got = scraped(t, address)
		return strings.Count(got, "\nwikictl_wiki_up{") == 3
	})
	f.wants(got, `wikictl_wiki_up{host="w0.localhost",wiki="w0"} 0`, `wikictl_wiki_up{host="w1.localhost",wiki="w1"} 0`, `wikictl_wiki_up{host="w2.localhost",wiki="w2"} 1`)
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	if out, code := s.ends(); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	f.wants(f.exits(0, "metrics", "unit"), " metrics --listen 127.0.0.1:9739\n")
	f.refuses(64, "metrics", "nonsense")
	f.refuses(2, "metrics", "--listen", "nowhere.invalid:1")
	f.refuses(64, "metrics", "--listen", "127.0.0.1:0", "--textfile", file)
}

// scraped is the page of metrics.
func scraped(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return string(text)
}
