// Command testbed installs and starts what the project's own tests and
// benchmarks need, and runs them:
//
//	go run ./cmd/testbed go test ./...
//	go run ./cmd/testbed --debian 13 go test ./...
//	go run ./cmd/testbed bench create --tenants 50
//	go run ./cmd/testbed bench render --tenants 10000
//	go run ./cmd/testbed bench upgrade --tenants 50
//	go run ./cmd/testbed bench upgrade --big
//	go run ./cmd/testbed bench run --tenants 100
//	go run ./cmd/testbed bench flood
//	go run ./cmd/testbed bench map --tenants 10000
//	go run ./cmd/testbed bench page
//	go run ./cmd/testbed bench audit --static --tenants 10000
//	go run ./cmd/testbed bench audit --live --tenants 1000
//	go run ./cmd/testbed soak create --tenants 100 --kills 10
//	go run ./cmd/testbed soak upgrade --tenants 30 --kills 30
//	go run ./cmd/testbed soak faults --tenants 100
//	go run ./cmd/testbed soak model --histories 500
//	go run ./cmd/testbed soak life --histories 20
//	go run ./cmd/testbed soak jobs --tenants 50
//	go run ./cmd/testbed soak equality
//
// Any other words are a command that is run with the environment of the tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if exit, ok := err.(*exec.ExitError); ok { // the exit code of the requested command
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: testbed COMMAND…, such as: go test ./..., or: bench create --tenants 50")
	}
	if args[0] == "--debian" {
		return another(ctx, args[1:])
	}
	codebases, err := prepare(ctx)
	if err != nil {
		return err
	}
	switch args[0] {
	case "bench":
		return bench(ctx, codebases, args[1:])
	case "soak":
		return soak(ctx, codebases, args[1:])
	}
	return command(ctx, codebases, args)
}

// soakTests lists the tests of each soak.
var soakTests = map[string][]string{
	"create": {"TestCreateSurvivesKills"}, "upgrade": {"TestUpgradeSurvivesKills"}, "faults": {"TestFailedUpgradeIsUndone"},
	"model": {"TestModel"}, "life": {"TestLifeSurvivesKills"}, "jobs": {"TestJobsSoak"}, "equality": {"TestUpgradeEqualsUpdatePHP", "TestOldVersion"},
}

// soak runs tests with more wikis, kills or versions of MediaWiki than the test suite.
func soak(ctx context.Context, codebases string, args []string) error {
	usage := errors.New("usage: soak create --tenants N --kills N, soak upgrade --tenants N --kills N --server-kills N, soak faults --tenants N, soak model --histories N --seed N, soak life --histories N --seed N, soak jobs --tenants N, soak equality")
	if len(args) == 0 {
		return usage
	}
	flags := flag.NewFlagSet("soak "+args[0], flag.ContinueOnError)
	wikis := flags.Int("tenants", map[string]int{"create": 100, "upgrade": 30, "faults": 100, "jobs": 50}[args[0]], "how many wikis")
	kills := flags.Int("kills", map[string]int{"create": 10, "upgrade": 30}[args[0]], "how many kills of wikictl")
	server := flags.Int("server-kills", 5, "how many kills of mariadbd, in upgrades")
	histories := flags.Int("histories", map[string]int{"model": 500, "life": 20}[args[0]], "how many commands something happens to (model), or lives of a wiki (life)")
	seed := flags.Uint64("seed", 0, "of the histories, as a run printed it; 0: another one")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	more := map[string][]string{
		"create":  {fmt.Sprint("-wikis=", *wikis), fmt.Sprint("-kills=", *kills)},
		"upgrade": {fmt.Sprint("-upgrade-wikis=", *wikis), fmt.Sprint("-upgrade-kills=", *kills), fmt.Sprint("-server-kills=", *server)},
		"faults":  {fmt.Sprint("-sound-wikis=", *wikis)},
		"model":   {fmt.Sprint("-histories=", *histories), fmt.Sprint("-seed=", *seed)},
		"life":    {fmt.Sprint("-life-histories=", *histories), fmt.Sprint("-life-seed=", *seed)},
		"jobs":    {fmt.Sprint("-jobs-wikis=", *wikis)}, "equality": {"-every-hop"},
	}[args[0]]
	test := soakTests[args[0]]
	if test == nil {
		return usage
	}
	if args[0] == "equality" {
		if err := demo.MoreCodebases(ctx, codebases, say); err != nil {
			return err
		}
	}
	return command(ctx, codebases, append([]string{"go", "test", "./cmd/wikictl", "-count=1", "-timeout=2h", "-v", "-run=^(" + strings.Join(test, "|") + ")$"}, more...))
}

// say prints a line of progress.
func say(text string) { fmt.Fprintln(os.Stderr, "testbed: "+text) }

// prepare installs packages, unpacks MediaWiki into the user's cache folder, and returns
// the folder of the trees.
func prepare(ctx context.Context) (string, error) {
	missing := demo.Missing(ctx, demo.Testing())
	for _, p := range missing {
		say("installing " + p.Name)
	}
	if err := demo.Install(ctx, missing, os.Stderr); err != nil {
		return "", err
	}
	dir, err := cacheFolder()
	if err != nil {
		return "", err
	}
	return dir, demo.Codebases(ctx, dir, say)
}

// cacheFolder returns the folder of the trees, which is kept between runs. php-fpm's
// workers read them, so root's own cache, which only root can enter, is not suitable.
func cacheFolder() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/wikictl", os.MkdirAll("/var/cache/wikictl", 0o755)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "wikictl")
	return dir, os.MkdirAll(dir, 0o755)
}

// atOnce lets a program with the race detector end when its main function has: without it,
// each waits a second for races that happen later, and the tests start wikictl a thousand times.
const atOnce = "GORACE=atexit_sleep_ms=0"

// command runs a command in its own process group, which ends with it, as do servers that a
// test started and left, such as one that ran out of time.
func command(ctx context.Context, codebases string, args []string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	defer endOrphans()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append([]string{atOnce}, os.Environ()...)
	cmd.Env = append(cmd.Env, "WIKICTL_TEST_CODEBASES="+codebases, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := asGroup(cmd).Run()
	if cmd.Process != nil {
		_ = process.SignalGroup(cmd.Process.Pid, syscall.SIGKILL)
	}
	return err
}

// asGroup gives a command a process group of its own, which the end of its context ends.
func asGroup(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return process.SignalGroup(cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// endOrphans ends the processes that became children of this one when their parents ended
// (prctl(2), PR_SET_CHILD_SUBREAPER).
func endOrphans() {
	for range 100 {
		files, _ := filepath.Glob("/proc/self/task/*/children")
		left := 0
		for _, file := range files {
			text, _ := os.ReadFile(file)
			for _, word := range strings.Fields(string(text)) {
				left++
				pid, _ := strconv.Atoi(word)
				if group, err := syscall.Getpgid(pid); err == nil && group != syscall.Getpgrp() {
					_ = process.SignalGroup(group, syscall.SIGKILL)
				}
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
			}
		}
		if left == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
