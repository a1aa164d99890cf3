package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
)

// farm is a demo's folder with servers of its own. The test's own executable, called
// as wikictl, is the program: it has the race detector where the test has it, and
// the hook of hook_test.go.
type farm struct {
	t       *testing.T
	program string
	demo    *demo.Demo
}

// newEmptyFarm starts a farm without state.
func newEmptyFarm(t *testing.T) *farm {
	t.Helper()
	codebases := needs.Codebases(t)
	dir := needs.Folder(t)
	f := &farm{t: t, program: filepath.Join(dir, "wikictl")}
	self, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(self, f.program))
	f.demo, err = demo.OpenDemo(filepath.Join(dir, "d"))
	must(t, err)
	must(t, f.demo.WriteFarm(codebases))
	must(t, f.demo.Web.Start(t.Context()))
	t.Cleanup(func() {
		f.demo.Web.Stop(context.Background())
		f.private().Stop(context.Background())
	})
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *farm) private() mariadb.Private {
	return mariadb.PrivateOf(&tenants.Server{Name: "main"}, tenants.Layout{State: filepath.Join(f.demo.Dir, "state")})
}

// command prepares a wikictl in a process group of its own.
func (f *farm) command(args ...string) *exec.Cmd {
	cmd := exec.Command(f.program, append([]string{"--farm", f.demo.Dir}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (f *farm) run(args ...string) string {
	f.t.Helper()
	out, err := f.command(args...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("wikictl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// sql sends statements to the private server and returns the fields of all rows.
func (f *farm) sql(statements string) []string {
	f.t.Helper()
	out, err := printedRows(f.private().Socket, statements)
	if err != nil {
		f.t.Fatalf("%s: %v", statements, err)
	}
	return strings.Fields(out)
}

// client is a browser of one wiki.
type client struct {
	f    *farm
	host string
	http http.Client
}

func (f *farm) client(tenant string) *client {
	jar, err := cookiejar.New(nil)
	must(f.t, err)
	return &client{f, tenant + ".localhost", http.Client{Jar: jar, Transport: anew}}
}

// anew makes a connection for each request: a worker of nginx that a reload ends closes the one
// over which a POST would be sent next, and a POST is not sent again.
var anew = &http.Transport{DisableKeepAlives: true}

// call asks api.php. nginx's old workers answer beside the new ones for a moment after
// each reload, also after wikictl has seen the new ones answer: a host name that they
// do not know is 404, one that they know as removed 410; no api.php answers so.
func (c *client) call(values url.Values) map[string]any {
	c.f.t.Helper()
	values.Set("format", "json")
	values.Set("formatversion", "2")
	status, body := c.ask(values)
	for begun := time.Now(); (status == http.StatusNotFound || status == http.StatusGone) && time.Since(begun) < reloading; status, body = c.ask(values) {
		time.Sleep(20 * time.Millisecond)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		c.f.t.Fatalf("%s: status %d: %v: %.300s", c.host, status, err, body)
	}
	return answer
}

// reloading bounds how long old workers of nginx are waited for.
const reloading = 15 * time.Second

// ask sends a form to api.php; the status is 0 when nothing answers.
func (c *client) ask(form url.Values) (status int, body string) {
	request, err := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/api.php", c.f.demo.Web.Port), strings.NewReader(form.Encode()))
	must(c.f.t, err)
	request.Host = c.host
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// at walks into an answer.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func (c *client) token(kind string) string {
	answer := c.call(url.Values{"action": {"query"}, "meta": {"tokens"}, "type": {kind}})
	return fmt.Sprint(at(answer, "query", "tokens", kind+"token"))
}

// login logs the administrator in.
func (c *client) login(tenant string) {
	c.f.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.f.demo.Dir, "state/secrets", tenant+".toml"))
	must(c.f.t, err)
	all, err := secrets.DecodeSecrets(data)
	must(c.f.t, err)
	c.loginAs(all.Admin, all.AdminPassword.Reveal())
}

// loginAs logs a user in.
func (c *client) loginAs(user, password string) {
	c.f.t.Helper()
	answer := c.call(url.Values{"action": {"clientlogin"}, "username": {user}, "password": {password},
		"logintoken": {c.token("login")}, "loginreturnurl": {"http://localhost/"}})
	if at(answer, "clientlogin", "status") != "PASS" {
		c.f.t.Fatalf("log in to %s as %s: %v", c.host, user, answer)
	}
}

func (c *client) user() string {
	return fmt.Sprint(at(c.call(url.Values{"action": {"query"}, "meta": {"userinfo"}}), "query", "userinfo", "name"))
}

func (c *client) page(title string) string {
	return fmt.Sprint(c.call(url.Values{"action": {"parse"}, "page": {title}, "prop": {"wikitext"}}))
}
