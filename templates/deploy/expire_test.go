package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is old goes, and nothing else: not what is young, no golden in use, and no folder
// without a description below state/removed, unless it has nothing but a former definition.
func TestExpire(t *testing.T) {
	d := deployer(t, "", "")
	now := time.Now()
	file := func(path string, days int) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("x"), 0o600))
		must(t, os.Chtimes(path, now.AddDate(0, 0, -days), now.AddDate(0, 0, -days)))
	}
	file(d.layout.Logs("a")+"/1.log", 100)
	file(d.layout.Logs("a")+"/2.log", 1)
	file(d.layout.Logs("b")+"/1.log", 100)
	file(filepath.Dir(d.layout.Logs("x"))+"/a-stray-file", 100)
	file(d.layout.Removed()+"/a-run/manifest.json", 100)
	file(d.layout.Removed()+"/a-run/wiki/images/x", 1000)
	file(d.layout.Removed()+"/b-run/manifest.json", 10)
	file(d.layout.Removed()+"/b-run/wiki/images/x", 1000)
	file(d.layout.Removed()+"/strange/x", 1000)
	must(t, os.Chtimes(d.layout.Removed()+"/strange", now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 0)))
	file(d.layout.Removed()+"/back-run/source.toml", 1000)
	must(t, os.Chtimes(d.layout.Removed()+"/back-run", now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 0)))
	file(d.layout.Goldens()+"/used.zst", 100)
	file(d.layout.Goldens()+"/old.zst", 100)
	before := now.AddDate(0, 0, -90)
	logs, err := d.ExpireLogs(t.Context(), before)
	must(t, err)
	removed, err := d.ExpireRemoved(before)
	must(t, err)
	goldens, err := d.ExpireGoldens(before, func(name string) bool { return name == "used.zst" })
	must(t, err)
	if logs != 2 || removed != 2 || goldens != 1 {
		t.Error(logs, removed, goldens)
	}
	for path, want := range map[string]bool{
		d.layout.Logs("a") + "/2.log": true, d.layout.Logs("a") + "/1.log": false, d.layout.Logs("b"): false,
		d.layout.Removed() + "/a-run": false, d.layout.Removed() + "/b-run/wiki/images/x": true, d.layout.Removed() + "/strange/x": true, d.layout.Removed() + "/back-run": false,
		d.layout.Goldens() + "/used.zst": true, d.layout.Goldens() + "/old.zst": false,
	} {
		if Exists(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
