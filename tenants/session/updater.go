package session

import (
	"path/filepath"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Maintenance returns the path of a maintenance script of a codebase.
func Maintenance(c *tenants.Codebase, name string) string {
	return filepath.Join(c.Path, "maintenance", name)
}

// Updater returns the job of MediaWiki's updater of a tenant's wanted code, with an
// account that may change tables. It has neither settings nor a log yet.
func (h *Host) Updater(t *tenants.Tenant, by mariadb.Account) (php.Job, error) {
	gate, err := h.Gate(t.Server)
	if err != nil {
		return php.Job{}, err
	}
	job := php.Job{
		Script:     Maintenance(t.Codebase, "update.php"),
		Args:       []string{"--quick", "--dbuser=" + by.Name, "--dbpass=" + by.Password.Reveal()},
		Statements: &php.Statements{Gate: gate},
	}
	if t.Owner != nil { // its LocalSettings.php then hides the shared tables from the updater
		job.Env = map[string]string{"WIKICTL_UPDATER": "1"}
	}
	return job, nil
}
