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

// updater returns the job of MediaWiki's updater of a tenant's wanted code, with an
// account that may change tables.
func (u *upgrade) updater(t *tenants.Tenant, by mariadb.Account) (php.Job, error) {
	job, err := u.Updater(t, by)
	if err != nil {
		return job, err
	}
	code, err := os.ReadFile(job.Script)
	job.Args = append(job.Args, skips(code, u.checked())...)
	return job, err
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
