package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/secrets"
)

// farm is n tenants with some settings each.
func farm(b testing.TB, n int) *tenants.Farm {
	b.Helper()
	dir := needs.Codebases(b)
	root := b.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write("wikictl.toml", strings.ReplaceAll(`state = "state"
tenants = ["tenants/*.toml"]
[codebases.current]
path = "CODEBASES/1.43"
[servers.main]
managed = true
[defaults]
codebase = "current"
server = "main"
skins = ["Vector", "MonoBook"]
extensions = ["Cite", "ParserFunctions", "WikiEditor"]
[defaults.settings]
wgEnableUploads = true
wgGroupPermissions."*".edit = false
wgGroupPermissions."*".createaccount = false
wgFileExtensions = ["png", "jpg", "svg", "pdf"]
wgLogos.1x = "/resources/assets/wiki.png"
`, "CODEBASES", dir))
	for i := range n {
		write(fmt.Sprintf("tenants/t%05d.toml", i), fmt.Sprintf(`name = "t%05d"
hosts = ["t%05d.example.org", "t%05d.example.net"]
sitename = "Wiki %d"
[settings]
wgMaxUploadSize = %d
wgLocaltimezone = "Europe/Vienna"
`, i, i, i, i, 1000000+i))
	}
	f, err := definitions.Load(root)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func source(f *tenants.Farm, set *templates.Set) Source {
	return Source{Len: len(f.Tenants), At: func(i int) (Wanted, error) {
		t := f.Tenants[i]
		data := templates.Data{Farm: f, Tenant: t, Codebase: t.Codebase, Secrets: secrets.Secrets{
			WebPassword: "abc", SchemaPassword: "def", SecretKey: "ghi", UpgradeKey: "jkl",
		}}
		r, err := set.Render(data)
		if err != nil {
			return Wanted{}, err
		}
		return Want(data, r), nil
	}}
}

// BenchmarkFarm renders and writes 10,000 tenants, then again with nothing to
// do. Peak memory is reported by `/usr/bin/time -v go test -bench Farm`.
func BenchmarkFarm(b *testing.B) {
	f := farm(b, 10000)
	set, err := templates.Load("")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			os.RemoveAll(f.State)
			b.StartTimer()
			run(b, f, set, 0)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			run(b, f, set, len(f.Tenants))
		}
	})
}

func run(b *testing.B, f *tenants.Farm, set *templates.Set, unchanged int) {
	d, err := New(f.Layout(), f.Web)
	if err != nil {
		b.Fatal(err)
	}
	applied, err := d.Apply(b.Context(), source(f, set))
	if err != nil || applied.Unchanged != unchanged {
		b.Fatal(applied.Unchanged, err)
	}
}
