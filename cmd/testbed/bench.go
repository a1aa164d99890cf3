package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"wikictl/tenants/mariadb"
)

// parallel lists the values of xargs -P to try; the best one counts.
var parallel = []int{2, 4, 8, 16}

func bench(ctx context.Context, codebases string, args []string) error {
	if len(args) > 0 && args[0] == "audit" {
		return benchAudit(ctx, codebases, args[1:])
	}
	if len(args) == 0 || !slices.Contains([]string{"backup", "create", "flood", "map", "page", "render", "run", "upgrade"}, args[0]) {
		return errors.New("usage: bench backup --tenants N, bench create --tenants N, bench upgrade --tenants N, bench upgrade --big, bench render --tenants N, bench run --tenants N, bench flood, bench map --tenants N, bench page, bench audit --tenants N")
	}
	flags := flag.NewFlagSet("bench "+args[0], flag.ContinueOnError)
	n := flags.Int("tenants", 50, "how many wikis")
	rounds := flags.Int("rounds", 3, "how often each way is measured; the medians count")
	only := flags.String("only", "", "a regular expression: measure only the ways to upgrade whose names match it, such as ^wikictl, or '^nothing to do' for the forced ones")
	large := flags.Bool("big", false, "measure the upgrade of one wiki with many rows")
	pages := flags.Int("pages", 100_000, "pages of the wiki of --big; it has three revisions and ten links for each")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	b, remove, err := newBench(ctx, codebases)
	if err != nil {
		return err
	}
	defer remove()
	b.n = *n
	switch args[0] {
	case "upgrade":
		b.version = "1.39"
		if *large {
			b.n = 1
			return (&big{&upgrading{creation: b}, *pages}).run(ctx)
		}
		return (&upgrading{creation: b, rounds: max(*rounds, 1), only: pattern}).run(ctx)
	case "backup":
		return (&backing{&upgrading{creation: b, rounds: max(*rounds, 1), only: pattern, still: true}}).run(ctx)
	case "run":
		return (&scripting{&upgrading{creation: b, rounds: max(*rounds, 1), only: pattern, still: true}}).run(ctx)
	case "flood":
		return (&flooding{serving{creation: b, rounds: max(*rounds, 1)}}).run(ctx)
	case "map":
		return (&mapping{rendering: &rendering{creation: b}}).run(ctx)
	case "page":
		return (&paging{serving{creation: b, rounds: max(*rounds, 1)}}).run(ctx)
	case "render":
		return (&rendering{creation: b}).run(ctx)
	}
	return b.run(ctx)
}

// newBench makes the folder of a bench and builds wikictl in it. remove removes the folder.
func newBench(ctx context.Context, codebases string) (b *creation, remove func(), err error) {
	dir, err := os.MkdirTemp("/tmp", "wkb")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	b = &creation{dir: dir, codebases: codebases, version: "1.43", wikictl: filepath.Join(dir, "wikictl")}
	err = os.Chmod(dir, 0o755) // for php-fpm's workers
	if err == nil {
		err = succeed("build wikictl", exec.CommandContext(ctx, "go", "build", "-o", b.wikictl, "./cmd/wikictl"))
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return b, remove, nil
}

// creation measures the creation of n wikis, in several ways, all on equally started,
// empty servers.
type creation struct {
	dir, codebases string
	n              int
	version        string // of MediaWiki, in the definitions
	wikictl        string
}

// row is one line of the table.
type row struct {
	way     string
	seconds float64
}

func (b *creation) run(ctx context.Context) error {
	serial, err := b.way(ctx, "install.php, one after the other", func(s string) string { return b.install(s, 1) })
	if err != nil {
		return err
	}
	xargs, err := b.best(ctx, "install.php by xargs -P%d", b.install)
	if err != nil {
		return err
	}
	if err := b.dump(ctx); err != nil {
		return err
	}
	floor, err := b.best(ctx, "mariadb < schema by xargs -P%d (the floor)", b.load)
	if err != nil {
		return err
	}
	own, err := b.own(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d wikis of MediaWiki 1.43\n%-48s %9s %9s %8s\n", b.n, "way", "seconds", "a wiki", "ratio")
	for _, r := range []row{serial, xargs, floor, own} {
		fmt.Printf("%-48s %9.2f %9.3f %8.2f\n", r.way, r.seconds, r.seconds/float64(b.n), r.seconds/own.seconds)
	}
	return nil
}

// best tries every P and returns the fastest.
func (b *creation) best(ctx context.Context, format string, script func(socket string, p int) string) (row, error) {
	var best row
	for _, p := range parallel {
		r, err := b.way(ctx, fmt.Sprintf(format, p), func(s string) string { return script(s, p) })
		if err != nil {
			return best, err
		}
		if best.way == "" || r.seconds < best.seconds {
			best = r
		}
	}
	return best, nil
}

// way times a shell script against a new server, in its own folder. The folder stays
// until the end: ext4 without a journal avoids inodes that were freed in the last
// minutes, so deleting it would slow down the next way.
func (b *creation) way(ctx context.Context, name string, script func(socket string) string) (row, error) {
	dir, err := os.MkdirTemp(b.dir, "way")
	if err != nil {
		return row{}, err
	}
	p := mariadb.Private{Folder: filepath.Join(dir, "server"), Socket: filepath.Join(b.dir, "s.sock")}
	if err := p.Start(ctx); err != nil {
		return row{}, err
	}
	defer p.Stop(context.WithoutCancel(ctx))
	start := time.Now()
	cmd := program(ctx, bash(script(p.Socket)))
	cmd.Dir = dir
	if err := succeed(name, cmd); err != nil {
		return row{}, err
	}
	r := row{name, time.Since(start).Seconds()}
	fmt.Fprintf(os.Stderr, "testbed: %s: %.2f s\n", r.way, r.seconds)
	return r, nil
}

func (b *creation) install(socket string, p int) string {
	return b.each(p, plainShell, fmt.Sprintf("mkdir -p c{} && php %s/1.43/maintenance/install.php --confpath=c{} --dbserver=localhost:%s --dbname=w{} --dbuser=root --installdbuser=root --server=http://x.localhost --scriptpath= --pass=long-password-12 Wiki Admin", b.codebases, socket))
}

func (b *creation) load(socket string, p int) string {
	mysql := "mariadb --no-defaults --socket=" + socket
	return b.each(p, plainShell, mysql+" -e \"CREATE DATABASE w{}\" && "+mysql+" w{} < "+b.schema())
}

// schema returns the file that the floor loads.
func (b *creation) schema() string { return filepath.Join(b.dir, "schema.sql") }

// dump dumps the schema of one installed wiki, which the floor loads.
func (b *creation) dump(ctx context.Context) error {
	_, err := b.way(ctx, "dump the schema", func(socket string) string {
		one := *b
		one.n = 1
		return one.install(socket, 1) + "\nmariadb-dump --no-defaults --socket=" + socket + " w0 > " + b.schema()
	})
	return err
}

// own times wikictl create --all without the golden, which is made once per codebase.
func (b *creation) own(ctx context.Context) (row, error) {
	d, err := b.newFarm(1)
	if err != nil {
		return row{}, err
	}
	stop, err := b.serve(ctx, d)
	if err != nil {
		return row{}, err
	}
	defer stop()
	if err := b.tenants(d.Dir, 1, b.n); err != nil {
		return row{}, err
	}
	seconds, err := b.create(ctx, d.Dir)
	return row{"wikictl create --all", seconds}, err
}

// create times wikictl create --all.
func (b *creation) create(ctx context.Context, dir string) (float64, error) {
	start := time.Now()
	if err := succeed("wikictl create --all", program(ctx, b.wikictlOn(dir, "create", "--all"))); err != nil {
		return 0, err
	}
	seconds := time.Since(start).Seconds()
	fmt.Fprintf(os.Stderr, "testbed: wikictl create --all: %.2f s\n", seconds)
	return seconds, nil
}
