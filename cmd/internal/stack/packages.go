// Package stack is the ground that demos, tests and benchmarks stand on: Debian's
// packages, MediaWiki trees, and private servers that listen on loopback or
// sockets only. It knows nothing of definitions or tenants.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is one of Debian's packages and how to see that it is there.
type Package struct {
	Name    string
	Program string // looked for in PATH and /usr/sbin
	Module  string // of php, looked for by php -m
}

// Serving are the packages that a farm of real wikis runs on.
func Serving() []Package {
	return []Package{
		{"mariadb-server-core", "mariadbd", ""},
		{"mariadb-client-core", "mariadb", ""},
		{"mariadb-client", "mariadb-dump", ""},
		{"nginx-light", "nginx", ""},
		{"php8.2-cli", "php8.2", ""},
		{"php8.2-fpm", "php-fpm8.2", ""},
		{"php8.2-mysql", "", "mysqli"},
		{"php8.2-intl", "", "intl"},
		{"php8.2-mbstring", "", "mbstring"},
		{"php8.2-xml", "", "dom"},
		{"php8.2-gmp", "", "gmp"},
		{"php8.2-curl", "", "curl"},
		{"php8.2-gd", "", "gd"},
		{"php-apcu", "", "apcu"},
		{"debian-archive-keyring", "", ""},
	}
}

// Testing are the packages that only tests and benchmarks need.
func Testing() []Package {
	return append(Serving(), Package{"apache2", "apache2", ""}, Package{"chromium", "chromium", ""})
}

// Missing are the packages of list that are not there.
func Missing(ctx context.Context, list []Package) []Package {
	modules := ""
	if out, err := exec.CommandContext(ctx, "php8.2", "-m").Output(); err == nil {
		modules = "\n" + strings.ToLower(string(out))
	}
	var missing []Package
	for _, p := range list {
		if p.Program != "" && Program(p.Program) == "" {
			missing = append(missing, p)
		}
		if p.Module != "" && !strings.Contains(modules, "\n"+p.Module+"\n") {
			missing = append(missing, p)
		}
		if p.Program == "" && p.Module == "" && exec.CommandContext(ctx, "dpkg", "-s", p.Name).Run() != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// Program finds a program, also where Debian keeps those of root; "" when it is
// not there.
func Program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return ""
}

// Install installs packages from Debian by apt-get. No service is started: the
// servers of demos and tests are private ones.
func Install(ctx context.Context, list []Package, out io.Writer) error {
	if len(list) == 0 {
		return nil
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	command := "apt-get install --no-install-recommends " + strings.Join(names, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("these are missing and this is no Debian: %s", strings.Join(names, ", "))
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("packages are missing; as root, run: %s", command)
	}
	undo, err := forbidServices()
	if err != nil {
		return err
	}
	defer undo()
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, names...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
		}
	}
	if left := Missing(ctx, list); len(left) > 0 {
		return fmt.Errorf("still missing after %s: %v", command, left)
	}
	return nil
}

// policy is Debian's switch for services that packages start, policy-rc.d(8)
// of invoke-rc.d.
const policy = "/usr/sbin/policy-rc.d"

// forbidServices keeps packages from starting services until undo is called. A
// policy that the administrator has is left as it is.
func forbidServices() (undo func(), err error) {
	err = func() error {
		f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		_, err = f.WriteString("#!/bin/sh\nexit 101\n")
		return errors.Join(err, f.Close())
	}()
	if errors.Is(err, os.ErrExist) {
		return func() {}, nil
	}
	return func() { os.Remove(policy) }, err
}
