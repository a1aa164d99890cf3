package machine

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// FPM is the configuration of php-fpm on this machine.
type FPM struct {
	Silent     error    // why a connection to web.fpm failed; nil: it was accepted
	Configs    []string // main files: the distribution's, and those of running masters
	Pools      []Pool
	Included   bool     // one of them includes the farm's own pools
	Abrupt     string   // the one that does, if its reload ends requests in progress
	Program    string   // of the version with the farm's pool; empty: unknown
	Extensions []string // loaded by Program, as in php -m
}

// Pool is one pool of php-fpm.
type Pool struct {
	Name, Listen string // Listen is a path or "host:port"
	User         string
	Main         string // the main file that includes it
	File         string
	Line         int
	Children     string // pm.max_children
}

// readFPM reads the php-fpm configuration for a farm.
func readFPM(ctx context.Context, f *tenants.Farm) FPM {
	var m FPM
	network, address := "tcp", f.Web.FPM
	if path, ok := strings.CutPrefix(f.Web.FPM, "unix:"); ok {
		network, address = "unix", path
	}
	m.Silent = dial(ctx, network, address)
	m.Configs = fpmConfigs()
	for _, main := range m.Configs {
		file := readPools(main, f.Layout().Pools())
		m.Pools = append(m.Pools, file.pools...)
		m.Included = m.Included || file.included
		if file.included && !file.waits {
			m.Abrupt = main
		}
	}
	if p := m.at(f.Web.FPM); p != nil {
		if version := debianVersion.FindStringSubmatch(p.Main); version != nil {
			m.Program, m.Extensions = fpmExtensions(ctx, "php-fpm"+version[1])
		}
	}
	return m
}

// at returns the pool that listens at an address in the form of web.fpm, or nil.
func (m FPM) at(address string) *Pool {
	want := strings.TrimPrefix(address, "unix:")
	for i, p := range m.Pools {
		if p.Listen == want || strings.HasPrefix(address, "unix:") && filepath.IsAbs(p.Listen) && resolve(p.Listen) == resolve(want) {
			return &m.Pools[i]
		}
	}
	return nil
}

// debianVersion matches the version in the path of Debian's php-fpm configuration.
var debianVersion = regexp.MustCompile(`^/etc/php/([0-9.]+)/fpm/`)

// fpmExtensions asks php-fpm's program for the loaded extensions.
func fpmExtensions(ctx context.Context, name string) (program string, extensions []string) {
	var out bytes.Buffer
	if _, err := process.Run(ctx, process.Program{Name: name, Args: []string{"-m"}, Env: process.Inherited(), Stdout: &out}); err != nil {
		return "", nil
	}
	return name, strings.Split(strings.TrimSpace(out.String()), "\n")
}

// master matches the title of php-fpm's first process.
var master = regexp.MustCompile(`^php-fpm: master process \((/[^)]+)\)`)

// fpmConfigs returns the main configuration files of php-fpm: those of packages, and
// those of running masters.
func fpmConfigs() []string {
	files, _ := filepath.Glob("/etc/php/*/fpm/php-fpm.conf")
	if _, err := os.Stat("/etc/php-fpm.conf"); err == nil {
		files = append(files, "/etc/php-fpm.conf")
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range processes {
		line, err := os.ReadFile(p)
		if m := master.FindSubmatch(line); err == nil && m != nil {
			files = append(files, string(m[1]))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// fpmFile is the content of a main file of php-fpm.
type fpmFile struct {
	pools    []Pool
	included bool // it includes the farm's own pools
	waits    bool // a reload waits for requests in progress
}

// readPools reads a main file of php-fpm (PHP manual: FPM, Configuration). folder has the farm's
// own pools.
func readPools(main, folder string) (f fpmFile) {
	r := &reader{parse: parsePools, include: []string{"include"}, base: "/", skip: folder}
	if r.file(main, nil) != nil {
		return f
	}
	var pools []Pool
	var p *Pool
	for _, d := range r.found {
		value := strings.Join(d.Args, " ")
		switch {
		case d.Name == "include":
			f.included = f.included || r.matches(value, filepath.Join(folder, "x.conf"))
		case d.Name == "process_control_timeout":
			f.waits = strings.Trim(value, "0smhd") != ""
		case d.Name == "[":
			pools = append(pools, Pool{Name: value, Main: main, File: d.File, Line: d.Line})
			p = &pools[len(pools)-1]
		case p == nil:
		case d.Name == "listen":
			p.Listen = value
		case d.Name == "user":
			p.User = value
		case d.Name == "pm.max_children":
			p.Children = value
		}
	}
	for i := range pools {
		if !strings.ContainsAny(pools[i].Listen, "/:") && pools[i].Listen != "" {
			pools[i].Listen = "127.0.0.1:" + pools[i].Listen
		}
		pools[i].Listen = strings.ReplaceAll(pools[i].Listen, "$pool", pools[i].Name)
	}
	f.pools = slices.DeleteFunc(pools, func(p Pool) bool { return p.Name == "global" })
	return f
}

// parsePools parses lines of KEY = VALUE. A section becomes a directive called "[".
func parsePools(file, text string, _ []string) ([]Directive, error) {
	var all []Directive
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			all = append(all, Directive{Name: "[", Args: []string{strings.TrimSuffix(name, "]")}, File: file, Line: number})
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "#") {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		all = append(all, Directive{Name: strings.TrimSpace(key), Args: []string{value}, File: file, Line: number})
	}
	return all, nil
}

// dialLimit is the time limit for a connection to a server on this machine.
const dialLimit = 2 * time.Second

// dial returns why nothing listens at an address, or nil.
func dial(ctx context.Context, network, address string) error {
	d := net.Dialer{Timeout: dialLimit}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// listens returns why nothing listens at an http or https address, or nil.
func listens(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}
