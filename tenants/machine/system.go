package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// worker returns the user of nginx's workers (nginx: user), or "".
func (w WebServer) worker() string {
	for _, d := range w.Directives {
		if w.Kind == "nginx" && d.Name == "user" && d.within() && len(d.Args) > 0 {
			return d.Args[0]
		}
	}
	return ""
}

// person is a user with all of its groups.
type person struct {
	uid    uint32
	groups []uint32
}

func lookup(name string) (person, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return person{}, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return person{}, err
	}
	p := person{uid: uint32(uid)}
	ids, err := u.GroupIds()
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			p.groups = append(p.groups, uint32(n))
		}
	}
	return p, err
}

// stopped returns the first folder on the way to a path that a user may not enter, or the
// path itself if the user may not read it, or "".
func (p person) stopped(path string) (at string, mode os.FileMode) {
	real := resolve(path)
	for i := 1; i <= len(real); i++ {
		if i < len(real) && real[i] != '/' {
			continue
		}
		info, err := os.Stat(real[:i])
		if err != nil {
			return "", 0
		}
		need := os.FileMode(1)
		if !info.IsDir() {
			need = 4
		}
		if !p.may(real[:i], info, need) {
			return real[:i], info.Mode().Perm()
		}
	}
	return "", 0
}

// may reports whether a user may access a file: 4 read, 2 write, 1 enter
// (path_resolution(7)). If an access control list applies, it returns true.
func (p person) may(path string, info os.FileInfo, need os.FileMode) bool {
	if p.uid == 0 || disk.Allows(info, p.uid, p.groups, need) {
		return true
	}
	size, err := unix.Getxattr(path, "system.posix_acl_access", nil)
	return err == nil && size > 0
}

// disks returns the file systems of the state folder and of the databases on this
// machine.
func disks(f *tenants.Farm, facts Facts) []Disk {
	places := [][2]string{{existing(f.State), "state"}}
	for name, s := range facts.Servers {
		local := f.Servers[name].Managed || strings.Contains(f.Servers[name].DSN, "@unix(")
		if s.Err == nil && local && disk.IsFolder(s.Limits.DataFolder) {
			places = append(places, [2]string{s.Limits.DataFolder, "the databases of " + name})
		}
	}
	var found []Disk
	for _, p := range places {
		if s, err := disk.Free(p[0]); err == nil {
			found = append(found, Disk{Path: p[0], What: p[1], Free: s.Bytes, Inodes: s.Files, ReadOnly: s.ReadOnly})
		}
	}
	slices.SortFunc(found, func(a, b Disk) int { return strings.Compare(a.What, b.What) })
	return found
}

// openFiles returns the limit of open files per process.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Max
}

// synchronised reports whether the kernel's clock is synchronised (adjtimex(2),
// TIME_ERROR).
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err != nil || state != unix.TIME_ERROR
}

// Unit is a systemd service that a farm needs.
type Unit struct {
	Name    string
	Enabled bool // it starts at boot
}

// unitState matches the output of systemctl is-enabled for an existing unit.
var unitState = regexp.MustCompile(`^(enabled|enabled-runtime|static|indirect|alias|generated|disabled|masked)$`)

// units asks systemd which of the farm's services start at boot. It omits unknown ones.
func units(ctx context.Context, facts Facts) []Unit {
	if !facts.Systemd {
		return nil
	}
	var found []Unit
	for _, name := range services(facts) {
		var out bytes.Buffer
		_, _ = process.Run(ctx, process.Program{Name: "systemctl", Args: []string{"is-enabled", name}, Env: process.Inherited(), Stdout: &out, Stderr: &bytes.Buffer{}})
		state := strings.TrimSpace(out.String())
		if unitState.MatchString(state) {
			found = append(found, Unit{name, state != "disabled" && state != "masked"})
		}
	}
	return found
}

// services returns the distribution's service names for a farm.
func services(facts Facts) []string {
	var names []string
	if facts.Web.System() {
		names = append(names, filepath.Base(filepath.Dir(facts.Web.Config)))
	}
	if facts.FPM.Program != "" {
		names = append(names, serviceOf(facts.FPM.Program))
	}
	for _, s := range facts.Servers {
		if s.Err == nil && strings.HasPrefix(s.Limits.DataFolder, "/var/lib/mysql") {
			names = append(names, "mariadb")
			break
		}
	}
	return names
}

// serviceOf returns the service of a php-fpm program: Debian has php8.2-fpm for
// php-fpm8.2.
func serviceOf(program string) string {
	return fmt.Sprintf("php%s-fpm", strings.TrimPrefix(program, "php-fpm"))
}
