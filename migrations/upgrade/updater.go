package upgrade

import (
	"bytes"
	"os"
	"path/filepath"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// maintenance returns the path of a maintenance script of a codebase.
func maintenance(c *tenants.Codebase, name string) string {
	return filepath.Join(c.Path, "maintenance", name)
}

// updater returns the job of MediaWiki's updater of a tenant's wanted code, with an
// account that may change tables.
func (u *upgrade) updater(t *tenants.Tenant, by mariadb.Account) (php.Job, error) {
	script := maintenance(t.Codebase, "update.php")
	code, err := os.ReadFile(script)
	if err != nil {
		return php.Job{}, err
	}
	gate, err := u.Gate(t.Server)
	if err != nil {
		return php.Job{}, err
	}
	args := append([]string{"--quick", "--dbuser=" + by.Name, "--dbpass=" + by.Password.Reveal()}, skips(code, u.checked())...)
	job := php.Job{Script: script, Args: args, Statements: &php.Statements{Gate: gate}}
	if t.Owner != nil { // its LocalSettings.php then hides the shared tables from the updater
		job.Env = map[string]string{"WIKICTL_UPDATER": "1"}
	}
	return job, nil
}

// checked reports whether the plan made the updater's own checks of settings and libraries.
// It can't check settings that a template of the farm's own writes.
func (u *upgrade) checked() bool {
	return u.o.Settings != nil && !deploy.Exists(filepath.Join(u.Farm.Templates, "localsettings.php.tmpl"))
}

// skips returns the flags that make the updater skip the checks that the plan made, if the
// code has these flags. They save a seventh of the updater's time on a small wiki.
func skips(code []byte, checked bool) (flags []string) {
	for _, name := range []string{"skip-config-validation", "skip-external-dependencies"} {
		if checked && bytes.Contains(code, []byte("'"+name+"'")) {
			flags = append(flags, "--"+name)
		}
	}
	return flags
}
