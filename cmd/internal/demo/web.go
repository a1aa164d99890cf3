package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"wikictl/php"
	"wikictl/tenants/process"
)

// Web is a private nginx and php-fpm below one folder.
type Web struct {
	Dir    string // short, as it contains sockets
	Port   int    // on 127.0.0.1
	Vhosts string // folder of *.conf that nginx includes
	Pools  string // folder of *.conf that php-fpm includes; empty: none
}

// given has the ports that FreePort returned.
var given sync.Map

// FreePort returns a port of 127.0.0.1 at which nothing listens, and which it did not return
// before: a web server takes its port only with the first virtual host. It is below the ports that
// connections get (ip(7), ip_local_port_range).
func FreePort() (int, error) {
	var failed error
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if _, twice := given.LoadOrStore(port, true); twice {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		failed = err
	}
	return 0, fmt.Errorf("no port from 20000 to 31999 is free: %w", failed)
}

// Worker returns the user of php-fpm's and nginx's workers; "" for the user who starts
// them.
func Worker() string {
	if os.Geteuid() != 0 {
		return ""
	}
	if _, err := user.Lookup("www-data"); err == nil {
		return "www-data"
	}
	return "nobody"
}

// FPM returns php-fpm's address in the form of nginx's fastcgi_pass.
func (w Web) FPM() string { return "unix:" + filepath.Join(w.Dir, "fpm.sock") }

// Check and Reload return the commands for the farm's file.
func (w Web) Check() []string  { return w.nginx("-t", "-q") }
func (w Web) Reload() []string { return w.nginx("-s", "reload") }

func (w Web) nginx(args ...string) []string {
	return append([]string{Program("nginx"), "-e", w.file("nginx-error.log"), "-c", w.file("nginx.conf")}, args...)
}

func (w Web) file(name string) string { return filepath.Join(w.Dir, name) }

const nginxConf = `# Written by wikictl for a private nginx.
%spid %[2]s/nginx.pid;
error_log %[2]s/nginx-error.log warn;
worker_processes 2;
events { worker_connections 512; }
http {
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	access_log off;
	sendfile on;
	client_body_temp_path %[2]s/tmp/body;
	fastcgi_temp_path %[2]s/tmp/fastcgi;
	proxy_temp_path %[2]s/tmp/proxy;
	uwsgi_temp_path %[2]s/tmp/uwsgi;
	scgi_temp_path %[2]s/tmp/scgi;
	include %[3]s/*.conf;
}
`

const fpmConf = `; Written by wikictl for a private php-fpm.
[global]
pid = %[1]s/fpm.pid
error_log = %[1]s/fpm-error.log
process_control_timeout = 10s
[www]
listen = %[1]s/fpm.sock
%[2]spm = static
pm.max_children = %[3]d
request_terminate_timeout = 120
php_admin_value[memory_limit] = 256M
`

// fpmOptions returns the options of php-fpm's master: opcache's shared memory is
// allocated before a pool's settings are read.
func fpmOptions() []string {
	return []string{"-d", "opcache.memory_consumption=256", "-d", "opcache.max_accelerated_files=30000"}
}

// configure writes the two configuration files.
func (w Web) configure() error {
	nginxUser, fpmUser := "", ""
	if u := Worker(); u != "" {
		nginxUser = "user " + u + ";\n"
		fpmUser = fmt.Sprintf("user = %s\ngroup = %[1]s\nlisten.owner = %[1]s\n", u)
	}
	folders := []string{w.Dir, w.file("tmp"), w.Vhosts}
	if w.Pools != "" {
		folders = append(folders, w.Pools)
	}
	for _, dir := range folders {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	pools := ""
	if w.Pools != "" {
		pools = "include = " + filepath.Join(w.Pools, "*.conf") + "\n"
	}
	return errors.Join(
		os.WriteFile(w.file("nginx.conf"), fmt.Appendf(nil, nginxConf, nginxUser, w.Dir, w.Vhosts), 0o644),
		os.WriteFile(w.file("fpm.conf"), fmt.Appendf(nil, fpmConf+"%[4]s", w.Dir, fpmUser, children(runtime.NumCPU()), pools), 0o644),
	)
}

// children returns the number of processes of a private php-fpm: a few per core, as each
// waits for MariaDB part of its time.
func children(cores int) int { return min(3*max(cores, 2), 24) }

// Start starts the servers unless they run. They outlive this process.
func (w Web) Start(ctx context.Context) error {
	if err := w.configure(); err != nil {
		return err
	}
	if _, runs := w.pid("fpm.pid", "php-fpm"); !runs {
		if err := daemon(ctx, []string{php.HugePages}, "php-fpm"+PHP(), append(fpmOptions(), "--daemonize", "--fpm-config", w.file("fpm.conf"))...); err != nil {
			return err
		}
	}
	if _, runs := w.pid("nginx.pid", "nginx"); !runs {
		return daemon(ctx, nil, w.nginx()[0], w.nginx()[1:]...)
	}
	return nil
}

// daemon starts a program that outlives this process.
func daemon(ctx context.Context, variables []string, name string, args ...string) error {
	_, err := process.Run(ctx, process.Program{Name: name, Args: args, Env: append(process.Inherited(), variables...), Detached: true})
	if err != nil {
		return fmt.Errorf("start %w", err)
	}
	return nil
}

// pid reads a process id and checks that it is still that program's.
func (w Web) pid(file, program string) (int, bool) {
	text, err := os.ReadFile(w.file(file))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, false
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return pid, err == nil && strings.HasPrefix(string(name), program)
}

// Stop stops both servers and waits for their end.
func (w Web) Stop(ctx context.Context) error {
	for _, s := range []struct{ file, program string }{{"nginx.pid", "nginx"}, {"fpm.pid", "php-fpm"}} {
		pid, runs := w.pid(s.file, s.program)
		if !runs {
			continue
		}
		if err := process.Signal(pid, syscall.SIGTERM); err != nil {
			return fmt.Errorf("stop %s: %w", s.program, err)
		}
		for process.Runs(pid) {
			if err := process.Pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}
