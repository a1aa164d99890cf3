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
	"strconv"
	"strings"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants"
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
	dir, err := os.MkdirTemp("/tmp", "wkb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b := &creation{dir: dir, codebases: codebases, n: *n, version: "1.43"}
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
		return (&flooding{creation: b, rounds: max(*rounds, 1)}).run(ctx)
	case "map":
		return (&mapping{rendering: &rendering{creation: b}}).run(ctx)
	case "page":
		return (&paging{creation: b, rounds: max(*rounds, 1)}).run(ctx)
	case "render":
		return (&rendering{creation: b}).run(ctx)
	}
	return b.run(ctx)
}

// creation measures the creation of n wikis, in several ways, all on equally started,
// empty servers.
type creation struct {
	dir, codebases string
	n              int
	version        string // of MediaWiki, in the definitions
	wikictl        string
}

// emptyFarm writes a farm without tenants below the bench's folder.
func (b *creation) emptyFarm() (*demo.Demo, error) {
	d, err := demo.OpenDemo(filepath.Join(b.dir, "farm"))
	if err != nil {
		return nil, err
	}
	return d, d.WriteFarm(b.codebases)
}

// row is one line of the table.
type row struct {
	way     string
	seconds float64
}

func (b *creation) run(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
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

func (b *creation) build(ctx context.Context) error {
	b.wikictl = filepath.Join(b.dir, "wikictl")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.wikictl, "./cmd/wikictl")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build wikictl: %w: %s", err, out)
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
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script(p.Socket))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return row{}, fmt.Errorf("%s: %w: %s", name, err, tail(out))
	}
	r := row{name, time.Since(start).Seconds()}
	fmt.Fprintf(os.Stderr, "testbed: %s: %.2f s\n", r.way, r.seconds)
	return r, nil
}

func tail(out []byte) string { return string(out[max(0, len(out)-500):]) }

// each returns a shell command that runs a line for the numbers 1 to n, p at once; {} is
// the number.
func (b *creation) each(p int, line string) string {
	return fmt.Sprintf("seq %d | xargs -P%d -I{} sh -c '%s >/dev/null'", b.n, p, line)
}

func (b *creation) install(socket string, p int) string {
	return b.each(p, fmt.Sprintf("mkdir -p c{} && php %s/1.43/maintenance/install.php --confpath=c{} --dbserver=localhost:%s --dbname=w{} --dbuser=root --installdbuser=root --server=http://x.localhost --scriptpath= --pass=long-password-12 Wiki Admin", b.codebases, socket))
}

func (b *creation) load(socket string, p int) string {
	mysql := "mariadb --no-defaults --socket=" + socket
	return b.each(p, mysql+" -e \"CREATE DATABASE w{}\" && "+mysql+" w{} < "+b.schema())
}

// schema returns the file that the floor loads.
func (b *creation) schema() string { return filepath.Join(b.dir, "schema.sql") }

// dump dumps the schema of one installed wiki, which the floor loads.
func (b *creation) dump(ctx context.Context) error {
	_, err := b.way(ctx, "dump the schema", func(socket string) string {
		one := *b
		one.n = 1
		return one.install(socket, 1) + "\nmariadb-dump --no-defaults --socket=" + socket + " w1 > " + b.schema()
	})
	return err
}

// own times wikictl create --all without the golden, which is made once per codebase.
func (b *creation) own(ctx context.Context) (row, error) {
	d, err := b.emptyFarm()
	if err != nil {
		return row{}, err
	}
	if err := b.tenants(d.Dir, 0, 1); err != nil {
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

// serve starts a farm's web server and creates its wikis. stop ends both servers.
func (b *creation) serve(ctx context.Context, d *demo.Demo) (stop func(), err error) {
	if err := d.Web.Start(ctx); err != nil {
		return nil, err
	}
	stop = func() {
		mariadb.PrivateOf(&tenants.Server{Name: "main"}, tenants.Layout{State: filepath.Join(d.Dir, "state")}).Stop(context.WithoutCancel(ctx))
		d.Web.Stop(context.WithoutCancel(ctx))
	}
	if _, err := b.create(ctx, d.Dir); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// tenants replaces the demo's tenants by n definitions, numbered from first.
func (b *creation) tenants(dir string, first, n int) error {
	if first == 0 {
		if err := os.RemoveAll(filepath.Join(dir, "tenants")); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, "tenants"), 0o755); err != nil {
			return err
		}
	}
	for i := first; i < first+n; i++ {
		name := "w" + strconv.Itoa(i)
		text := fmt.Sprintf("name = %q\nhosts = [%q]\nsitename = \"Wiki %d\"\ncodebase = %q\nskins = [\"Vector\"]\n", name, name+".localhost", i, b.version)
		if err := os.WriteFile(filepath.Join(dir, "tenants", name+".toml"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (b *creation) create(ctx context.Context, dir string) (float64, error) {
	start := time.Now()
	cmd := exec.CommandContext(ctx, b.wikictl, "--farm", dir, "create", "--all")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("wikictl create --all: %w: %s", err, strings.TrimSpace(tail(out)))
	}
	seconds := time.Since(start).Seconds()
	fmt.Fprintf(os.Stderr, "testbed: wikictl create --all: %.2f s\n", seconds)
	return seconds, nil
}
