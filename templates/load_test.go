package templates

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// linkedTree is a codebase whose files are links, with further extensions.
func linkedTree(t *testing.T, version string, extensions map[string]string) string {
	t.Helper()
	from, tree := filepath.Join(needs.Codebases(t), version), t.TempDir()
	err := os.Mkdir(filepath.Join(tree, "extensions"), 0o755)
	for _, folder := range []string{"", "extensions"} {
		entries, failed := os.ReadDir(filepath.Join(from, folder))
		err = errors.Join(err, failed)
		for _, e := range entries {
			if e.Name() != "extensions" {
				err = errors.Join(err, os.Symlink(filepath.Join(from, folder, e.Name()), filepath.Join(tree, folder, e.Name())))
			}
		}
	}
	for name, text := range extensions {
		path := filepath.Join(tree, "extensions", name)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// MediaWiki loads parts, manifests of other names and extensions outside of its tree, and
// operations act after all of them.
func TestLoadedByMediaWiki(t *testing.T) {
	manifest := func(name string) string {
		return fmt.Sprintf(`{"name": "%s", "config": {"%[1]sSaid": {"value": ["%[1]s"]}}, "GroupPermissions": {"user": {"%[1]s": true}}, "manifest_version": 2}`, name)
	}
	for _, version := range []string{"1.39", "1.43"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			outside := t.TempDir()
			tree := linkedTree(t, version, map[string]string{"Twin/extension-client.json": manifest("TwinClient"), "Twin/extension-repo.json": manifest("TwinRepo")})
			if err := os.WriteFile(filepath.Join(outside, "extension.json"), []byte(manifest("Mine")), 0o644); err != nil {
				t.Fatal(err)
			}
			farm := strings.Replace(farmToml, `path = "CODEBASES/1.43"`, "path = \""+tree+"\"", 1)
			f := load(t, strings.Replace(farm, "[servers.main]", "[extensions.Mine]\npath = \""+outside+"\"\n[servers.main]", 1), `name = "parts"
hosts = ["parts.example.org"]
sitename = "Parts"
extensions = ["ConfirmEdit/QuestyCaptcha", "ConfirmEdit", "Twin:client", "Mine"]
[settings]
wgCaptchaClass = "QuestyCaptcha"
wgCaptchaQuestions."How many legs has a cat?" = ["4", "four"]
wgMineSaid = { append = ["more"] }
wgGroupPermissions.wide = { copy = "user" }
`)
			r, err := set(t, "").Render(data(f, "parts"))
			if err != nil || len(f.Tenant("parts").Faults) > 0 {
				t.Fatal(err, f.Tenant("parts").Faults)
			}
			found := effective(t, tree, r.LocalSettings, "wgCaptchaQuestions", "wgTwinClientSaid", "wgTwinRepoSaid", "wgMineSaid", "wgGroupPermissions")
			wide := found["wgGroupPermissions"].(map[string]any)["wide"].(map[string]any)
			got := fmt.Sprint(found["wgCaptchaQuestions"], found["wgTwinClientSaid"], found["wgTwinRepoSaid"], found["wgMineSaid"], wide["TwinClient"], wide["Mine"])
			if want := "map[How many legs has a cat?:[4 four]] [TwinClient] <nil> [Mine more] true true"; got != want {
				t.Errorf("%s, want %s\n%s", got, want, r.LocalSettings)
			}
		})
	}
}
