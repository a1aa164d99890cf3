package backup

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The newest dumps stay, those that are needed, and the young ones.
func TestExpire(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for name, days := range map[string]int{"2020-1": 900, "2020-2": 800, "2021-1": 700, "2024-1": 10, "2025-1": 5} {
		for _, ending := range []string{OwnDump, ".json"} {
			path := filepath.Join(dir, name+ending)
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			then := now.AddDate(0, 0, -days)
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	lonely := filepath.Join(dir, "2019-1"+OwnDump) // without a description: a person has to decide
	if err := os.WriteFile(lonely, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n, bytes, err := Expire(dir, 1, now.AddDate(0, 0, -90), map[string]bool{filepath.Join(dir, "2020-2"+OwnDump): true})
	if n != 2 || bytes != 2 || err != nil {
		t.Error(n, bytes, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 7 {
		t.Error(left, err)
	}
	if n, _, err := Expire(dir, 0, now, nil); n != 2 || err != nil {
		t.Error(n, err) // the newest stays in any case
	}
}
