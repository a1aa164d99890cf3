package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/wiki"
)

// upgrading measures how long it takes to move n wikis from 1.39 to 1.43, and to
// run the updater where nothing is to do, in several ways. Each begins with the
// same state folder, copied back.
type upgrading struct {
	*creation
	jobs   int // at once by wikictl; 0: its default
	demo   *demo.Demo
	server mariadb.Private
	copies int // of the state folder
}

// cost is one line of the table.
type cost struct {
	way         string
	wall        float64 // seconds
	php, server float64 // CPU seconds of everything that was started, and of mariadbd
}

func (b *upgrading) run(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.stop(context.WithoutCancel(ctx))
	if err := b.table(ctx, "1.39 to 1.43", false); err != nil {
		return err
	}
	if _, err := b.wikictlWay(ctx, "wikictl upgrade", "upgrade", "--all"); err != nil {
		return err
	}
	if err := b.keep(ctx); err != nil {
		return err
	}
	return b.table(ctx, "nothing to do, forced", true)
}

// prepare makes the wikis on 1.39 and then wants 1.43.
func (b *upgrading) prepare(ctx context.Context) (err error) {
	if b.demo, err = demo.OpenDemo(filepath.Join(b.dir, "farm")); err != nil {
		return err
	}
	if err := b.demo.WriteFarm(b.codebases); err != nil {
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
	b.version = "1.43"
	if err := b.tenants(b.demo.Dir, 0, b.n); err != nil {
		return err
	}
	return b.keep(ctx)
}

// visit reads a page of each wiki: for the first one in a wiki's life MediaWiki
// starts other programs, to tell this machine from others.
func (b *upgrading) visit(ctx context.Context) error {
	f, err := tenants.Load(b.demo.Dir)
	if err != nil {
		return err
	}
	for _, t := range f.Tenants {
		if err := wiki.Served(ctx, f.Web.Probe, t.Hosts[0], "Main_Page", t.Codebase.Version); err != nil {
			return err
		}
	}
	return nil
}

func (b *upgrading) stop(ctx context.Context) {
	b.demo.Web.Stop(ctx)
	b.server.Stop(ctx)
}

// keep copies the state folder away; back copies it back.
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
	// What is there stays until the end: ext4 without a journal passes over the inodes
	// of files deleted in the last minutes, and whoever came last would be slowest.
	b.copies++
	if err := os.Rename(to, filepath.Join(b.dir, fmt.Sprint("old", b.copies))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The copy is on the disk before the clock starts.
	if out, err := exec.CommandContext(ctx, "sh", "-c", `cp -a "$0" "$1" && sync`, from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the farm's state: %w: %s", err, out)
	}
	return nil
}

// table runs every way from the same start and prints what each took.
func (b *upgrading) table(ctx context.Context, what string, forced bool) error {
	costs := make([]cost, 0, 5)
	add := func(c cost, err error) error {
		costs = append(costs, c)
		return err
	}
	if err := add(b.shell(ctx, "update.php, one after the other", 1)); err != nil {
		return err
	}
	var best cost
	for _, p := range parallel {
		c, err := b.shell(ctx, fmt.Sprintf("update.php by xargs -P%d", p), p)
		if err != nil {
			return err
		}
		if best.way == "" || c.wall < best.wall {
			best = c
		}
	}
	args := []string{"upgrade", "--all"}
	if b.jobs > 0 {
		args = append(args, "--jobs", strconv.Itoa(b.jobs))
	}
	if forced {
		args = append(args, "--force")
	}
	err1 := add(best, nil)
	err2 := add(b.wikictlWay(ctx, "wikictl upgrade", args...))
	err3 := add(b.wikictlWay(ctx, "wikictl upgrade --backup none", append(args, "--backup", "none")...))
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return err
		}
	}
	own := costs[len(costs)-1]
	fmt.Printf("%d wikis, %s\n%-36s %9s %9s %8s %9s %9s\n", b.n, what, "way", "seconds", "a wiki", "ratio", "PHP CPU", "DB CPU")
	for _, c := range costs {
		fmt.Printf("%-36s %9.2f %9.3f %8.2f %9.1f %9.1f\n", c.way, c.wall, c.wall/float64(b.n), c.wall/own.wall, c.php, c.server)
	}
	return nil
}

// shell runs MediaWiki's updater on every wiki, p at once, as people do it now.
func (b *upgrading) shell(ctx context.Context, way string, p int) (cost, error) {
	script := filepath.Join(b.codebases, "1.43/maintenance/update.php")
	line := fmt.Sprintf("MW_CONFIG_FILE=%s/state/wikis/w{}/current/LocalSettings.php php %s --quick --dbuser=root --dbpass= ", b.demo.Dir, script)
	return b.measure(ctx, way, "bash", "-euo", "pipefail", "-c", fmt.Sprintf("seq 0 %d | xargs -P%d -I{} sh -c '%s >/dev/null'", b.n-1, p, line))
}

func (b *upgrading) wikictlWay(ctx context.Context, way string, args ...string) (cost, error) {
	return b.measure(ctx, way, b.wikictl, append([]string{"--farm", b.demo.Dir}, args...)...)
}

func (b *upgrading) measure(ctx context.Context, way string, name string, args ...string) (c cost, err error) {
	if err := b.back(ctx); err != nil {
		return c, err
	}
	pid, err := b.server.Pid()
	if err != nil {
		return c, err
	}
	before, err := cpuOf(pid)
	if err != nil {
		return c, err
	}
	start := time.Now()
	cmd := exec.CommandContext(ctx, name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return c, fmt.Errorf("%s: %w: %s", way, err, tail(out))
	}
	c = cost{way: way, wall: time.Since(start).Seconds(), php: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	after, err := cpuOf(pid)
	c.server = after - before
	fmt.Fprintf(os.Stderr, "testbed: %s: %.2f s\n", way, c.wall)
	return c, err
}

// cpuOf is the CPU time of a process in seconds, from /proc/PID/stat (proc(5)).
func cpuOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	const user, system, ticks = 11, 12, 100 // fields after the name; USER_HZ
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	u, err := strconv.ParseFloat(fields[user], 64)
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseFloat(fields[system], 64)
	return (u + s) / ticks, err
}
