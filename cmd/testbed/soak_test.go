package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tests that a soak runs exist: go test passes when it finds none.
func TestSoaks(t *testing.T) {
	files, err := filepath.Glob("../wikictl/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for soak, tests := range soakTests {
		for _, name := range tests {
			if !strings.Contains(all.String(), "\nfunc "+name+"(t *testing.T) {") {
				t.Errorf("soak %s: there is no test %s", soak, name)
			}
		}
	}
}
