package wiki

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// siteModules are the modules of ResourceLoader that identify a wiki. The log-in page
// needs both, so that everyone may load them. MediaWiki moved the variables from the
// first to the second before 1.39.
var siteModules = []string{"mediawiki.base", "startup"}

// siteVariable matches a string in a module's configuration
// (ResourceLoader::getSiteConfigSettings: "stable config vars").
var siteVariable = regexp.MustCompile(`"(wgVersion|wgDBname|wgSiteName|wgContentLanguage|wgServer|wgScript)":\s*("(?:[^"\\]|\\.)*")`)

// askPrivate requests the site information of a wiki whose api.php is closed to visitors.
func askPrivate(ctx context.Context, base, host string) (SiteInfo, error) {
	found := map[string]string{}
	for _, module := range siteModules {
		// The last parameter prevents an answer from a cache in front.
		path := "/load.php?modules=" + module + "&only=scripts&raw=1&lang=en&skin=fallback&wikictl=" + rand.Text()
		body, err := get(ctx, base+path, host)
		if err != nil {
			return SiteInfo{}, err
		}
		if err := readVariables(body, found); err != nil {
			return SiteInfo{}, err
		}
		if found["wgDBname"] != "" {
			break
		}
	}
	if found["wgDBname"] == "" || found["wgVersion"] == "" {
		return SiteInfo{}, errors.New("its modules have no database and version")
	}
	info := SiteInfo{
		Version: found["wgVersion"], Sitename: found["wgSiteName"], Lang: found["wgContentLanguage"],
		DBName: found["wgDBname"], Server: found["wgServer"], Script: found["wgScript"], Private: true,
	}
	return info, info.readsDatabase(ctx, base, host)
}

// readVariables adds the variables in a module's answer to found.
func readVariables(body []byte, found map[string]string) error {
	for _, m := range siteVariable.FindAllSubmatch(body, -1) {
		var text string
		if err := json.Unmarshal(m[2], &text); err != nil {
			return fmt.Errorf("read %s: %w", m[0], err)
		}
		found[string(m[1])] = text
	}
	return nil
}

// readsDatabase checks that a wiki with hidden pages can read its database: load.php
// works without it, but the log-in page, which is open to everyone, does not. It ignores
// the page's content, and redirects, such as to a common log-in.
func (i SiteInfo) readsDatabase(ctx context.Context, base, host string) error {
	_, err := getPage(ctx, i.index(base)+"?title="+LogIn, host)
	if err != nil && !closed(err) {
		return fmt.Errorf("its log-in page: %w", err)
	}
	return nil
}
