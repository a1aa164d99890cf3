// Package demo provides the environment of demos, tests and benchmarks: Debian's
// packages, MediaWiki trees, and private servers that listen on loopback or sockets only.
// It knows nothing of definitions or tenants.
package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// Package is a Debian package and a test for its presence.
type Package struct {
	Name    string
	Program string // searched in PATH and /usr/sbin
	Module  string // of php, searched in php -m
}

// versions are the versions of PHP in Debian's releases, by VERSION_ID of os-release(5).
var versions = map[string]string{"12": "8.2", "13": "8.4"}

// PHP returns the version of PHP of this machine's Debian, such as "8.2".
func PHP() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if id, is := strings.CutPrefix(strings.TrimSpace(line), "VERSION_ID="); is {
			if v := versions[strings.Trim(id, `"`)]; v != "" {
				return v
			}
		}
	}
	return "8.2"
}

// Serving returns the packages that a farm of real wikis requires.
func Serving() []Package { return serving(PHP()) }

// serving returns them for a version of PHP.
func serving(v string) []Package {
	return []Package{
		{"mariadb-server-core", "mariadbd", ""},
		{"mariadb-client-core", "mariadb", ""},
		{"mariadb-client", "mariadb-dump", ""},
		{"nginx-light", "nginx", ""},
		{"php" + v + "-cli", "php" + v, ""},
		{"php" + v + "-fpm", "php-fpm" + v, ""},
		{"php" + v + "-mysql", "", "mysqli"},
		{"php" + v + "-intl", "", "intl"},
		{"php" + v + "-mbstring", "", "mbstring"},
		{"php" + v + "-xml", "", "dom"},
		{"php" + v + "-gmp", "", "gmp"},
		{"php" + v + "-curl", "", "curl"},
		{"php" + v + "-gd", "", "gd"},
		{"php-apcu", "", "apcu"},
		{"debian-archive-keyring", "", ""},
	}
}

// Testing returns the packages that only tests and benchmarks require.
func Testing() []Package { return forTests(PHP()) }

// TestingOn returns those of a Debian release, such as "13".
func TestingOn(release string) []Package { return forTests(versions[release]) }

func forTests(v string) []Package {
	return append(serving(v), Package{"apache2", "apache2", ""}, Package{"chromium", "chromium", ""},
		Package{"zsh", "zsh", ""}, Package{"fish", "fish", ""}, Package{"mandoc", "mandoc", ""}, Package{"zstd", "zstd", ""}, Package{"restic", "restic", ""}, Package{"composer", "composer", ""}, Package{"memcached", "memcached", ""}, Package{"prometheus", "promtool", ""},
		Package{"gcc", "gcc", ""}, Package{"libc6-dev", "", ""}) // for the race detector
}

// Missing returns the packages of list that are not installed.
func Missing(ctx context.Context, list []Package) []Package {
	modules := ""
	var out bytes.Buffer
	if _, err := process.Run(ctx, process.Program{Name: "php" + PHP(), Args: []string{"-m"}, Env: process.Inherited(), Stdout: &out}); err == nil {
		modules = "\n" + strings.ToLower(out.String())
	}
	var missing []Package
	for _, p := range list {
		if p.Program != "" && Program(p.Program) == "" {
			missing = append(missing, p)
		}
		if p.Module != "" && !strings.Contains(modules, "\n"+p.Module+"\n") {
			missing = append(missing, p)
		}
		if p.Program == "" && p.Module == "" && run(ctx, "", "dpkg", "-s", p.Name) != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// Program finds a program in PATH and in Debian's folders for root; "" if it is missing.
func Program(name string) string {
	path, err := process.Find(name)
	if err != nil {
		return ""
	}
	return path
}

// installGrace is how long apt-get may take to end after SIGTERM: a half-unpacked package
// would stay so.
const installGrace = time.Minute

// Install installs packages from Debian with apt-get without starting their services:
// demos and tests use private servers. It first removes the leftovers of a killed
// Install, even if nothing is to be installed.
func Install(ctx context.Context, list []Package, out io.Writer) error {
	if len(list) == 0 {
		return allowServices(policy)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	command := "apt-get install --no-install-recommends " + strings.Join(names, " ")
	if Program("apt-get") == "" {
		return fmt.Errorf("missing packages, and this is not Debian: %s", strings.Join(names, ", "))
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("packages are missing; as root, run: %s", command)
	}
	undo, err := forbidServices(policy)
	if err != nil {
		return err
	}
	defer undo()
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, names...)} {
		_, err := process.Run(ctx, process.Program{
			Name: "apt-get", Args: args, Env: append(process.Inherited(), "DEBIAN_FRONTEND=noninteractive"),
			Stdout: out, Stderr: out, Gentle: true, Grace: installGrace,
		})
		if err != nil {
			return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
		}
	}
	if left := Missing(ctx, list); len(left) > 0 {
		return fmt.Errorf("still missing after %s: %v", command, left)
	}
	return nil
}
