package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
	"wikictl/tenants/wiki"
)

// Accounts are the two accounts of a tenant.
func Accounts(t *tenants.Tenant, s secrets.Secrets) mariadb.Accounts {
	return mariadb.Accounts{
		Database: t.Database, Host: t.Server.AccountHost,
		Web:    mariadb.Account{Name: t.WebAccount(), Password: s.WebPassword},
		Schema: mariadb.Account{Name: t.SchemaAccount(), Password: s.SchemaPassword},
	}
}

// reloadLimit is how long a web server may take to serve what it was told to
// reload: nginx and Apache answer the reload before their new workers do. An answer
// that a tenant's own PHP gave is not the web server's to change: it has answerLimit.
const (
	reloadLimit = 15 * time.Second
	answerLimit = 2 * time.Second
)

// Who is what a tenant that is served as it is wanted says of itself.
func (h *Host) Who(t *tenants.Tenant) wiki.SiteInfo {
	return wiki.SiteInfo{
		DBName: t.Database, Version: t.Codebase.Version, Sitename: t.Sitename, Lang: t.Language,
		Server: h.Farm.Web.AddressOf(t), Hidden: t.Private(),
	}
}

// Prints says that a wiki's settings print something, which stands before every answer:
// programs can't read those of api.php, and pictures are broken.
func Prints(host string, got wiki.SiteInfo) error {
	if got.Noise == "" {
		return nil
	}
	return fmt.Errorf("%s prints %q before what it answers; look at its settings for what prints that", host, got.Noise)
}

// ServedOpenly says that a wiki keeps strangers out although no definition of it does,
// such as by an extension: its virtual host hands its files to anybody.
func ServedOpenly(host string, got, want wiki.SiteInfo) error {
	if !got.Hidden || want.Hidden {
		return nil
	}
	return fmt.Errorf("%s may not be read without a log-in, but its definitions do not say so, and its files would be served to anybody; set wgGroupPermissions.\"*\".read to false", host)
}

// IdentifyAll asks by each of a tenant's host names and returns the answer by the
// first. The others lead to the same wiki, or somebody else serves them.
func (h *Host) IdentifyAll(ctx context.Context, hosts []string, want wiki.SiteInfo) (wiki.SiteInfo, error) {
	var first wiki.SiteInfo
	for i, name := range hosts {
		info, err := h.Identify(ctx, name, want)
		if err != nil {
			return info, err
		}
		if i == 0 {
			first = info
		}
	}
	return first, nil
}

// Identify asks, through the web server, who answers for a host name, until it
// is what is wanted or a reload must have been over. Empty fields of want are not
// compared.
func (h *Host) Identify(ctx context.Context, host string, want wiki.SiteInfo) (wiki.SiteInfo, error) {
	return h.identify(ctx, host, want, wiki.Probe)
}

// probe asks a wiki who it is.
type probe func(ctx context.Context, base, host string) (wiki.SiteInfo, error)

func (h *Host) identify(ctx context.Context, host string, want wiki.SiteInfo, ask probe) (wiki.SiteInfo, error) {
	start := time.Now()
	for {
		info, err := ask(ctx, h.Farm.Web.Probe, host)
		limit := reloadLimit
		if failedItself(err) || (err == nil && info.DBName == want.DBName) {
			limit = answerLimit
		}
		if err == nil {
			err = Differ(host, info, want)
		}
		if err == nil || ctx.Err() != nil || time.Since(start) > limit {
			return info, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// failedItself reports whether an error is PHP's own answer, and not one of a web
// server that does not reach PHP.
func failedItself(err error) bool {
	var answer *wiki.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusInternalServerError
}

// Differ says in what an answer for a host name is not what is wanted. Empty fields
// of want are not compared.
func Differ(host string, got, want wiki.SiteInfo) error {
	for _, v := range []struct{ what, got, want string }{
		{"database", got.DBName, want.DBName},
		{"version", got.Version, want.Version},
		{"sitename", got.Sitename, want.Sitename},
		{"language", got.Lang, want.Lang},
		{"address", got.Server, want.Server},
	} {
		if v.want != "" && v.got != v.want {
			return fmt.Errorf("%s answers with %s %q, want %q", host, v.what, v.got, v.want)
		}
	}
	if want.Server != "" && got.Home != "" && !strings.HasPrefix(got.Home, want.Server+"/") {
		return fmt.Errorf("%s takes its main page to be at %q, which does not begin with %q; look at its settings for what makes addresses, such as wgUrlProtocols", host, got.Home, want.Server)
	}
	return nil
}
