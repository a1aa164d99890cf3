package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// testMember wants a private wiki to give its members what strangers do not get.
func (s *stand) testMember(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// The wiki's cookies are for its name, which leads here.
	dialer := net.Dialer{}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", s.port))
	}}}
	ask := func(path string, form url.Values) (int, string) {
		t.Helper()
		address := fmt.Sprintf("http://beta.test:%d%s", s.port, path)
		method, body := http.MethodGet, ""
		if form != nil {
			method, body = http.MethodPost, form.Encode()
		}
		request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if form != nil {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	_, answer := ask("/api.php?action=query&meta=tokens&type=login&format=json", nil)
	var token struct {
		Query struct{ Tokens struct{ Logintoken string } }
	}
	if err := json.Unmarshal([]byte(answer), &token); err != nil || token.Query.Tokens.Logintoken == "" {
		t.Fatalf("%v: %.300s", err, answer)
	}
	_, answer = ask("/api.php", url.Values{"action": {"clientlogin"}, "format": {"json"}, "username": {"Admin"}, "password": {"long-enough-beta"},
		"logintoken": {token.Query.Tokens.Logintoken}, "loginreturnurl": {"http://beta.test/"}})
	if !strings.Contains(answer, `"status":"PASS"`) {
		t.Fatalf("log in: %.500s", answer)
	}
	for _, tc := range []struct{ path, want string }{
		{"/wiki/Main_Page", "MediaWiki has been installed"},
		{"/api.php?action=query&list=allpages&format=json", `"title":"Main Page"`},
		{"/rest.php/v1/page/Main_Page", "MediaWiki has been installed"},
		{"/img_auth.php/thumb/a/ab/Seen.png/1px-Seen.png", "very secret"},
	} {
		if status, body := ask(tc.path, nil); status != 200 || !strings.Contains(body, tc.want) {
			t.Errorf("a member: %s: %d, want %q: %.300s", tc.path, status, tc.want, body)
		}
		if a := s.get("beta.test", tc.path); strings.Contains(a.body, tc.want) {
			t.Errorf("a stranger: %s: %d %.300s", tc.path, a.status, a.body)
		}
	}
	if status, body := ask("/images/a/ab/Secret.png", nil); status != 404 || strings.Contains(body, "secret") {
		t.Errorf("a member, past MediaWiki: %d %.100s", status, body)
	}
}
