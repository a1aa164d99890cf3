package php

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// A job that fails because its output finds no room says so.
func TestFullLog(t *testing.T) {
	needs.Root(t, "mounting a file system")
	dir := t.TempDir()
	needs.Allowed(t, syscall.Mount("none", dir, "tmpfs", 0, "size=64k,mode=0755"), "mounting a file system")
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, `for ( $i = 0; $i < 64; $i++ ) { @fwrite( STDOUT, str_repeat( 'x', 4096 ) ); } exit( 1 );`)
		j.Log = log
		if _, err := s.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), "exit 1; the disk of its log is full") {
			t.Error(err)
		}
		if err := os.Truncate(log, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(t.Context(), job(t, "exit( 1 );")); err == nil || strings.Contains(err.Error(), "is full") {
			t.Error(err)
		}
	})
}
