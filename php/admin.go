package php

import (
	_ "embed"
	"maps"
	"os"
	"path/filepath"
)

//go:embed admin.php
var adminCode string

// AdminSettings returns a PHP file to use as LocalSettings.php of a script. It loads the
// wiki's own settings and replaces the database account by the one that Admin gives.
func AdminSettings() []byte { return []byte(adminCode) }

// Admin returns a job that runs a maintenance script with a codebase and a wiki's
// settings, as a database account with more privileges than the wiki's own. wrapper is
// the path of AdminSettings.
func Admin(codebase, script, settings, wrapper, user, password string, args ...string) Job {
	j := Job{
		Script: script, Args: args, Config: settings,
		Env: map[string]string{"MW_INSTALL_PATH": codebase}, // scripts of extensions in linked folders can't find it
	}.AsAdmin(wrapper, user, password)
	// Since 1.40 scripts are run by run.php (Manual:Maintenance scripts), and those of
	// newer extensions only by it.
	run := filepath.Join(codebase, "maintenance", "run.php")
	if _, err := os.Stat(run); err == nil {
		j.Script, j.Args = run, append([]string{script}, args...)
	}
	return j
}

// settingsVariable names the environment variable with the path of the settings that
// AdminSettings loads.
const settingsVariable = "WIKICTL_SETTINGS"

// AsAdmin returns the job with another database account than the one in its settings.
// wrapper is the path of AdminSettings.
func (j Job) AsAdmin(wrapper, user, password string) Job {
	env := map[string]string{settingsVariable: j.Config, "WIKICTL_DB_USER": user, "WIKICTL_DB_PASSWORD": password}
	maps.Copy(env, j.Env)
	j.Config, j.Env = wrapper, env
	return j
}
