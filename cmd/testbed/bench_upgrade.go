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

func (b *upgrading) run(ctx context.Context) error { return b.onWikis(ctx, nil, b.compare) }

func (b *upgrading) compare(ctx context.Context) error {
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
func (b *upgrading) updaters() []way { return b.scripts("update.php", b.updater()) }

// updater returns the line that runs MediaWiki's updater on a wiki.
func (b *upgrading) updater() string {
	script := filepath.Join(b.codebases, "1.43/maintenance/update.php")
	return fmt.Sprintf("MW_CONFIG_FILE=%s/state/wikis/w{}/current/LocalSettings.php php %s --quick --dbuser=root --dbpass= ", b.demo.Dir, script)
}

// scripts returns the ways that run a line for every wiki without wikictl: one after the other,
// and by xargs.
func (b *upgrading) scripts(name, line string) []way {
	return append([]way{b.loop(name, line)}, b.xargs(name, plainShell, line)...)
}

func (b *upgrading) loop(name, line string) way {
	return way{name + oneByOne, bash(b.each(1, plainShell, line))}
}

// xargs returns the ways that run a line for every wiki with several processes at once.
func (b *upgrading) xargs(name, shell, line string) (ways []way) {
	for _, p := range parallel {
		ways = append(ways, way{fmt.Sprint(name, byXargs, p), bash(b.each(p, shell, line))})
	}
	return ways
}

// wikictlWay returns the way that upgrades all wikis with wikictl.
func (b *upgrading) wikictlWay(name string, flags ...string) way {
	return way{name, b.wikictlOn(b.demo.Dir, append([]string{"upgrade", "--all"}, flags...)...)}
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

// onWikis creates the wikis on 1.39, fills them by fill, which may be nil, sets 1.43 in the
// definitions, and calls do.
func (b *upgrading) onWikis(ctx context.Context, fill, do func(context.Context) error) (err error) {
	if b.demo, err = b.newFarm(b.n); err != nil {
		return err
	}
	b.server = serverOf(b.demo.Dir)
	stop, err := b.serve(ctx, b.demo)
	if err != nil {
		return err
	}
	defer stop()
	if err := b.visit(ctx); err != nil {
		return err
	}
	if fill != nil {
		if err := fill(ctx); err != nil {
			return err
		}
	}
	b.version = "1.43"
	if err := b.tenants(b.demo.Dir, 0, b.n); err != nil {
		return err
	}
	if !b.still {
		if err := b.keep(ctx); err != nil {
			return err
		}
	}
	return do(ctx)
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
	return succeed("copy the farm's state", exec.CommandContext(ctx, "sh", "-c", `cp -a "$0" "$1" && sync`, from, to))
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
	cmd := asGroup(program(ctx, w.command))
	if err := succeed(w.name, cmd); err != nil {
		return c, err
	}
	c = cost{wall: time.Since(start).Seconds(), php: cpuTime(cmd.ProcessState)}
	after, err := read()
	c.server, c.fpm = after[0]-before[0], after[1]-before[1]
	fmt.Fprintf(os.Stderr, "testbed: %s: %.2f s; CPU: PHP %.1f, MariaDB %.1f, php-fpm %.1f s\n", w.name, c.wall, c.php, c.server, c.fpm)
	return c, err
}
