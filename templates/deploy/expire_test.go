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
	folder := func(path string) {
		t.Helper()
		file(path+"/x", 100)
		must(t, os.Chtimes(path, now.AddDate(0, 0, -100), now.AddDate(0, 0, -100)))
	}
	release := d.layout.Release("a", 3)
	file(release+"/LocalSettings.php", 1)
	must(t, os.WriteFile(release+"/LocalSettings.php", []byte("$x = '"+d.layout.L10n("released")+"';"), 0o600))
	must(t, os.Symlink(d.layout.Wrapped()+"/released", release+"/core"))
	for _, cache := range []string{d.layout.L10n("released"), d.layout.L10n("defined"), d.layout.L10n("old"), d.layout.Wrapped() + "/released", d.layout.Wrapped() + "/old"} {
		folder(cache)
	}
	file(d.layout.L10n("young")+"/x", 100)
	file(d.layout.Temporary()+"/old", 100)
	file(d.layout.Temporary()+"/young", 1)
	file(d.layout.Temporary()+"/mw-GlobalIdGenerator33-UID-88", 100)
	file(d.layout.TemporaryOf("other")+"/old", 100)
	before := now.AddDate(0, 0, -90)
	caches, err := d.ExpireCaches(before, func(path string) bool { return path == d.layout.L10n("defined") })
	must(t, err)
	temporary, err := d.ExpireTemporary(before)
	must(t, err)
	if caches != 2 || temporary != 2 {
		t.Error(caches, temporary)
	}
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
		d.layout.L10n("released"): true, d.layout.L10n("defined"): true, d.layout.L10n("young"): true, d.layout.L10n("old"): false,
		d.layout.Wrapped() + "/released": true, d.layout.Wrapped() + "/old": false,
		d.layout.Temporary() + "/old": false, d.layout.Temporary() + "/young": true, d.layout.Temporary() + "/mw-GlobalIdGenerator33-UID-88": true, d.layout.TemporaryOf("other") + "/old": false,
		d.layout.Goldens() + "/used.zst": true, d.layout.Goldens() + "/old.zst": false,
	} {
		if Exists(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
