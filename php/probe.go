package php

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// SiteInfo is what a wiki says of itself through api.php
// (API:Siteinfo, siprop=general).
type SiteInfo struct {
	Version  string // such as "1.43.9"
	Sitename string
	Lang     string
	DBName   string
	MainPage string
	ReadOnly bool
}

// probeLimit is how long a wiki may take to answer; its first answer compiles
// MediaWiki.
const probeLimit = 60 * time.Second

// Probe asks a wiki for its SiteInfo through the web server at base, such as
// "http://127.0.0.1:8080", by its host name.
func Probe(ctx context.Context, base, host string) (SiteInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	url := base + "/api.php?action=query&meta=siteinfo&siprop=general&format=json&formatversion=2"
	body, err := get(ctx, url, host)
	if err != nil {
		return SiteInfo{}, fmt.Errorf("ask %s at %s: %w", host, base, err)
	}
	var answer struct {
		Error struct{ Code string }
		Query struct {
			General struct {
				Generator, Sitename, Lang, WikiID, Mainpage string
				Readonly                                    bool
			}
		}
	}
	err = json.Unmarshal(body, &answer)
	if err == nil && answer.Error.Code == "readapidenied" {
		return probePrivate(ctx, base, host)
	}
	if err != nil || answer.Query.General.Generator == "" {
		return SiteInfo{}, fmt.Errorf("ask %s at %s: no siteinfo came, but %q", host, base, start(body))
	}
	g := answer.Query.General
	return SiteInfo{
		Version: strings.TrimPrefix(g.Generator, "MediaWiki "), Sitename: g.Sitename, Lang: g.Lang,
		DBName: g.WikiID, MainPage: g.Mainpage, ReadOnly: g.Readonly,
	}, nil
}

// startup finds a string in the startup module's configuration.
var startup = regexp.MustCompile(`"(wgVersion|wgDBname|wgSiteName|wgContentLanguage)":\s*("(?:[^"\\]|\\.)*")`)

// probePrivate asks a wiki that hides api.php from strangers: the startup module
// of ResourceLoader, which the log-in page needs, says the same for everybody.
func probePrivate(ctx context.Context, base, host string) (SiteInfo, error) {
	body, err := get(ctx, base+"/load.php?modules=startup&only=scripts&raw=1&lang=en&skin=fallback", host)
	if err != nil {
		return SiteInfo{}, fmt.Errorf("ask %s at %s: %w", host, base, err)
	}
	found := map[string]string{}
	for _, m := range startup.FindAllSubmatch(body, -1) {
		var text string
		if err := json.Unmarshal(m[2], &text); err != nil {
			return SiteInfo{}, fmt.Errorf("ask %s at %s: %w", host, base, err)
		}
		found[string(m[1])] = text
	}
	return SiteInfo{Version: found["wgVersion"], Sitename: found["wgSiteName"], Lang: found["wgContentLanguage"], DBName: found["wgDBname"]}, nil
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
		return nil, fmt.Errorf("it answers %s: %q", response.Status, start(body))
	}
	return body, nil
}

// start is the beginning of an answer, for an error message.
func start(body []byte) string {
	return strings.ToValidUTF8(string(body[:min(len(body), 200)]), "?")
}
