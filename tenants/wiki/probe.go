// Package wiki asks a wiki over HTTP: what it is, its pages, and edits that it has to refuse.
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
)

// SiteInfo is what a wiki says of itself through api.php (API:Siteinfo,
// siprop=general) or, where strangers may not ask that, through load.php.
type SiteInfo struct {
	Version  string // such as "1.43.9"
	Sitename string
	Lang     string
	DBName   string
	Server   string // $wgServer
	Home     string // the full address of its main page, as its own links have it; empty: unknown
	MainPage string // its title; empty: unknown
	ReadOnly bool   // false also when it is unknown
	Private  bool   // MainPage and ReadOnly are unknown
	Hidden   bool   // strangers may not read it, as it says, or not the pages of its files
	LogsIn   bool   // it offers strangers to log in; false also when it was not asked or does not say
	Noise    string // what stands before the answer of api.php, as settings that print leave it
}

// probeLimit is how long a wiki may take to answer; its first answer compiles
// MediaWiki.
const probeLimit = 60 * time.Second

// SiteInfoPath is what is asked of api.php.
const SiteInfoPath = "/api.php?action=query&meta=siteinfo&siprop=general&format=json&formatversion=2" + mayRead

// logInPath asks for what a log-in takes, too.
const logInPath = "/api.php?action=query&meta=siteinfo%7Cauthmanagerinfo&siprop=general&amirequestsfor=login&format=json&formatversion=2" + mayRead

// mayRead asks, too, whether strangers may read the page of a file, which need not exist:
// what closes namespaces, such as an extension, may leave the wiki itself open (API:Info).
const mayRead = "&prop=info&intestactions=read&titles=File:X.png"

// Probe asks a wiki for its SiteInfo through the web server at base, such as
// "http://127.0.0.1:8080", by its host name.
//
// A wiki that answers strangers' questions says all of it. One that does not, as they
// may not read it or as its api.php is closed to them, is asked by what its log-in
// page needs: its version, database, name, language and address come from there, and
// that it can read its database is made sure of. Its main page, and whether it is
// read-only, can't be known of it without a log-in.
func Probe(ctx context.Context, base, host string) (SiteInfo, error) {
	return probe(ctx, base, host, false)
}

// ProbeLogIn is Probe that in the same request asks for what a log-in takes
// (API:Authmanagerinfo). Where the wiki fails at that, LogsIn is false: its log-in page
// says more.
func ProbeLogIn(ctx context.Context, base, host string) (SiteInfo, error) {
	return probe(ctx, base, host, true)
}

func probe(ctx context.Context, base, host string, logIn bool) (SiteInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	info, err := ask(ctx, base, host, logIn)
	if err != nil {
		return SiteInfo{}, fmt.Errorf("ask %s at %s: %w", host, base, err)
	}
	return info, nil
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
			return info, fmt.Errorf("%w; and of load.php: %w", why, err)
		}
		info.Hidden = hidden
	}
	if info.Home == "" {
		info.Home = askHome(ctx, base, host)
	}
	return info, nil
}

// failed reports whether an answer of api.php is that the wiki fails.
func failed(body []byte, err error) bool {
	if err == nil {
		_, err = readSiteInfo(body)
	}
	var status *StatusError
	return errors.As(err, &status) && status.Code >= http.StatusInternalServerError
}

// homeLink finds the main page's address in an answer of API:Rsd.
var homeLink = regexp.MustCompile(`<homePageLink[^>]*>([^<]*)</homePageLink>`)

// askHome asks a wiki for the address of its main page by what it tells strangers,
// too (API:Rsd). Empty: it does not say.
func askHome(ctx context.Context, base, host string) string {
	body, err := get(ctx, base+"/api.php?action=rsd", host)
	found := homeLink.FindSubmatch(body)
	if err != nil || found == nil {
		return ""
	}
	return html.UnescapeString(string(found[1]))
}

// internalError begins the code by which api.php says that it failed, with 200 or 500.
const internalError = "internal_api_error_"

// deniedRead is the code by which api.php says that the wiki is not for strangers to read.
const deniedRead = "readapidenied"

// readSiteInfo reads an answer of api.php. The error says what it holds instead.
func readSiteInfo(body []byte) (SiteInfo, error) {
	var answer struct {
		Error struct{ Code string }
		Query struct {
			Pages   []struct{ Actions struct{ Read *bool } }
			General struct {
				Generator, Sitename, Lang, WikiID, Mainpage, Server, ServerName, Base string

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
		return SiteInfo{Hidden: answer.Error.Code == deniedRead}, fmt.Errorf("api.php answers with the error %s", answer.Error.Code)
	}
	if err != nil || answer.Query.General.Generator == "" {
		return SiteInfo{}, fmt.Errorf("no siteinfo came, but %q", words(body))
	}
	g := answer.Query.General
	info := SiteInfo{
		Version: strings.TrimPrefix(g.Generator, "MediaWiki "), Sitename: g.Sitename, Lang: g.Lang,
		DBName: g.WikiID, Server: g.Server, MainPage: g.Mainpage, ReadOnly: g.Readonly, Noise: start(bytes.TrimSpace(body[:at])),
	}
	a := answer.Query.AuthManagerInfo
	info.LogsIn = a.CanAuthenticateNow && len(a.Requests) > 0
	for _, page := range answer.Query.Pages {
		info.Hidden = page.Actions.Read != nil && !*page.Actions.Read
	}
	if g.ServerName != "" { // else it can't make full addresses of its own, as base is not
		info.Home = g.Base
	}
	return info, nil
}

// get fetches a page without following redirects.
func get(ctx context.Context, url, host string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Host = host
	return do(request)
}

// movedError is an answer that sends elsewhere.
type movedError struct{ status, to string }

func (e movedError) Error() string { return fmt.Sprintf("it answers %s, to %q", e.status, e.to) }

// StatusError is an answer that is neither 200 nor a redirect.
type StatusError struct {
	Code   int
	Status string // such as "500 Internal Server Error"
	Words  string // what the answer says, in plain text; may be empty
}

// Error has the status and what the answer says.
func (e *StatusError) Error() string {
	if e.Words == "" {
		return "it answers " + e.Status + " and says nothing"
	}
	return "it answers " + e.Status + ": " + e.Words
}

// closed reports whether an error is an answer that keeps strangers out, such as of
// a web server that shuts api.php, and not one of a wiki that does not work.
func closed(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code < http.StatusInternalServerError || errors.As(err, new(movedError))
}

// do sends a request and returns the body of an answer that is 200. By TLS it names
// the wiki, as a browser does (SNI), so that the web server picks the wiki's own
// certificate, and takes any: it asks who answers at the farm's own address, which
// no certificate is for. Whether readers can trust it is for an audit to find.
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

// start is the beginning of an answer, for an error message.
func start(body []byte) string {
	return strings.ToValidUTF8(string(body[:min(len(body), 200)]), "?")
}
