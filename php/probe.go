package php

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
		Query struct {
			General struct {
				Generator, Sitename, Lang, WikiID, Mainpage string
				Readonly                                    bool
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Query.General.Generator == "" {
		return SiteInfo{}, fmt.Errorf("ask %s at %s: no siteinfo came, but %q", host, base, start(body))
	}
	g := answer.Query.General
	return SiteInfo{
		Version: strings.TrimPrefix(g.Generator, "MediaWiki "), Sitename: g.Sitename, Lang: g.Lang,
		DBName: g.WikiID, MainPage: g.Mainpage, ReadOnly: g.Readonly,
	}, nil
}

// get fetches a page without following redirects.
func get(ctx context.Context, url, host string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Host = host
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
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
