package wiki

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// siteModules are the modules of ResourceLoader that say who a wiki is; the log-in
// page needs both, so that everybody gets them. Where the variables stand moved from
// the first to the second before MediaWiki 1.39.
var siteModules = []string{"mediawiki.base", "startup"}

// siteVariable finds a string in a module's configuration
// (ResourceLoader::getSiteConfigSettings: "stable config vars").
var siteVariable = regexp.MustCompile(`"(wgVersion|wgDBname|wgSiteName|wgContentLanguage|wgServer)":\s*("(?:[^"\\]|\\.)*")`)

// askPrivate asks a wiki whose api.php says nothing to strangers.
func askPrivate(ctx context.Context, base, host string) (SiteInfo, error) {
	found := map[string]string{}
	for _, module := range siteModules {
		// The last word keeps a cache in front from answering for the wiki.
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
		return SiteInfo{}, errors.New("its modules name no database and version")
	}
	info := SiteInfo{
		Version: found["wgVersion"], Sitename: found["wgSiteName"], Lang: found["wgContentLanguage"],
		DBName: found["wgDBname"], Server: found["wgServer"], Private: true,
	}
	return info, readsDatabase(ctx, base, host)
}

// readVariables adds to found what a module's answer says.
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

// readsDatabase makes sure that a wiki which hides its pages can read its database:
// MediaWiki can say who it is without that. No page of a wiki does without; the
// log-in page is open to everybody. What the page holds is not looked at, nor
// whether it leads elsewhere, such as to a common log-in.
func readsDatabase(ctx context.Context, base, host string) error {
	_, err := follow(ctx, base, "/index.php?title=Special:UserLogin", host)
	if err != nil && !closed(err) {
		return fmt.Errorf("its log-in page: %w", err)
	}
	return nil
}
