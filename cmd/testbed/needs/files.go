package needs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Files writes files below a folder, by their path in it, and makes the folders between.
func Files(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			tb.Fatal(err)
		}
	}
}
