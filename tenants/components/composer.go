package components

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// Composer is the program that installs libraries (getcomposer.org).
const Composer = "composer"

// libraries lists the packages that a composer.json requires besides PHP, its extensions and
// Composer's own plugin for MediaWiki.
func libraries(dir string) []string {
	var manifest struct {
		Require map[string]any `json:"require"`
	}
	data, err := disk.Read(filepath.Join(dir, "composer.json"))
	if err != nil || json.Unmarshal(data, &manifest) != nil {
		return nil // PHP's empty array, too
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(manifest.Require)), func(name string) bool {
		return !strings.Contains(name, "/") || strings.HasPrefix(name, "composer/")
	})
}

// needsComposer reports whether a component's libraries are not among its files.
func needsComposer(dir string) bool {
	if len(libraries(dir)) == 0 {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, "vendor", "autoload.php"))
	return err != nil
}

// compose installs a component's libraries. Composer runs no code of theirs. suffix ends the names
// of the autoloader's classes, which are random otherwise: the files are to be the same each time.
func compose(ctx context.Context, s tenants.Source, dir, suffix string) error {
	if _, err := process.Find(Composer); err != nil {
		return tenants.WithHint(fmt.Errorf("it requires %s, and the program composer, which installs them, is missing", strings.Join(libraries(dir), ", ")),
			"apt-get install composer; or composer = false in ["+s.Key()+"] where the codebase has them")
	}
	// Composer takes the suffix of an autoloader that exists (AutoloadGenerator).
	autoloader, before := filepath.Join(dir, "vendor", "autoload.php"), "<?php // ComposerAutoloaderInit"+suffix+"::\n"
	if err := os.MkdirAll(filepath.Dir(autoloader), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(autoloader, []byte(before), 0o644); err != nil {
		return err
	}
	_, err := process.Run(ctx, process.Program{
		Name: Composer, Dir: dir,
		Args: []string{"install", "--no-dev", "--no-scripts", "--no-plugins", "--no-interaction", "--no-progress", "--prefer-dist", "--optimize-autoloader"},
		Env:  append(process.Inherited(), composerSettings(dir)...),
	})
	if err != nil {
		return err
	}
	if text, err := disk.Read(autoloader); err != nil || string(text) == before {
		return errors.New("composer installed no vendor/autoload.php")
	}
	return errors.Join(removeGit(dir), readable(dir))
}

// composerSettings are variables for Composer in a component's folder. It copies libraries from
// folders, to which it would link, and requires a home, which services have not.
func composerSettings(dir string) []string {
	env := []string{"COMPOSER_ALLOW_SUPERUSER=1", "COMPOSER_ROOT_VERSION=dev-main", "COMPOSER_MIRROR_PATH_REPOS=1"}
	if os.Getenv("HOME") == "" && os.Getenv("COMPOSER_HOME") == "" {
		env = append(env, "COMPOSER_HOME="+filepath.Join(dir, "../../composer"))
	}
	return env
}
