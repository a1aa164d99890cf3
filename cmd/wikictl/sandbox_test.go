package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// sandbox is this machine once more, in namespaces of its own: what happens to its
// files, processes, ports and name is gone with it, and nobody else sees it. /tmp and
// the network that packages are installed from are this machine's.
type sandbox struct {
	t   *testing.T
	pid int    // of its first process, as this machine counts
	dir string // below /tmp, for files of the test
}

// sandboxSetup lays file systems in memory over those that the distribution's packages
// write to. $1 is the test's folder, and $2 the MediaWiki trees, which an overlay would not
// show where they are mounts.
const sandboxSetup = `set -e
mount --rbind "$2" "$1/code"
mount -t tmpfs -o size=8g,mode=755 tmpfs "$1/over"
for f in etc var usr srv; do
	mkdir "$1/over/$f" "$1/over/$f.work"
	mount -t overlay overlay -o "lowerdir=/$f,upperdir=$1/over/$f,workdir=$1/over/$f.work" "/$f"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
ip link set lo up
hostname farm.example
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d # packages start no service
chmod 755 /usr/sbin/policy-rc.d
echo ready
exec sleep infinity`

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	codebases := needs.Codebases(t)
	needs.Root(t, "making namespaces")
	for _, program := range []string{"unshare", "nsenter", "ip", "apt-get"} {
		needs.Program(t, program)
	}
	dir, err := os.MkdirTemp("/tmp", "wks")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "over"), 0o755), os.Mkdir(filepath.Join(dir, "code"), 0o755)))
	cmd := exec.Command("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc", "bash", "-c", sandboxSetup, "bash", dir, codebases)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill() // and with it, by --kill-child, all that is in there
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		needs.Allowed(t, fmt.Errorf("%w: %s", err, stderr.String()), "making namespaces and overlays")
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
	must(t, err)
	s := &sandbox{t: t, dir: dir}
	if _, err := fmt.Sscan(string(children), &s.pid); err != nil {
		t.Fatalf("%q: %v", children, err)
	}
	self, err := os.Executable()
	must(t, err)
	s.sh(0, "ln -s "+self+" /usr/local/bin/wikictl")
	return s
}

// sh runs a script of bash in the sandbox, in the folder where the one before ended,
// wants an exit code and returns what it printed.
func (s *sandbox) sh(want int, script string) string {
	s.t.Helper()
	out, code := s.try(script, "--net")
	if code != want {
		s.t.Fatalf("exit code %d, want %d, of:\n%s\n%s", code, want, script, out)
	}
	return out
}

// try runs a script, on this machine's network unless "--net" is given, and returns its
// exit code.
func (s *sandbox) try(script string, more ...string) (out string, code int) {
	s.t.Helper()
	const keep = `cd "$(cat "$0/pwd" 2>/dev/null || echo /)"; trap 'pwd > "$0/pwd"' EXIT` + "\n"
	args := append([]string{"--target", fmt.Sprint(s.pid), "--mount", "--pid", "--uts", "--ipc"}, more...)
	cmd := exec.Command("nsenter", append(args, "bash", "-c", keep+script, s.dir)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "GORACE"} {
		if value := os.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	text, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		s.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}
