package staging

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/php/fpm"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// Compared is one page of a wiki and of its staging copy.
type Compared struct {
	Page       string `json:"page"`        // path below the wiki's own
	Status     int    `json:"status"`      // of the wiki
	CopyStatus int    `json:"copy_status"` // of its copy
	Same       bool   `json:"same"`
	Edited     bool   `json:"edited,omitempty"` // edited since the copy was made, so its text is not compared
	Why        string `json:"why,omitempty"`    // what differs
}

// Compare requests pages of a wiki and of its copy from php-fpm, also those that visitors may not
// read, and compares their status and visible text. versions are the MediaWiki versions of both,
// which may differ.
func Compare(ctx context.Context, h *session.Host, t, copy *tenants.Tenant, versions []string) ([]Compared, error) {
	if err := h.WriteViewSettings(); err != nil {
		return nil, err
	}
	server, err := h.Server(ctx, t.Server)
	if err != nil {
		return nil, err
	}
	linked, changed, err := server.Notable(ctx, t.Database, pages)
	if err != nil {
		return nil, err
	}
	own := ownWords(t, copy, versions)
	var list []Compared
	for _, at := range choose(t, linked, changed) {
		of, err := view(ctx, h, t, at, own)
		if err != nil {
			return list, fmt.Errorf("%s of %s: %w", at, t.Name, err)
		}
		copied, err := view(ctx, h, copy, at, own)
		if err != nil {
			return list, fmt.Errorf("%s of %s: %w", at, copy.Name, err)
		}
		c := Compared{Page: at, Status: of.status, CopyStatus: copied.status, Edited: of.status == copied.status && of.revision != "" && copied.revision != "" && of.revision != copied.revision}
		if !c.Edited {
			c.Why = differs(of, copied)
		}
		c.Same = c.Why == ""
		list = append(list, c)
	}
	return list, nil
}

// ownWords returns the words in which wiki and copy are allowed to differ, longest first.
func ownWords(t, copy *tenants.Tenant, versions []string) []string {
	words := slices.Concat(t.Places(), t.Hosts, copy.Hosts, []string{t.Database, copy.Database}, versions)
	words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(words)
}

// mostMoves bounds the redirects that view follows, such as from the root to the main page.
const mostMoves = 3

// view requests a page; at is below the wiki's own path.
func view(ctx context.Context, h *session.Host, t *tenants.Tenant, at string, own []string) (page, error) {
	to := t.Path + at
	for range mostMoves {
		out, logged, err := ask(ctx, h, t, to)
		if err != nil {
			return page{}, err
		}
		status, header, body, err := fpm.Answer(out)
		if err != nil {
			return page{}, fmt.Errorf("%w %s", err, strings.TrimSpace(string(logged)))
		}
		next, err := url.Parse(header.Get("Location"))
		if err != nil || next.Path == "" || next.Host != "" && next.Hostname() != t.Hosts[0] {
			return readPage(at, status, body, own), nil
		}
		to = next.RequestURI()
	}
	return page{}, fmt.Errorf("it redirects more than %d times", mostMoves)
}

// entries are the scripts besides index.php that a farm may name a page of.
var entries = []string{"api", "load", "rest", "thumb", "opensearch_desc"}

// ask sends php-fpm a request as the web server does, with settings that allow it to read a
// private wiki.
func ask(ctx context.Context, h *session.Host, t *tenants.Tenant, to string) (out, logged []byte, err error) {
	release, err := filepath.EvalSymlinks(h.Layout.Current(t.Name))
	if err != nil {
		return nil, nil, err
	}
	parsed, err := url.ParseRequestURI(to)
	if err != nil {
		return nil, nil, err
	}
	script := "index.php"
	for _, name := range entries {
		if strings.HasPrefix(parsed.Path+"/", t.ScriptPath+"/"+name+".php/") {
			script = name + ".php"
		}
	}
	parameters := [][2]string{
		{"SCRIPT_NAME", path.Join("/", t.ScriptPath, script)}, {"REQUEST_URI", parsed.RequestURI()}, {"QUERY_STRING", parsed.RawQuery},
		{"HTTP_HOST", t.Hosts[0]}, {"SERVER_NAME", t.Hosts[0]}, {"HTTP_USER_AGENT", "wikictl stage"},
		{"MW_CONFIG_FILE", h.Layout.ViewSettings()}, {"WIKICTL_SETTINGS", filepath.Join(release, "LocalSettings.php")},
	}
	if strings.HasPrefix(h.Farm.Web.URL, "https:") {
		parameters = append(parameters, [2]string{"HTTPS", "on"})
	}
	return fpm.Ask(ctx, h.FPM(t), filepath.Join(release, "core", script), parameters)
}
