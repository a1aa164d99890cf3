package host

import (
	"context"
	"fmt"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Accounts are the two accounts of a tenant.
func Accounts(t *tenants.Tenant, s tenants.Secrets) mariadb.Accounts {
	return mariadb.Accounts{
		Database: t.Database, Host: t.Server.AccountHost,
		Web:    mariadb.Account{Name: t.WebAccount(), Password: s.WebPassword},
		Schema: mariadb.Account{Name: t.SchemaAccount(), Password: s.SchemaPassword},
	}
}

// reloadLimit is how long a web server may take to serve what it was told to
// reload: nginx and Apache answer the reload before their new workers do.
const reloadLimit = 15 * time.Second

// Identify asks, through the web server, who answers for a host name, until it
// is what is wanted or a reload must have been over. Empty fields of want are not
// compared.
func (h *Host) Identify(ctx context.Context, host string, want php.SiteInfo) (php.SiteInfo, error) {
	deadline := time.Now().Add(reloadLimit)
	for {
		info, err := php.Probe(ctx, h.Farm.Web.Probe, host)
		if err == nil {
			err = Differ(host, info, want)
		}
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return info, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Differ says in what an answer for a host name is not what is wanted. Empty fields
// of want are not compared.
func Differ(host string, got, want php.SiteInfo) error {
	for _, v := range []struct{ what, got, want string }{
		{"database", got.DBName, want.DBName},
		{"version", got.Version, want.Version},
		{"sitename", got.Sitename, want.Sitename},
		{"language", got.Lang, want.Lang},
	} {
		if v.want != "" && v.got != v.want {
			return fmt.Errorf("%s answers with %s %q, want %q", host, v.what, v.got, v.want)
		}
	}
	return nil
}
