package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"wikictl/tenants/secrets"
)

// closes: a closed wiki refuses edits for its reason, lets users log in, is upgraded, stays closed
// and is as its definition says for audit, which a private one is, too; and it opens again.
func closes(t *testing.T, f *farm) {
	const reason = `Moved to "new": $5's over`
	open := f.read("tenants/w1.toml")
	f.write("tenants/w1.toml", "state = \"closed\"\nreason = '''"+reason+"'''\n"+open)
	f.write("tenants/w0.toml", "state = \"private\"\n"+f.read("tenants/w0.toml"))
	f.wants(f.exits(1, "plan"), "change w1", "wgReadOnly")
	f.exits(0, "apply", "--all")
	edit := func() (code, why string) {
		c := f.client("w1")
		answer := c.call(url.Values{"action": {"edit"}, "title": {"Closed"}, "text": {"x"}, "token": {`+\`}})
		return fmt.Sprint(at(answer, "error", "code")), fmt.Sprint(at(answer, "error", "info"))
	}
	if code, why := edit(); code != "readonly" || !strings.Contains(why, "read-only") {
		t.Errorf("an edit of a closed wiki: %s %s", code, why)
	}
	f.logsInByForm("w1")
	if answer := f.client("w0").call(url.Values{"action": {"query"}, "titles": {"X"}}); at(answer, "error", "code") != "readapidenied" {
		t.Errorf("a private wiki answers %v", answer)
	}
	f.lacks(f.exits(0, "audit", "--fail-on", "error"), "closed-differs", "private-open")
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+f.read("tenants/w1.toml"))
	f.exits(0, "upgrade", "w1", "--no-rehearsal", "--skip-blocked")
	f.wants(f.answer("w1.localhost"), "MediaWiki 1.43.", `"readonly":`, "Moved to")
	f.exits(0, "plan")
	// The wiki is served in another state than the files define.
	f.serve("w0.localhost", "", `location / { return 200 '{"query":{"general":{"generator":"MediaWiki 1.39","wikiid":"wiki_w0","readonly":true},"pages":[{"actions":{"read":true}}]}}'; }`, "MediaWiki 1.39")
	f.wants(f.exits(1, "audit", "--fail-on", "error", "w0"), "[closed-differs]", "it refuses edits by w0.localhost", "[private-open]", "visitors may read it by w0.localhost")
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+open)
	f.exits(0, "apply", "w1")
	if code, _ := edit(); code == "readonly" {
		t.Error("it is closed still")
	}
}

// loginToken matches the token in the form of Special:UserLogin.
var loginToken = regexp.MustCompile(`name="wpLoginToken"[^>]* value="([^"]+)"|value="([^"]+)"[^>]* name="wpLoginToken"`)

// logsInByForm wants the administrator to log in to a wiki by Special:UserLogin, as users of a closed
// wiki do: the API's log-in wants to write.
func (f *farm) logsInByForm(tenant string) {
	f.t.Helper()
	c := f.client(tenant)
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	send := func(form url.Values) string {
		request, err := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/index.php?title=Special:UserLogin", f.demo.Web.Port), strings.NewReader(form.Encode()))
		must(f.t, err)
		request.Host = c.host
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := c.http.Do(request)
		must(f.t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(f.t, err)
		return string(text)
	}
	found := loginToken.FindStringSubmatch(send(nil))
	if found == nil {
		f.t.Fatalf("%s: Special:UserLogin has no form", tenant)
	}
	all, err := secrets.DecodeSecrets([]byte(f.read("state/secrets/" + tenant + ".toml")))
	must(f.t, err)
	send(url.Values{"wpName": {all.Admin}, "wpPassword": {all.AdminPassword.Reveal()}, "authAction": {"login"},
		"wpLoginToken": {html.UnescapeString(found[1] + found[2])}})
	if user := c.user(); user != all.Admin {
		f.t.Errorf("%s: who logs in is %q", tenant, user)
	}
}
