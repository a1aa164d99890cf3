package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// reloadLimit is how long a web server may take to apply a reload: nginx and Apache
// report success before their new workers answer. A reload does not change the answer of
// a tenant's own PHP, for which answerLimit is enough.
const (
	reloadLimit = 15 * time.Second
	answerLimit = 2 * time.Second
)

// who returns the expected site information of a tenant that is served as wanted.
func (h *Host) who(t *tenants.Tenant) wiki.SiteInfo {
	return wiki.SiteInfo{
		DBName: t.Database, Version: t.Codebase.Version, Sitename: t.Sitename, Lang: t.Language,
		Server: h.Farm.Web.AddressOf(t), Hidden: t.Private(),
	}
}

// prints returns an error if a wiki's settings print something before every answer: that
// breaks api.php for programs, and images.
func prints(host string, got wiki.SiteInfo) error {
	if got.Noise == "" {
		return nil
	}
	return fmt.Errorf("%s prints %q before its answers; find the setting that prints it", host, got.Noise)
}

// ServedOpenly returns an error if a wiki requires a log-in although its definitions do
// not say so, as by an extension: its virtual host serves its files to everyone.
func ServedOpenly(host string, got, want wiki.SiteInfo) error {
	if !got.Hidden || want.Hidden {
		return nil
	}
	return fmt.Errorf("%s requires a log-in for reading, but its definitions do not say so, so its files would be served to everyone; set wgGroupPermissions.\"*\".read to false", host)
}

// identifyAll checks a tenant's answer for each of its host names and returns the first
// one's. A further host name that leads elsewhere is an error.
func (h *Host) identifyAll(ctx context.Context, hosts []string, want wiki.SiteInfo) (wiki.SiteInfo, error) {
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

// Identify requests a wiki's site information through the web server until it matches
// want, or until a reload must have ended. It does not compare empty fields of want.
func (h *Host) Identify(ctx context.Context, host string, want wiki.SiteInfo) (wiki.SiteInfo, error) {
	return h.identify(ctx, host, want, wiki.Probe)
}

// probe requests a wiki's site information.
type probe func(ctx context.Context, base, host string) (wiki.SiteInfo, error)

func (h *Host) identify(ctx context.Context, host string, want wiki.SiteInfo, ask probe) (wiki.SiteInfo, error) {
	start := time.Now()
	for {
		info, err := ask(ctx, h.Farm.ProbeBy(host), host)
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

// failedItself reports whether an error is PHP's own answer, as opposed to that of a web
// server that can't reach PHP.
func failedItself(err error) bool {
	var answer *wiki.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusInternalServerError
}

// Differ returns an error if the answer for a host name differs from want. It does not
// compare empty fields of want.
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
		return fmt.Errorf("%s reports its main page at %q, which does not begin with %q; check its settings that build addresses, such as wgUrlProtocols", host, got.Home, want.Server)
	}
	return nil
}
