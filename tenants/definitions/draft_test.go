package definitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A draft is loaded as if it were a file of the farm, and its own faults are reported.
func TestDraft(t *testing.T) {
	dir := writeFarm(t, map[string]string{"wikictl.toml": farmToml, "tenants/a.toml": `name = "a"` + "\nhosts = [\"a.org\"]\nsitename = \"A\"\n"})
	for text, want := range map[string]string{
		"name = \"b\"\nhosts = [\"b.org\"]\nsitename = \"B\"\n":                          "",
		"name = \"b\"\nhosts = [\"b.org\"]\nsitename = \"B\"\nserver = \"far\"\n":        `there is no server "far"`,
		"name = \"b\"\nhosts = [\"a.org\"]\nsitename = \"B\"\n":                          "a.org",
		"name = \"b\"\nhosts = [\"b.org\"]\nsitename = \"B\"\nclasses = [\"unknown\"]\n": "unknown",
		"name = ": "draft.toml:1",
	} {
		_, wrong, err := Draft(dir, "draft.toml", []byte(text))
		if err != nil || !strings.Contains(wrong.Error(), want) || (want == "") != (len(wrong) == 0) {
			t.Errorf("%q: %v %v, want %q", text, err, wrong, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "draft.toml")); err == nil {
		t.Error("it was written")
	}
}

// A definition that was shown alone loads on a farm without its class, to the same tenant.
func TestShowAlone(t *testing.T) {
	own := "name = \"a\"\nhosts = [\"a.org\"]\nsitename = \"A\"\nclasses = [\"c\"]\n"
	f, err := Load(writeFarm(t, map[string]string{"wikictl.toml": farmToml, "classes/c.toml": classToml, "tenants/a.toml": own}))
	if err != nil {
		t.Fatal(err)
	}
	text := ShowAlone(f.Tenant("a"))
	again, wrong, err := Draft(writeFarm(t, map[string]string{"wikictl.toml": farmToml, "tenants/x.toml": "name = \"x\"\nhosts = [\"x.org\"]\nsitename = \"X\"\n"}), "draft.toml", []byte(text))
	if err != nil || len(wrong) > 0 {
		t.Fatalf("%v %v\n%s", err, wrong, text)
	}
	want := strings.Replace(Show(f.Tenant("a"), false), "classes = ['c']\n", "", 1)
	if got := Show(again, false); got != want {
		t.Errorf("it is\n%s\nand was\n%s", got, want)
	}
}
