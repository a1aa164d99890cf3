package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// The demo's php-fpm has the opcache that it is meant to have: its size is taken when
// php-fpm starts, before a pool could set it.
func TestOpcacheOfPHPFPM(t *testing.T) {
	needs.Program(t, "nginx")
	needs.FPM(t)
	dir := needs.Folder(t)
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	w := Web{Dir: dir, Port: port, Vhosts: filepath.Join(dir, "vhosts")}
	script := filepath.Join(dir, "opcache.php")
	files := map[string]string{
		"vhosts/x.conf": fmt.Sprintf("server { listen 127.0.0.1:%d; location / { fastcgi_pass %s; fastcgi_param SCRIPT_FILENAME %s; fastcgi_param REQUEST_METHOD GET; } }\n", port, w.FPM(), script),
		"opcache.php":   "<?php $s = opcache_get_status( false ); $m = $s['memory_usage']; echo ( $m['used_memory'] + $m['free_memory'] + $m['wasted_memory'] ) >> 20, ' ', $s['opcache_statistics']['max_cached_keys'] >= 30000 ? 'enough' : 'too few';",
	}
	needs.Files(t, dir, files)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.Background()) })
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "256 enough" {
		t.Errorf("%v: %s", err, body)
	}
}

// A port is given once, even while nothing listens at it.
func TestPortsAreGivenOnce(t *testing.T) {
	given := map[int]bool{}
	for range 500 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if given[port] {
			t.Fatalf("%d is given twice", port)
		}
		given[port] = true
	}
}
