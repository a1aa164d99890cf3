package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/secrets"
)

// rendering measures time and memory of wikictl render --write for n tenants, first
// without releases, then without changes.
type rendering struct {
	*creation
	farm string // its folder
}

// kinds is the number of classes; each tenant is in one of them.
const kinds = 8

func (b *rendering) run(ctx context.Context) error {
	b.farm = filepath.Join(b.dir, "farm")
	if err := b.definitions(); err != nil {
		return err
	}
	defer serverOf(b.farm).Stop(context.WithoutCancel(ctx))
	if err := b.created(ctx); err != nil {
		return err
	}
	fmt.Printf("%d tenants\n", b.n)
	printCostHead("wikictl render --write")
	ofKinds := make([]string, kinds)
	for k := range ofKinds {
		ofKinds[k] = tenantName(k)
	}
	for _, run := range []struct {
		name, want string
		which      []string
	}{
		// MediaWiki makes the messages of each set of code when its settings are first loaded.
		{fmt.Sprintf("first of each of %d sets of code", kinds), fmt.Sprintf("render: %d done, 0 unchanged", kinds), ofKinds},
		{"first of all others", fmt.Sprintf("render: %d done, %d unchanged", b.n-kinds, kinds), []string{"--all"}},
		{"unchanged", fmt.Sprintf("render: no changes, %d unchanged", b.n), []string{"--all"}},
	} {
		if err := b.measure(ctx, run.name, run.want, run.which...); err != nil {
			return err
		}
	}
	return b.joins(ctx)
}

// measure renders some tenants, prints a line, and wants what the program then says.
func (b *rendering) measure(ctx context.Context, name, want string, which ...string) error {
	syscall.Sync() // exclude earlier writes from the measurement
	out, err := b.meter(ctx, b.farm, name, append([]string{"render", "--write"}, which...)...)
	if err == nil && !strings.HasPrefix(out, want) {
		err = fmt.Errorf("wikictl render: got %q, want %q", tail([]byte(out)), want)
	}
	return err
}

// definitions writes the farm, its classes and a tenant of each.
func (b *rendering) definitions() error {
	files := map[string]string{"wikictl.toml": fmt.Sprintf(`state   = "state"
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]

[codebases.current]
path = "%s/1.43"

[servers.main]
managed = true

[web]
vhosts = "map"
kind   = "nginx"
fpm    = "unix:/run/php/fpm.sock"
check  = ["true"]
reload = ["true"]

[defaults]
codebase = "current"
server   = "main"
skins    = ["Vector", "MonoBook"]

[defaults.settings]
wgEnableUploads = true
wgFileExtensions = ["png", "jpg", "svg", "pdf"]
wgGroupPermissions."*".edit = false
wgGroupPermissions."*".createaccount = false
`, b.codebases), "classes/all.toml": "language = \"en\"\n"}
	extensions := [kinds]string{"Cite", "ParserFunctions", "WikiEditor", "Gadgets", "Poem", "Echo", "Interwiki", "CategoryTree"}
	for k := range kinds {
		files[fmt.Sprintf("classes/c%d.toml", k)] = fmt.Sprintf("extensions = [%q]\n[settings]\nwgMaxUploadSize = %d\n", extensions[k], (k+1)<<20)
		files["tenants/"+tenantName(k)+".toml"] = tenantText(k)
	}
	return writeFiles(b.farm, files)
}

func tenantName(i int) string { return fmt.Sprintf("w%05d", i) }

func tenantText(i int) string {
	return fmt.Sprintf(`name     = "w%05d"
hosts    = ["w%05d.example.org", "w%05d.example.net"]
sitename = "Wiki %d"
classes  = ["c%d", "all"]
[settings]
wgLocaltimezone = "Europe/Vienna"
wgRateLimits.edit.user = [%d, 60]
`, i, i, i, i, i%kinds, 10+i%50)
}

// created adds all tenants to the ledger and writes their secrets, as if they had been
// created, with the code of their class's tenant. It creates no releases, nor their
// folders.
func (b *rendering) created(ctx context.Context) error {
	h, ledger, err := openFarm(ctx, b.farm)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := os.MkdirAll(filepath.Dir(h.Layout.Secrets("x")), 0o700); err != nil {
		return err
	}
	results := fleet.Run(ctx, fleet.Indexes(b.n), fleet.Options[int]{Jobs: 8}, func(ctx context.Context, i int) (struct{}, error) {
		return struct{}{}, b.tenant(ctx, h.Layout, ledger, h.Farm.Tenants[i%kinds], i)
	})
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func (b *rendering) tenant(ctx context.Context, l tenants.Layout, led *ledger.Ledger, like *tenants.Tenant, i int) error {
	name := tenantName(i)
	if err := os.WriteFile(definitionOf(b.farm, name), []byte(tenantText(i)), 0o644); err != nil {
		return err
	}
	all, err := secrets.EncodeSecrets(secretsFor(name))
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.Secrets(name), all, 0o600); err != nil {
		return err
	}
	return claim(ctx, led, name, like)
}
