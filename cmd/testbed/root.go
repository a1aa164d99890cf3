package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/cmd/internal/demo"
	"wikictl/tenants/process"
)

// another runs a command on another Debian release than this machine's: in a root of its own
// that is unpacked from Debian's archive and kept, with the machine's Go, the caches of Go, the
// current folder and the MediaWiki trees in their places. Mounts and processes end with it.
func another(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: testbed --debian 13 COMMAND…, such as: --debian 13 go test ./php")
	}
	suite, known := map[string]string{"12": "bookworm", "13": "trixie"}[args[0]]
	switch {
	case !known:
		return fmt.Errorf("there is no Debian %s here: use 12 or 13", args[0])
	case os.Geteuid() != 0:
		return errors.New("a root of its own needs root: run it as root")
	}
	codebases, err := cacheFolder()
	if err != nil {
		return err
	}
	if err := demo.Install(ctx, demo.Missing(ctx, []demo.Package{{Name: "mmdebstrap", Program: "mmdebstrap"}, {Name: "debian-archive-keyring"}}), os.Stderr); err != nil {
		return err
	}
	if err := demo.Codebases(ctx, codebases, say); err != nil {
		return err
	}
	root := filepath.Join(codebases, "debian-"+args[0])
	if err := unpackRoot(ctx, root, suite, demo.TestingOn(args[0])); err != nil {
		return fmt.Errorf("unpack Debian %s: %w", args[0], err)
	}
	// The root knows neither the proxy nor the certificates that this machine reaches modules by.
	say("fetching the modules of go.mod")
	download := exec.CommandContext(ctx, "go", "mod", "download")
	download.Stderr = os.Stderr
	if err := download.Run(); err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	return inRoot(ctx, root, codebases, args[1:])
}

// unpackRoot makes the root of a Debian release, unless it is there with the same packages. It
// appears when it is complete.
func unpackRoot(ctx context.Context, root, suite string, packages []demo.Package) error {
	names := []string{"ca-certificates", "git", "openssl", "procps"}
	for _, p := range packages {
		names = append(names, p.Name)
	}
	list, note := strings.Join(names, "\n")+"\n", filepath.Join(root, "packages-of-testbed")
	if have, err := os.ReadFile(note); err == nil && string(have) == list {
		return nil
	}
	mirror, err := demo.Mirror(ctx)
	if err != nil {
		return err
	}
	say("unpacking Debian " + suite + " into " + root)
	half := root + ".half"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(root)); err != nil {
		return err
	}
	_, err = process.Run(ctx, process.Program{
		Name: "mmdebstrap", Args: []string{"--variant=minbase", "--format=directory", "--include=" + strings.Join(names, ","), suite, half, mirror},
		Env: process.Inherited(), Stdout: os.Stderr, Stderr: os.Stderr,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(half, "packages-of-testbed"), []byte(list), 0o644); err != nil {
		return err
	}
	return os.Rename(half, root)
}

// enter mounts what a command needs from the machine, and runs it in the root: $0 is the root,
// $1 the folder to run it in, the paths up to -- are mounted, and the rest is the command. The
// root is a mount that becomes /, as a chroot could not make namespaces of its own.
const enter = `set -e
root=$0 dir=$1
shift
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
	mkdir -p "$root$1"
	mount --bind "$1" "$root$1"
	shift
done
shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/php" "$root/run/lock"
cd "$root"
pivot_root . .
umount -l .
exec chroot . sh -c 'cd "$0" && exec "$@"' "$dir" "$@"
`

func inRoot(ctx context.Context, root, codebases string, args []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	mounts := []string{dir}
	for _, version := range []string{"1.39", "1.43"} {
		mounts = append(mounts, filepath.Join(codebases, version))
	}
	environment := []string{"HOME=/root", "LANG=C.UTF-8", "WIKICTL_TEST_CODEBASES=" + codebases, "CI=" + os.Getenv("CI"), "GOFLAGS=" + os.Getenv("GOFLAGS"), atOnce}
	for _, name := range []string{"GOROOT", "GOMODCACHE", "GOCACHE"} {
		value, err := goSays(ctx, name)
		if err != nil {
			return err
		}
		mounts = append(mounts, value)
		environment = append(environment, name+"="+value)
	}
	goroot := mounts[len(mounts)-3]
	environment = append(environment, "PATH="+filepath.Join(goroot, "bin")+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	words := slices.Concat([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter, root, dir}, mounts, []string{"--", "env", "-i"}, environment, args)
	cmd := exec.CommandContext(ctx, "unshare", words...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return asGroup(cmd).Run()
}

// goSays is a variable of the machine's Go.
func goSays(ctx context.Context, name string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", name).Output()
	if err != nil {
		return "", fmt.Errorf("go env %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}
