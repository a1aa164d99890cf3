package cli

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates/deploy"
	"wikictl/tenants/secrets"
)

// The files of the check are those that a run compares and writes, until a secret changes.
func TestRunReusesCheckedFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	secret := func(key secrets.Secret) {
		t.Helper()
		text, err := secrets.EncodeSecrets(secrets.Secrets{WebPassword: "w", SchemaPassword: "s", SecretKey: key, UpgradeKey: "u"})
		if err != nil {
			t.Fatal(err)
		}
		write("state/secrets/a.toml", string(text), 0o600)
	}
	write("wikictl.toml", "state = \"state\"\ntenants = [\"*.conf.toml\"]\n[codebases.x]\npath = \""+needs.Codebases(t)+"/1.43\"\n[servers.main]\nmanaged = true\n"+
		"[web]\nfpm = \"unix:/run/fpm.sock\"\n[defaults]\ncodebase = \"x\"\nserver = \"main\"\nskins = [\"Vector\"]\n", 0o644)
	write("a.conf.toml", "name = \"a\"\nhosts = [\"a.example.org\"]\nsitename = \"A\"\n", 0o644)
	secret("first")

	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.String("farm", dir, "")
	c := cli.NewContext(cli.NewApp(), flags, nil)
	c.Context = t.Context()
	a := &app{stderr: io.Discard, interrupts: new(interrupts)}
	f, err := a.loadToRender(c)
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.openHost(f, true)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	wanted := func() deploy.Wanted {
		t.Helper()
		w, err := h.Wanted(t.Context(), f.Tenants[0], f.Tenants[0].Codebase)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first, again := wanted(), wanted()
	if h.Templates != a.templates || &first.LocalSettings[0] != &again.LocalSettings[0] {
		t.Error("rendered again")
	}
	secret("second")
	if text := string(wanted().LocalSettings); !strings.Contains(text, "$wgSecretKey = 'second';") {
		t.Errorf("not the secret of now:\n%s", text)
	}
	if f, err = loadFarm(c); err != nil {
		t.Fatal(err)
	}
	other, err := a.openHost(f, true)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Templates == h.Templates {
		t.Error("a farm that was loaded anew has the files of another")
	}
}
