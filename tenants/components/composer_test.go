package components

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// Composer's libraries are copied and, elsewhere, have the hash of the lock file, also without a home.
func TestFetchLibraries(t *testing.T) {
	needs.Program(t, Composer)
	t.Setenv("HOME", "")
	t.Setenv("COMPOSER_HOME", "")
	library, dir := t.TempDir(), t.TempDir()
	fill(t, library, map[string]string{"composer.json": `{"name": "own/library", "version": "1.0.0", "autoload": {"psr-4": {"Own\\": "src/"}}}`, "src/Own.php": "<?php namespace Own; class Own {}"})
	requires := fmt.Sprintf(`{"name": "own/foo", "require": {"own/library": "^1.0"}, "repositories": [{"type": "path", "url": %q}, {"packagist.org": false}]}`, library)
	r := newRepository(t, map[string]string{"extension.json": manifest, "composer.json": requires})
	s := tenants.Source{Name: "Foo", Git: r.dir, Version: "master", Composer: true}
	got, outcomes := fetched(t, dir, Options{}, s)
	if got != "done" {
		t.Fatal(got)
	}
	folder := farmOf(t, dir).Layout().Component(outcomes[0].Locked)
	if info, err := os.Lstat(filepath.Join(folder, "vendor/own/library")); err != nil || !info.IsDir() {
		t.Error("the library was not copied:", info, err)
	}
	if text := read(t, filepath.Join(folder, "vendor/autoload.php")); !strings.Contains(text, "autoload_real.php") {
		t.Error("vendor/autoload.php loads nothing:", text)
	}
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	if again, _ := fetched(t, dir, Options{}, s); again != "done" {
		t.Error("elsewhere:", again)
	}
	fill(t, library, map[string]string{"src/Own.php": "<?php namespace Own; class Own { const NEW = 1; }"})
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	if changed, _ := fetched(t, dir, Options{}, s); !strings.Contains(changed, "composer installed other files than those of wikictl.lock") {
		t.Error("of another library:", changed)
	}
	if taken, _ := fetched(t, dir, Options{Update: true}, s); taken != "done" {
		t.Error("an update does not take it:", taken)
	}
}
