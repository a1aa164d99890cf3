package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/process"
)

// mapping measures how long nginx takes to check and to reload the virtual hosts of n
// tenants, and in how much memory: a file for each of them, and one with a map.
type mapping struct {
	*rendering
	port int
}

func (b *mapping) run(ctx context.Context) (err error) {
	if b.port, err = demo.FreePort(); err != nil {
		return err
	}
	fmt.Printf("%d tenants\n%-28s %9s %9s %9s %9s %12s\n", b.n, "nginx", "check s", "check MB", "reload s", "all MB", "one more s")
	for _, kind := range []string{"files", "map"} {
		b.farm = filepath.Join(b.dir, kind)
		if err := b.write(kind); err != nil {
			return err
		}
		if err := b.measure(ctx, kind); err != nil {
			return fmt.Errorf("vhosts = %q: %w", kind, err)
		}
	}
	return nil
}

// write writes the farm's definitions, and the configuration of nginx.
func (b *mapping) write(kind string) error {
	if err := b.definitions(); err != nil {
		return err
	}
	web := fmt.Sprintf("[web]\nvhosts = %q\nlisten = [\"127.0.0.1:%d\"]\n", kind, b.port)
	err := edit(filepath.Join(b.farm, tenants.FarmFile), func(text string) string {
		return strings.Replace(text, "[web]\nvhosts = \"map\"\n", web, 1)
	})
	if err != nil {
		return err
	}
	conf := fmt.Sprintf("pid %[1]s/nginx.pid;\nerror_log %[1]s/error.log;\nworker_processes 2;\nevents { worker_connections 512; }\nhttp {\n\taccess_log off;\n\tinclude %[1]s/state/vhosts/*.conf;\n}\n", b.farm)
	if os.Geteuid() == 0 {
		conf = "user root;\n" + conf
	}
	for i := range b.n {
		if err := b.define(i); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(b.farm, "nginx.conf"), []byte(conf), 0o644)
}

// define writes the definition of a tenant.
func (b *mapping) define(i int) error {
	return os.WriteFile(definitionOf(b.farm, tenantName(i)), []byte(tenantText(i)), 0o644)
}

func (b *mapping) nginx(ctx context.Context, args ...string) error {
	words := append([]string{demo.Program("nginx"), "-c", filepath.Join(b.farm, "nginx.conf"), "-e", filepath.Join(b.farm, "error.log")}, args...)
	return succeed(strings.Join(append([]string{"nginx"}, args...), " "), program(ctx, words))
}

// pid returns the process of nginx's master.
func (b *mapping) pid() (int, error) { return pidIn(filepath.Join(b.farm, "nginx.pid")) }

func (b *mapping) measure(ctx context.Context, kind string) error {
	if err := b.apply(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := b.nginx(ctx, "-t", "-q"); err != nil {
		return err
	}
	checked := time.Since(start).Seconds()
	if err := b.nginx(ctx); err != nil {
		return err
	}
	defer func() {
		if pid, err := b.pid(); err == nil {
			_ = process.Signal(pid, syscall.SIGTERM)
		}
	}()
	reload, err := b.reload(ctx)
	if err != nil {
		return err
	}
	peak, memory, err := b.memory()
	if err != nil {
		return err
	}
	more, err := b.oneMore(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%-28s %9.2f %9d %9.2f %9d %12.2f\n", "vhosts = \""+kind+"\"", checked, peak, reload, memory, more)
	return nil
}

// apply writes releases and virtual hosts of all tenants.
func (b *mapping) apply(ctx context.Context) error {
	f, err := definitions.Load(b.farm)
	if err != nil {
		return err
	}
	set, err := templates.Load("")
	if err != nil {
		return err
	}
	f.Web.Check, f.Web.Reload = nil, nil
	d, err := deploy.New(f.Layout(), f.Web)
	if err != nil {
		return err
	}
	source := deploy.Source{Len: len(f.Tenants), At: func(i int) (deploy.Wanted, error) {
		data := templates.Data{Farm: f, Tenant: f.Tenants[i], Codebase: f.Tenants[i].Codebase, Secrets: secretsFor(f.Tenants[i].Name)}
		r, err := set.Render(data)
		return deploy.Want(data, r), err
	}}
	if source.Default, err = set.Default(f); err != nil {
		return err
	}
	_, err = d.Apply(ctx, source)
	return err
}

// reload times the reload of a running nginx, until a new worker answers.
func (b *mapping) reload(ctx context.Context) (float64, error) {
	if err := b.answers(ctx, tenantName(0), nil); err != nil {
		return 0, err
	}
	before, err := b.workers()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	pid, err := b.pid()
	if err == nil {
		err = process.Signal(pid, syscall.SIGHUP)
	}
	if err != nil {
		return 0, err
	}
	err = b.answers(ctx, tenantName(0), func() bool {
		for _, worker := range before {
			if _, err := os.Stat("/proc/" + worker); err == nil {
				return false
			}
		}
		return true
	})
	return time.Since(start).Seconds(), err
}

// oneMore times the addition of a tenant: definitions, files, check, reload, until it answers.
func (b *mapping) oneMore(ctx context.Context) (float64, error) {
	if err := b.define(b.n); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := b.apply(ctx); err != nil {
		return 0, err
	}
	for _, args := range [][]string{{"-t", "-q"}, {"-s", "reload"}} {
		if err := b.nginx(ctx, args...); err != nil {
			return 0, err
		}
	}
	err := b.answers(ctx, tenantName(b.n), nil)
	return time.Since(start).Seconds(), err
}

// answers waits until nginx sends a file of a tenant's code, and of something else.
func (b *mapping) answers(ctx context.Context, tenant string, also func() bool) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		status, _, err := fetch(ctx, client, b.port, tenant+".example.org", "/resources/assets/wiki.png")
		if err == nil && status == http.StatusOK && (also == nil || also()) {
			return nil
		}
	}
	return fmt.Errorf("nginx does not answer for %s", tenant)
}

// workers are the processes of nginx's workers.
func (b *mapping) workers() ([]string, error) {
	pid, err := b.pid()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	return strings.Fields(string(text)), err
}

// memory returns two sizes in MB: the most that nginx's master has held, which is what its
// check needs, and what all of its processes hold together. A check of its own can't be
// asked: Linux counts the memory of the program that started it.
func (b *mapping) memory() (peak, sum int64, err error) {
	workers, err := b.workers()
	if err != nil {
		return 0, 0, err
	}
	pid, err := b.pid()
	if err != nil {
		return 0, 0, err
	}
	master := strconv.Itoa(pid)
	if peak, err = kilobytes(master, "status", "VmHWM:"); err != nil {
		return 0, 0, err
	}
	for _, process := range append(workers, master) {
		held, err := kilobytes(process, "smaps_rollup", "Pss:")
		if err != nil {
			return 0, 0, err
		}
		sum += held
	}
	return peak >> 10, sum >> 10, nil
}

// kilobytes returns a line's number in a file of /proc about a process.
func kilobytes(process, file, line string) (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", process, file))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if fields := strings.Fields(l); len(fields) > 1 && fields[0] == line {
			return strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%s/%s has no line %s", process, file, line)
}
