package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// newFarm writes a farm of n wikis below the bench's folder.
func (b *creation) newFarm(n int) (*demo.Demo, error) {
	d, err := demo.OpenDemo(filepath.Join(b.dir, "farm"))
	if err != nil {
		return nil, err
	}
	if err := d.WriteFarm(b.codebases); err != nil {
		return nil, err
	}
	return d, b.tenants(d.Dir, 0, n)
}

// tenants replaces the demo's tenants by n definitions, numbered from first.
func (b *creation) tenants(dir string, first, n int) error {
	if first == 0 {
		if err := os.RemoveAll(filepath.Join(dir, "tenants")); err != nil {
			return err
		}
	}
	for i := first; i < first+n; i++ {
		name := wikiName(i)
		text := fmt.Sprintf("name = %q\nhosts = [%q]\nsitename = \"Wiki %d\"\ncodebase = %q\nskins = [\"Vector\"]\n", name, name+".localhost", i, b.version)
		if err := writeFile(definitionOf(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

func wikiName(i int) string { return "w" + strconv.Itoa(i) }

// definitionOf returns the file that defines a tenant.
func definitionOf(farm, name string) string { return filepath.Join(farm, "tenants", name+".toml") }

// serve starts a farm's web server and creates its wikis. stop ends both servers.
func (b *creation) serve(ctx context.Context, d *demo.Demo) (stop func(), err error) {
	if err := d.Web.Start(ctx); err != nil {
		return nil, err
	}
	stop = func() {
		serverOf(d.Dir).Stop(context.WithoutCancel(ctx))
		d.Web.Stop(context.WithoutCancel(ctx))
	}
	if _, err := b.create(ctx, d.Dir); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// serverOf returns the database server of a farm.
func serverOf(farm string) mariadb.Private {
	return mariadb.PrivateOf(&tenants.Server{Name: "main"}, tenants.Layout{State: filepath.Join(farm, "state")})
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

// secretsFor returns secrets for a wiki that is made without wikictl create.
func secretsFor(name string) secrets.Secrets {
	key := secrets.Secret(strings.Repeat("0", 64-len(name)) + name)
	return secrets.Secrets{WebPassword: key[40:], SchemaPassword: key[40:], SecretKey: key, UpgradeKey: key[48:]}
}

// claim adds a wiki to the ledger, as if it had been created with the code of another tenant.
func claim(ctx context.Context, l *ledger.Ledger, name string, like *tenants.Tenant) error {
	return l.Claim(ctx, ledger.Tenant{
		Name: name, Server: "main", Database: "wiki_" + name, Codebase: like.Codebase.Name, Version: like.Codebase.Version,
		ComponentSet: like.ComponentSet(like.Codebase), State: ledger.Ready, Run: "bench",
	})
}

// writeFile writes a file and makes its folder.
func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// writeFiles writes files, by path below a folder.
func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

// edit replaces the text of a file by what change returns for it.
func edit(path string, change func(string) string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(change(string(text))), 0o644)
}
