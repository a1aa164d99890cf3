package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/wiki"
)

// upgrading measures the upgrade of n wikis from 1.39 to 1.43, and the updater without
// work, in several ways. Each starts from a copy of the same state folder.
type upgrading struct {
	*creation
	rounds int
	only   *regexp.Regexp // matches the names of the ways to measure
	demo   *demo.Demo
	server mariadb.Private
	copies int  // of the state folder
	still  bool // what is measured changes nothing: the state folder need not be copied back
}

// way is one way to upgrade all wikis.
type way struct {
	name    string
	command []string
}

// forced names the table of updaters that find no work.
const forced = "nothing to do, forced"

// jobCounts lists values of --jobs that should make no difference.
var jobCounts = []int{4, 8, 16, 32}

func (b *upgrading) run(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	defer b.stop(context.WithoutCancel(ctx)) // even if prepare fails
	if err := b.prepare(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	ways := append(b.updaters(), b.wikictlWay("wikictl upgrade"), b.wikictlWay("wikictl upgrade --backup none", "--backup", "none"),
		b.wikictlWay("wikictl upgrade --no-rehearsal", "--no-rehearsal"))
	for _, n := range jobCounts {
		ways = append(ways, b.wikictlWay(fmt.Sprint("wikictl upgrade --jobs ", n), "--jobs", strconv.Itoa(n)))
	}
	if err := b.table(ctx, "1.39 to 1.43", ways); err != nil {
		return err
	}
	ways = append(b.updaters(), b.wikictlWay("wikictl upgrade --force", "--force"), b.wikictlWay("wikictl upgrade --force --backup none", "--force", "--backup", "none"))
	if !slices.ContainsFunc(ways, func(w way) bool { return b.chosen(forced, w) }) {
		return nil
	}
	if _, err := b.measure(ctx, b.wikictlWay("wikictl upgrade")); err != nil {
		return err
	}
	if err := b.keep(ctx); err != nil {
		return err
	}
	return b.table(ctx, forced, ways)
}

// updaters returns the ways in which people upgrade wikis without wikictl.
func (b *upgrading) updaters() []way {
	all := []way{b.updater("update.php"+oneByOne, 1)}
	for _, p := range parallel {
		all = append(all, b.updater(fmt.Sprint("update.php"+byXargs, p), p))
	}
	return all
}

// updater returns the way that runs MediaWiki's updater on every wiki, p at once.
func (b *upgrading) updater(name string, p int) way {
	script := filepath.Join(b.codebases, "1.43/maintenance/update.php")
	line := fmt.Sprintf("MW_CONFIG_FILE=%s/state/wikis/w{}/current/LocalSettings.php php %s --quick --dbuser=root --dbpass= ", b.demo.Dir, script)
	return way{name, []string{"bash", "-euo", "pipefail", "-c", fmt.Sprintf("seq 0 %d | xargs -P%d -I{} sh -c '%s >/dev/null'", b.n-1, p, line)}}
}

// wikictlWay returns the way that upgrades all wikis with wikictl.
func (b *upgrading) wikictlWay(name string, flags ...string) way {
	return way{name, append([]string{b.wikictl, "--farm", b.demo.Dir, "upgrade", "--all"}, flags...)}
}

// table measures every way once per round, so that other load affects all of them, and
// prints the results. Each round starts with another way.
func (b *upgrading) table(ctx context.Context, what string, ways []way) error {
	ways = slices.DeleteFunc(ways, func(w way) bool { return !b.chosen(what, w) })
	if len(ways) == 0 {
		return nil
	}
	costs := make([][]cost, len(ways))
	for round := range b.rounds {
		for i := range ways {
			i = (i + round*len(ways)/b.rounds) % len(ways)
			c, err := b.measure(ctx, ways[i])
			if err != nil {
				return err
			}
			costs[i] = append(costs[i], c)
		}
	}
	fmt.Printf("%d wikis, %s, medians of %d rounds\n", b.n, what, b.rounds)
	lines := make([]line, len(ways))
	for i, w := range ways {
		lines[i] = summarize(w.name, costs[i])
	}
	printTable(lines, b.n)
	return nil
}

// chosen reports whether --only matches a way: by its name, or by its name behind that of
// its table, as update.php without work has the same name as update.php with work.
func (b *upgrading) chosen(table string, w way) bool {
	return b.only.MatchString(w.name) || b.only.MatchString(table+": "+w.name)
}

// prepare creates the wikis on 1.39, fills them, and then sets 1.43 in the definitions.
func (b *upgrading) prepare(ctx context.Context, fill func(context.Context) error) (err error) {
	if b.demo, err = b.emptyFarm(); err != nil {
		return err
	}
	if err := b.tenants(b.demo.Dir, 0, b.n); err != nil {
		return err
	}
	if err := b.demo.Web.Start(ctx); err != nil {
		return err
	}
	b.server = mariadb.PrivateOf(&tenants.Server{Name: "main"}, tenants.Layout{State: filepath.Join(b.demo.Dir, "state")})
	if _, err := b.create(ctx, b.demo.Dir); err != nil {
		return err
	}
	if err := b.visit(ctx); err != nil {
		return err
	}
	if err := fill(ctx); err != nil {
		return err
	}
	b.version = "1.43"
	if err := b.tenants(b.demo.Dir, 0, b.n); err != nil {
		return err
	}
	if b.still {
		return nil
	}
	return b.keep(ctx)
}

// visit requests a page of each wiki: at the first request in a wiki's life, MediaWiki
// starts other programs to identify the machine.
func (b *upgrading) visit(ctx context.Context) error {
	f, err := definitions.Load(b.demo.Dir)
	if err != nil {
		return err
	}
	for _, t := range f.Tenants {
		if err := wiki.Served(ctx, f.Web.Probe, t.Hosts[0], wiki.SiteInfo{MainPage: "Main Page", Version: t.Codebase.Version}); err != nil {
			return err
		}
	}
	return nil
}

func (b *upgrading) stop(ctx context.Context) {
	if b.demo == nil {
		return
	}
	b.demo.Web.Stop(ctx)
	if b.server.Socket != "" {
		b.server.Stop(ctx)
	}
}

// keep copies the state folder; back restores the copy.
func (b *upgrading) keep(ctx context.Context) error {
	return b.copy(ctx, filepath.Join(b.demo.Dir, "state"), filepath.Join(b.dir, "kept"))
}

func (b *upgrading) back(ctx context.Context) error {
	if err := b.copy(ctx, filepath.Join(b.dir, "kept"), filepath.Join(b.demo.Dir, "state")); err != nil {
		return err
	}
	return b.server.Start(ctx)
}

func (b *upgrading) copy(ctx context.Context, from, to string) error {
	if err := b.server.Stop(ctx); err != nil {
		return err
	}
	// Keep the old copy until the end: ext4 without a journal avoids inodes that were
	// freed in the last minutes, so deleting it would slow down the next way.
	b.copies++
	if err := os.Rename(to, filepath.Join(b.dir, fmt.Sprint("old", b.copies))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Write the copy to disk before the measurement.
	if out, err := exec.CommandContext(ctx, "sh", "-c", `cp -a "$0" "$1" && sync`, from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the farm's state: %w: %s", err, out)
	}
	return nil
}

// measure runs a way from the kept state.
func (b *upgrading) measure(ctx context.Context, w way) (c cost, err error) {
	if !b.still {
		if err := b.back(ctx); err != nil {
			return c, err
		}
	}
	server, err := b.server.Pid()
	if err != nil {
		return c, err
	}
	fpm, err := pidIn(filepath.Join(b.demo.Web.Dir, "fpm.pid"))
	if err != nil {
		return c, err
	}
	read := func() (spent [2]float64, err error) {
		var err1, err2 error
		spent[0], err1 = cpuOf(server)
		spent[1], err2 = cpuOfFamily(fpm)
		return spent, errors.Join(err1, err2)
	}
	before, err := read()
	if err != nil {
		return c, err
	}
	start := time.Now()
	cmd := asGroup(exec.CommandContext(ctx, w.command[0], w.command[1:]...))
	if out, err := cmd.CombinedOutput(); err != nil {
		return c, fmt.Errorf("%s: %w: %s", w.name, err, tail(out))
	}
	c = cost{wall: time.Since(start).Seconds(), php: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	after, err := read()
	c.server, c.fpm = after[0]-before[0], after[1]-before[1]
	fmt.Fprintf(os.Stderr, "testbed: %s: %.2f s; CPU: PHP %.1f, MariaDB %.1f, php-fpm %.1f s\n", w.name, c.wall, c.php, c.server, c.fpm)
	return c, err
}
