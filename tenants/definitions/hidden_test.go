package definitions

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/mask"
)

// The value of a secret is read from its file alone, is shown by its name, and is masked
// wherever it stands; what can't be its file is said with the path.
func TestHidden(t *testing.T) {
	files := tenant("[settings]\nwgSMTP = { host = \"mail.example\", password = { secret = \"smtp\" } }\nwgServers = [\"a\", { secret = \"list\" }]\nwgKeys = { append = [ { secret = \"smtp\" } ] }\n")
	files["wikictl.toml"], files["classes/c.toml"] = farmToml, "sitename = \"C\"\n"
	files["secrets/smtp"], files["secrets/list"] = "geheim'$x\n", "in a list"
	dir := writeFarm(t, files)
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := f.Tenant("x")
	show := Show(x, true)
	for _, line := range []string{"wgSMTP.password = {secret = 'smtp'} #", "wgServers = ['a', {secret = 'list'}] #", "wgKeys = {append = [{secret = 'smtp'}]} #"} {
		if !strings.Contains(show, line) {
			t.Errorf("no %s in\n%s", line, show)
		}
	}
	if strings.Contains(show, "geheim") || strings.Contains(show, "in a list") {
		t.Errorf("it is shown:\n%s", show)
	}
	hidden := x.Settings["wgSMTP"].Data.(map[string]tenants.Value)["password"].Data.(*tenants.Hidden)
	path := filepath.Join(dir, "secrets/smtp")
	if _, err := hidden.Read(); err == nil || !strings.Contains(err.Error(), path+": users other than its owner may read or write it (mode 0644); chmod 600 "+path) {
		t.Error(err)
	}
	if hidden.Known() != "" {
		t.Error("it is known")
	}
	for _, name := range []string{"smtp", "list"} {
		if err := os.Chmod(filepath.Join(dir, "secrets", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if f, err = Load(dir); err != nil {
		t.Fatal(err)
	}
	if found := mask.Values(f.Tenant("x").Settings); !slices.Equal(found, []string{"geheim'$x", "in a list"}) {
		t.Errorf("masked are %q", found)
	}
}

func TestHiddenRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "absent"):                     "the file does not exist; write the value into it, with mode 0600",
		write("empty", "\n"):                             "is empty",
		write("large", strings.Repeat("x", maxSecret+1)): "is larger than 64 KiB",
		write("binary", "\xff"):                          "is not UTF-8",
		dir:                                              "is a directory",
	} {
		if _, err := readSecret(path); err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if value, err := readSecret(write("good", "a b\r\n")); value != "a b" || err != nil {
		t.Error(value, err)
	}
	for own, problem := range map[string]string{
		`wgA = { secret = "../../etc/shadow" }`: "settings.wgA.secret: is not a name of a file in the folder secrets",
		`wgDBpassword = { secret = "smtp" }`:    "settings.wgDBpassword: is not for definitions to set",
		`wgHooks.X = [ { secret = "smtp" } ]`:   "settings.wgHooks.X[0].secret: MediaWiki runs this as code",
	} {
		if _, err := loadLayers(t, "", "[settings]\n"+own); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, want %s", own, err, problem)
		}
	}
}
