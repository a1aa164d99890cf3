// Package wiki sends HTTP requests to a wiki: for its site information, for pages, and
// for edits that it must refuse.
package wiki

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"wikictl/tenants"
)

// SiteInfo is a wiki's description of itself through api.php (API:Siteinfo,
// siprop=general) or, if that is closed to visitors, through load.php.
type SiteInfo struct {
	Version  string // such as "1.43.9"
	Sitename string
	Lang     string
	DBName   string
	Server   string // $wgServer
	Home     string // full URL of its main page in its own links; empty: unknown
	MainPage string // its title; empty: unknown
	Script   string // the path of its index.php in its own links ($wgScript); empty: unknown
	ReadOnly bool   // false if unknown
	Private  bool   // MainPage and ReadOnly are unknown
	Hidden   bool   // the wiki, or its file pages, may not be read by visitors
	LogsIn   bool   // it offers visitors a log-in; false if unknown
	Noise    string // output of its settings before the answer of api.php
}

// probeLimit is the time limit of a request; the first one compiles MediaWiki.
const probeLimit = 60 * time.Second

// SiteInfoPath is the API request for the site information.
const SiteInfoPath = "/api.php?action=query&meta=siteinfo&siprop=general&format=json&formatversion=2" + mayRead

// logInPath also requests a log-in token.
const logInPath = "/api.php?action=query&meta=siteinfo%7Cauthmanagerinfo&siprop=general&amirequestsfor=login&format=json&formatversion=2" + mayRead

// mayRead also asks whether visitors may read a file page, which need not exist: an
// extension may close namespaces while the wiki itself is open (API:Info).
const mayRead = "&prop=info&intestactions=read&titles=File:X.png"

// Probe requests a wiki's SiteInfo through the web server at base, such as
// "http://127.0.0.1:8080", by its host name. A wiki below a path of its host has that
// behind the name, such as "example.org/en", in each function of this package.
//
// A public wiki returns everything. For one that is closed to visitors, or whose api.php
// is, Probe uses the modules of its log-in page: they have its version, database, name,
// language and address; and it checks that the wiki can read its database. The main page,
// and whether the wiki is read-only, remain unknown without a log-in.
func Probe(ctx context.Context, base, host string) (SiteInfo, error) {
	return probe(ctx, base, host, false)
}

// ProbeLogIn is Probe with a request for a log-in token (API:Authmanagerinfo). If the
// wiki fails at that, LogsIn is false: its log-in page has the reason.
func ProbeLogIn(ctx context.Context, base, host string) (SiteInfo, error) {
	return probe(ctx, base, host, true)
}

func probe(ctx context.Context, base, host string, logIn bool) (SiteInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	at, name := below(base, host)
	info, err := ask(ctx, at, name, logIn)
	if err != nil {
		return SiteInfo{}, fmt.Errorf("request %s at %s: %w", host, base, err)
	}
	return info, nil
}

// below splits a place into the address to request, with its path, and the host name.
func below(base, place string) (at, host string) {
	host, path, found := strings.Cut(place, "/")
	if found {
		base += "/" + path
	}
	return base, host
}

func ask(ctx context.Context, base, host string, logIn bool) (SiteInfo, error) {
	path := SiteInfoPath
	if logIn {
		path = logInPath
	}
	body, err := get(ctx, base+path, host)
	if logIn && failed(body, err) {
		return ask(ctx, base, host, false)
	}
	if err != nil && !closed(err) {
		return SiteInfo{}, err
	}
	info, why := readSiteInfo(body)
	if errors.As(why, new(*StatusError)) {
		return info, why
	}
	if err != nil {
		why = err
	}
	if why != nil {
		hidden := info.Hidden
		if info, err = askPrivate(ctx, base, host); err != nil {
			return info, fmt.Errorf("%w; load.php: %w", why, err)
		}
		info.Hidden = hidden
	}
	if info.Home == "" {
		info.Home = askHome(ctx, base, host)
	}
	return info, nil
}

// failed reports whether an answer of api.php is an internal error.
func failed(body []byte, err error) bool {
	if err == nil {
		_, err = readSiteInfo(body)
	}
	var status *StatusError
	return errors.As(err, &status) && status.Code >= http.StatusInternalServerError
}

// homeLink matches the main page's address in an answer of API:Rsd.
var homeLink = regexp.MustCompile(`<homePageLink[^>]*>([^<]*)</homePageLink>`)

// askHome requests the address of a wiki's main page in a form that is open to visitors
// (API:Rsd). It returns "" if there is none.
func askHome(ctx context.Context, base, host string) string {
	body, err := get(ctx, base+"/api.php?action=rsd", host)
	found := homeLink.FindSubmatch(body)
	if err != nil || found == nil {
		return ""
	}
	return html.UnescapeString(string(found[1]))
}

// internalError is the prefix of api.php's codes for internal errors, with status 200 or
// 500.
const internalError = "internal_api_error_"

// deniedRead is api.php's code for a wiki that visitors may not read.
const deniedRead = "readapidenied"

// readSiteInfo decodes an answer of api.php. The error describes any other answer.
func readSiteInfo(body []byte) (SiteInfo, error) {
	var answer struct {
		Error struct{ Code string }
		Query struct {
			Pages   []struct{ Actions struct{ Read *bool } }
			General struct {
				Generator, Sitename, Lang, WikiID, Mainpage, Server, ServerName, Base, Script string

				Readonly bool
			}
			AuthManagerInfo struct {
				CanAuthenticateNow bool
				Requests           []struct{ Fields map[string]any }
			}
		}
	}
	at := max(0, bytes.IndexByte(body, '{'))
	err := json.Unmarshal(body[at:], &answer)
	if err == nil && strings.HasPrefix(answer.Error.Code, internalError) {
		return SiteInfo{}, &StatusError{Code: http.StatusInternalServerError, Status: "an error of its own", Words: words(body)}
	}
	if err == nil && answer.Error.Code != "" {
		return SiteInfo{Hidden: answer.Error.Code == deniedRead}, fmt.Errorf("api.php returned the error %s", answer.Error.Code)
	}
	if err != nil || answer.Query.General.Generator == "" {
		return SiteInfo{}, fmt.Errorf("expected siteinfo, got %q", words(body))
	}
	g := answer.Query.General
	info := SiteInfo{
		Version: strings.TrimPrefix(g.Generator, "MediaWiki "), Sitename: g.Sitename, Lang: g.Lang,
		DBName: g.WikiID, Server: g.Server, MainPage: g.Mainpage, Script: g.Script, ReadOnly: g.Readonly, Noise: tenants.Beginning(bytes.TrimSpace(body[:at])),
	}
	a := answer.Query.AuthManagerInfo
	info.LogsIn = a.CanAuthenticateNow && len(a.Requests) > 0
	for _, page := range answer.Query.Pages {
		info.Hidden = page.Actions.Read != nil && !*page.Actions.Read
	}
	if g.ServerName != "" { // otherwise it has no full URL of its own, as base is not one
		info.Home = g.Base
	}
	return info, nil
}

// get requests a page without following redirects.
func get(ctx context.Context, url, host string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Host = host
	return do(request)
}

// movedError is a redirect.
type movedError struct{ status, to string }

func (e movedError) Error() string {
	return fmt.Sprintf("it answers %s, a redirect to %q", e.status, e.to)
}

// Gone reports whether a web server answers for a host name that it has no wiki any more (status
// 410).
func Gone(ctx context.Context, base, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	_, err := get(ctx, base+"/", host)
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusGone
}

// StatusError is an answer that is neither 200 nor a redirect.
type StatusError struct {
	Code   int
	Status string // such as "500 Internal Server Error"
	Words  string // its text; may be empty
}

// Error returns the status and the text.
func (e *StatusError) Error() string {
	if e.Words == "" {
		return "it answers " + e.Status + " and says nothing"
	}
	return "it answers " + e.Status + ": " + e.Words
}

// closed reports whether an error is an answer that refuses visitors, as of a web server
// that blocks api.php, as opposed to that of a broken wiki.
func closed(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code < http.StatusInternalServerError || errors.As(err, new(movedError))
}

// do sends a request and returns the body of an answer with status 200. For TLS it sends
// the wiki's name (SNI), so that the web server selects the wiki's certificate, and
// accepts any certificate: none is for the farm's own address. Audits check certificates.
func do(request *http.Request) ([]byte, error) {
	name, _, _ := strings.Cut(request.Host, ":")
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true}},
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if to := response.Header.Get("Location"); to != "" {
		return nil, movedError{response.Status, to}
	}
	if response.StatusCode != http.StatusOK {
		return nil, &StatusError{Code: response.StatusCode, Status: response.Status, Words: words(body)}
	}
	return body, nil
}
