package definitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/tenants"
)

// A command of wikictl.toml prints a secret. It runs once for all values that name it, only when
// one is needed, and no error contains its output.
func TestSecretsFromCommands(t *testing.T) {
	script := func(text string) string { return "#!/bin/sh\necho run >> runs\n" + text + "\n" }
	for name, c := range map[string]struct{ command, script, want, fault string }{
		"printed":      {`["./print", "a b", "$x"]`, script(`printf '%s|%s\n' "$1" "$2"`), "a b|$x", ""},
		"it fails":     {`["./print"]`, script("echo hush; echo no such entry >&2; exit 3"), "", "no such entry; it is the command of [secrets.smtp] in wikictl.toml"},
		"nothing":      {`["./print"]`, script("true"), "", "the command of [secrets.smtp], ./print, printed nothing"},
		"too much":     {`["./print"]`, script("head -c 70000 /dev/zero | tr '\\0' x"), "", "printed more than 64 KiB"},
		"no UTF-8":     {`["./print"]`, script(`printf 'a\377'`), "", "printed text that is not UTF-8"},
		"no program":   {`["./other"]`, script("true"), "", "the command of [secrets.smtp], ./other, can't be run"},
		"it says more": {`["./print"]`, script("echo warning >&2; echo value"), "value", ""},
	} {
		files := tenant("[settings]\nwgSMTP = { password = { secret = \"smtp\" } }\nwgServers = [{ secret = \"smtp\" }]\n")
		files["wikictl.toml"], files["classes/c.toml"] = farmToml+"\n[secrets.smtp]\ncommand = "+c.command+"\n", "sitename = \"C\"\n"
		files["print"] = c.script
		dir := writeFarm(t, files)
		if err := os.Chmod(filepath.Join(dir, "print"), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		x := f.Tenant("x")
		if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
			t.Errorf("%s: it was run when it was loaded", name)
		}
		first := x.Settings["wgSMTP"].Data.(map[string]tenants.Value)["password"].Data.(*tenants.Hidden)
		second := x.Settings["wgServers"].Data.([]tenants.Value)[0].Data.(*tenants.Hidden)
		got, err := first.Read()
		if again := second.Known(); got != c.want || again != c.want {
			t.Errorf("%s: %q and %q, want %q", name, got, again, c.want)
		}
		if (err == nil) != (c.fault == "") || err != nil && (!strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
		if runs, _ := os.ReadFile(filepath.Join(dir, "runs")); len(runs) > len("run\n") {
			t.Errorf("%s: it was run more than once", name)
		}
	}
}

func TestSecretCommandsRefused(t *testing.T) {
	for more, want := range map[string]string{
		"[secrets.smtp]\n":                               "secrets.smtp.command: is missing",
		"[secrets.\"../x\"]\ncommand = [\"true\"]\n":     "the secret's name \"../x\" can't be one",
		"[secrets.smtp]\ncommand = \"pass show smtp\"\n": "secrets.smtp.command: is a string, want a list",
	} {
		files := tenant("")
		files["wikictl.toml"], files["classes/c.toml"] = farmToml+"\n"+more, "sitename = \"C\"\n"
		_, err := Load(writeFarm(t, files))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", more, err, want)
		}
	}
}
