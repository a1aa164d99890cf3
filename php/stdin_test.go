package php

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// readsInput prints what a script gets on standard input, in both ways that PHP has.
const readsInput = `echo '[', stream_get_contents(STDIN), '|', file_get_contents('php://stdin'), ']';`

// A script reads nothing of what is meant for others: neither their requests, which may hold
// passwords, nor its own.
func TestInputIsEmpty(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		var all sync.WaitGroup
		for range 30 {
			j := job(t, readsInput, "a password")
			all.Go(func() {
				if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "[|]" {
					t.Errorf("it reads %q, %v", r.Tail, err)
				}
			})
		}
		all.Wait()
	})
}

// A script reads the file that its job names.
func TestInput(t *testing.T) {
	for _, code := range []string{"echo stream_get_contents(STDIN);", "echo file_get_contents('php://stdin');", "while (($line = fgets(STDIN)) !== false) { echo $line; }"} {
		servers(t, func(t *testing.T, s *Server) {
			j := job(t, code)
			j.Input = filepath.Join(t.TempDir(), "input")
			if err := os.WriteFile(j.Input, []byte("one\ntwo\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "one | two" {
				t.Errorf("%s: it reads %q, %v", code, r.Tail, err)
			}
			j.Input += "-gone"
			if _, err := s.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), j.Input) {
				t.Errorf("without the file: %v", err)
			}
		})
	}
}

// Requests may be longer than what a pipe holds.
func TestRunLongArguments(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		long := strings.Repeat("x", 300<<10)
		var all sync.WaitGroup
		for range 4 {
			j := job(t, `echo strlen($argv[1]);`, long)
			all.Go(func() {
				if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "307200" {
					t.Errorf("it has %q, %v", r.Tail, err)
				}
			})
		}
		all.Wait()
	})
}
