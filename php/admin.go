package php

import (
	_ "embed"
	"maps"
	"os"
	"path/filepath"
)

//go:embed admin.php
var adminCode string

// AdminSettings is a file that a script of MediaWiki or an extension can be given as its
// LocalSettings.php; Admin has what it reads.
func AdminSettings() []byte { return []byte(adminCode) }

// Admin makes a job that runs a script, such as one of an extension, by a codebase and a
// wiki's settings, with a database account that may do more than the wiki's own. wrapper
// is the path of AdminSettings.
func Admin(codebase, script, settings, wrapper, user, password string, args ...string) Job {
	j := Job{
		Script: script, Args: args, Config: settings,
		Env: map[string]string{"MW_INSTALL_PATH": codebase}, // which scripts of extensions in linked folders can't find out
	}.AsAdmin(wrapper, user, password)
	// Since 1.40 scripts are run by run.php (Manual:Maintenance scripts), and those of
	// newer extensions by nothing else.
	run := filepath.Join(codebase, "maintenance", "run.php")
	if _, err := os.Stat(run); err == nil {
		j.Script, j.Args = run, append([]string{script}, args...)
	}
	return j
}

// AsAdmin is the job with another database account than the wiki's own, which Config
// has. wrapper is the path of AdminSettings.
func (j Job) AsAdmin(wrapper, user, password string) Job {
	env := map[string]string{"WIKICTL_SETTINGS": j.Config, "WIKICTL_DB_USER": user, "WIKICTL_DB_PASSWORD": password}
	maps.Copy(env, j.Env)
	j.Config, j.Env = wrapper, env
	return j
}
