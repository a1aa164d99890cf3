package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
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
	if err := b.build(ctx); err != nil {
		return err
	}
	b.farm = filepath.Join(b.dir, "farm")
	if err := b.definitions(); err != nil {
		return err
	}
	server := mariadb.PrivateOf(&tenants.Server{Name: "main"}, tenants.Layout{State: filepath.Join(b.farm, "state")})
	defer server.Stop(context.WithoutCancel(ctx))
	if err := b.created(ctx); err != nil {
		return err
	}
	fmt.Printf("%d tenants\n%-36s %9s %9s %9s\n", b.n, "wikictl render --write", "seconds", "CPU", "peak MB")
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

// measure runs the program for some tenants and prints a line. This process stays small: a child's peak
// memory starts with its parent's (getrusage(2)).
func (b *rendering) measure(ctx context.Context, name, want string, which ...string) error {
	syscall.Sync() // exclude earlier writes from the measurement
	cmd := exec.CommandContext(ctx, b.wikictl, append([]string{"--farm", b.farm, "render", "--write"}, which...)...)
	var story bytes.Buffer
	cmd.Stderr = &story
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("wikictl render: %w: %s", err, tail(story.Bytes()))
	}
	seconds := time.Since(start).Seconds()
	if !strings.HasPrefix(string(out), want) {
		return fmt.Errorf("wikictl render: got %q, want %q", tail(out), want)
	}
	state := cmd.ProcessState
	usage := state.SysUsage().(*syscall.Rusage)
	fmt.Printf("%-36s %9.2f %9.2f %9d\n", name, seconds, (state.UserTime() + state.SystemTime()).Seconds(), usage.Maxrss>>10)
	return nil
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
	return b.write(files)
}

// write writes files of the farm, by path below its folder.
func (b *rendering) write(files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(b.farm, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
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
	numbers := make([]int, b.n)
	for i := range numbers {
		numbers[i] = i
	}
	results := fleet.Run(ctx, numbers, fleet.Options[int]{Jobs: 8}, func(ctx context.Context, i int) (struct{}, error) {
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
	if err := os.WriteFile(filepath.Join(b.farm, "tenants", name+".toml"), []byte(tenantText(i)), 0o644); err != nil {
		return err
	}
	key := secrets.Secret(fmt.Sprintf("%064d", i))
	all, err := secrets.EncodeSecrets(secrets.Secrets{WebPassword: key[:24], SchemaPassword: key[:24], SecretKey: key, UpgradeKey: key[:16]})
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.Secrets(name), all, 0o600); err != nil {
		return err
	}
	return led.Claim(ctx, ledger.Tenant{
		Name: name, Server: "main", Database: "wiki_" + name, Codebase: like.Codebase.Name, Version: like.Codebase.Version,
		ComponentSet: like.ComponentSet(like.Codebase), State: ledger.Ready, Run: "bench",
	})
}

// openFarm loads the definitions in a folder and opens the farm's ledger. Close the host
// after use.
func openFarm(ctx context.Context, dir string) (*session.Host, *ledger.Ledger, error) {
	f, err := definitions.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	h, err := session.Open(f, session.Options{})
	if err != nil {
		return nil, nil, err
	}
	l, err := h.Ledger(ctx)
	if err != nil {
		h.Close()
		return nil, nil, err
	}
	return h, l, nil
}
