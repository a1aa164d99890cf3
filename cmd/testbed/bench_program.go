package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants/mariadb"
)

// succeed runs a program. The error has the end of its output.
func succeed(name string, cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(out))
	}
	return nil
}

func tail(out []byte) string { return strings.TrimSpace(string(out[max(0, len(out)-500):])) }

// wikictlOn returns a call of the program for a farm.
func (b *creation) wikictlOn(farm string, args ...string) []string {
	return append([]string{b.wikictl, "--farm", farm}, args...)
}

// bash returns the call of a script that ends at the first failure.
func bash(script string) []string { return []string{"bash", "-euo", "pipefail", "-c", script} }

func program(ctx context.Context, words []string) *exec.Cmd {
	return exec.CommandContext(ctx, words[0], words[1:]...)
}

// Shells for each, which differ in whether a failure within a pipe is noticed.
const (
	plainShell  = "sh -c"
	strictShell = "bash -euo pipefail -c"
)

// each returns a script that runs a line for every wiki, p at once; {} is the wiki's number.
func (b *creation) each(p int, shell, line string) string {
	return fmt.Sprintf("seq 0 %d | xargs -P%d -I{} %s '%s >/dev/null'", b.n-1, p, shell, line)
}

// printCostHead prints the head of a table whose lines are those of printCost.
func printCostHead(title string) {
	fmt.Printf("%-36s %9s %9s %9s\n", title, "seconds", "CPU", "peak MB")
}

// printCost prints the time, the CPU time and the memory of a program that ended.
func printCost(name string, seconds float64, state *os.ProcessState) {
	fmt.Printf("%-36s %9.2f %9.2f %9d\n", name, seconds, cpuTime(state), state.SysUsage().(*syscall.Rusage).Maxrss>>10)
}

// cpuTime returns the CPU time of a program that ended, in seconds.
func cpuTime(state *os.ProcessState) float64 {
	return (state.UserTime() + state.SystemTime()).Seconds()
}

// meter runs wikictl once, prints its time and memory, and returns its output. That it found
// something, exit code 1, is no failure. This process stays small: a child's peak memory starts
// with its parent's (getrusage(2)).
func (b *creation) meter(ctx context.Context, farm, name string, args ...string) (string, error) {
	cmd := program(ctx, b.wikictlOn(farm, args...))
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	start := time.Now()
	err := cmd.Run()
	seconds := time.Since(start).Seconds()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return "", fmt.Errorf("%s: %w: %s", name, err, tail(stderr.Bytes()))
	}
	printCost(name, seconds, cmd.ProcessState)
	return out.String(), nil
}

// sql runs statements in a database and returns their output, one row per line, columns
// separated by tabs.
func sql(ctx context.Context, server mariadb.Private, database, statements string) (string, error) {
	cmd := exec.CommandContext(ctx, "mariadb", "--no-defaults", "--socket="+server.Socket, "-N", "--binary-mode", "--default-character-set=utf8mb4", database)
	cmd.Stdin = strings.NewReader(statements)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("mariadb: %w: %s", err, stderr.String())
	}
	return string(out), nil
}

// serving is what benches have that request pages.
type serving struct {
	*creation
	demo   *demo.Demo
	rounds int
}

// restart starts the web server and php-fpm anew.
func (b *serving) restart(ctx context.Context) error {
	if err := b.demo.Web.Stop(ctx); err != nil {
		return err
	}
	return b.demo.Web.Start(ctx)
}

// get requests a path of a wiki.
func (b *serving) get(ctx context.Context, client *http.Client, wiki, path string) (status int, body []byte, err error) {
	return fetch(ctx, client, b.demo.Web.Port, wiki+".localhost", path)
}

// fetch requests a path of a host from a web server on loopback.
func fetch(ctx context.Context, client *http.Client, port int, host, path string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil)
	if err != nil {
		return 0, nil, err
	}
	request.Host = host
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
