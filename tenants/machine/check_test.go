package machine

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// good is a farm, and facts of a machine that has all that it needs.
func good() (*tenants.Farm, Facts) {
	f := farmAt("/farm", "nginx", "80")
	f.Web.User, f.Web.FPM, f.Web.Probe, f.Web.Reload = "www-data", "unix:/run/php/php8.2-fpm.sock", "http://127.0.0.1", []string{"systemctl", "reload", "nginx"}
	f.Web.Check = []string{"nginx", "-t"}
	f.Servers = map[string]*tenants.Server{"main": {Name: "main", DSN: "root@unix(/run/mysqld/mysqld.sock)/"}}
	for _, t := range f.Tenants {
		t.Server = f.Servers["main"]
	}
	f.Codebases = map[string]*tenants.Codebase{"1.43": {Name: "1.43", Path: "/srv/1.43", PHP: "/usr/bin/php", Version: "1.43.9"}}
	extensions := []string{"Core", "mysqli", "apcu", "curl", "gd", "intl", "Zend OPcache"}
	return f, Facts{
		Root: true, Me: "root", Systemd: true, Apt: true, MariaDB: true, Files: 65536, Clock: true, Machine: tenants.Machine{Memory: 4 << 30, Cores: 2},
		Programs: map[string]string{"mariadb": "/usr/bin/mariadb", "nginx": "/usr/sbin/nginx"},
		PHP:      map[string]PHP{"/usr/bin/php": {Platform: php.Platform{Version: "8.2.36", Extensions: extensions}}},
		FPM: FPM{Configs: []string{"/etc/php/8.2/fpm/php-fpm.conf"}, Program: "php-fpm8.2", Extensions: extensions,
			Pools: []Pool{{Name: "www", Listen: "/run/php/php8.2-fpm.sock", User: "www-data", Main: "/etc/php/8.2/fpm/php-fpm.conf", File: "/etc/php/8.2/fpm/pool.d/www.conf", Children: "5"}}},
		Web: WebServer{Kind: "nginx", Program: "nginx", Config: "/etc/nginx/nginx.conf"},
		Servers: map[string]Store{"main": {Version: "10.11.19-MariaDB", Rights: mariadb.Rights{Account: "root@localhost", Privileges: []string{"ALL PRIVILEGES"}, Grants: true},
			Limits: mariadb.Limits{Connections: 151, Packet: 16 << 20, BufferPool: 128 << 20, OpenTables: 2000}}},
		Disks: []Disk{{Path: "/farm", What: "state", Free: 10 << 30, Inodes: 1 << 20}},
		Units: []Unit{{"nginx", true}},
	}
}

// errRefused is the error of a connection to an address on which nothing listens.
var errRefused = fmt.Errorf("dial: %w", syscall.ECONNREFUSED)

// withReplica gives the server a replica.
func withReplica(r mariadb.Replica) func(*tenants.Farm, *Facts) {
	return func(f *tenants.Farm, m *Facts) {
		s := f.Servers["main"]
		replica := &tenants.Server{Name: "main replica db2", DSN: "root@tcp(db2)/", Primary: s, MaxLag: 6}
		s.Replicas = []*tenants.Server{replica}
		m.Replicas = map[*tenants.Server]mariadb.Replica{replica: r}
	}
}

// lacking are machines that lack one thing each, and what is said of them.
var lacking = []struct {
	name   string
	change func(*tenants.Farm, *Facts)
	want   string // check, level and what repairs it; empty: nothing is found
}{
	{"all is well", func(*tenants.Farm, *Facts) {}, ""},
	{"a program", func(_ *tenants.Farm, m *Facts) { m.Programs["mariadb-dump"] = "" }, "programs error apt-get install mariadb-client"},
	{"a program of one's own", func(_ *tenants.Farm, m *Facts) { m.Programs["/opt/check"] = "" }, "programs error install it, or set check and reload in [web] to another"},
	{"no codebase", func(f *tenants.Farm, _ *Facts) { f.Codebases = nil }, "codebases error unpack MediaWiki"},
	{"no PHP", func(f *tenants.Farm, _ *Facts) { f.Codebases["1.43"].PHP = "" }, "php 1.43 error apt-get install php-cli"},
	{"a PHP that does not run", func(_ *tenants.Farm, m *Facts) { m.PHP["/usr/bin/php"] = PHP{Err: errors.New("no")} }, "php 1.43 error set php in [codebases] to a working program"},
	{"a PHP extension", func(_ *tenants.Farm, m *Facts) {
		m.PHP["/usr/bin/php"] = PHP{Platform: php.Platform{Version: "8.2.36", Extensions: []string{"apcu", "curl", "gd", "intl", "Zend OPcache"}}}
	}, "php 1.43 error apt-get install php8.2-mysql"},
	{"a PHP extension that is only good", func(_ *tenants.Farm, m *Facts) {
		m.PHP["/usr/bin/php"] = PHP{Platform: php.Platform{Version: "8.2.36", Extensions: []string{"mysqli", "curl", "gd", "intl"}}}
	}, "php 1.43 warning apt-get install php8.2-apcu php8.2-opcache"},
	{"a PHP extension of php-fpm", func(_ *tenants.Farm, m *Facts) { m.FPM.Extensions = m.FPM.Extensions[2:] }, "php-fpm 1.43 error apt-get install php8.2-mysql"},
	{"php-fpm that does not run", func(_ *tenants.Farm, m *Facts) { m.FPM.Silent = errRefused }, "php-fpm error systemctl start php8.2-fpm"},
	{"php-fpm that does not run, without systemd", func(f *tenants.Farm, m *Facts) {
		m.FPM.Silent, m.Systemd, f.Web.Reload = errRefused, false, nil
	}, "php-fpm error service php8.2-fpm start"},
	{"php-fpm elsewhere", func(f *tenants.Farm, m *Facts) { m.FPM.Silent, f.Web.FPM = errRefused, "unix:/run/php/php-fpm.sock" },
		`php-fpm error set fpm = "unix:/run/php/php8.2-fpm.sock" in [web], where the pool www of /etc/php/8.2/fpm/pool.d/www.conf listens`},
	{"no php-fpm", func(_ *tenants.Farm, m *Facts) { m.FPM = FPM{Silent: errRefused} }, "php-fpm error apt-get install php-fpm"},
	{"another user of php-fpm", func(f *tenants.Farm, _ *Facts) { f.Web.User = "apache" }, `php-fpm-user error set user = "www-data" in [web]`},
	{"no user", func(f *tenants.Farm, _ *Facts) { f.Web.User = "" }, `php-fpm-user error set user = "www-data" in [web]`},
	{"a user that is not there", func(_ *tenants.Farm, m *Facts) { m.UserErr = user.UnknownUserError("x") }, "web-user error set it to the user of php-fpm's workers, such as www-data"},
	{"pools that nothing includes", func(f *tenants.Farm, _ *Facts) { f.Web.Pools = true }, "php-fpm-pools error echo 'include=/farm/state/pools/*.conf' >> /etc/php/8.2/fpm/php-fpm.conf"},
	{"pools", func(f *tenants.Farm, m *Facts) {
		f.Web.Pools, m.FPM.Included, f.Web.Check, f.Web.Reload = true, true, checksPools, reloadsPools
	}, ""},
	{"pools that nothing reloads", func(f *tenants.Farm, m *Facts) { f.Web.Pools, m.FPM.Included, f.Web.Check = true, true, checksPools }, `php-fpm-reloads error such as reload = ["sh", "-c", "systemctl reload php8.2-fpm && systemctl reload nginx"]`},
	{"pools and commands without a program", func(f *tenants.Farm, m *Facts) {
		f.Web.Pools, m.FPM.Included, f.Web.Check, f.Web.Reload = true, true, []string{"sudo"}, []string{"sh", "-c", ""}
	}, ""},
	{"pools that nothing checks", func(f *tenants.Farm, m *Facts) { f.Web.Pools, m.FPM.Included, f.Web.Reload = true, true, reloadsPools }, `php-fpm-check warning such as check = ["sh", "-c", "nginx -t && php-fpm8.2 -t"]`},
	{"pools whose reload ends requests", func(f *tenants.Farm, m *Facts) {
		f.Web.Pools, m.FPM.Included, m.FPM.Abrupt, f.Web.Check, f.Web.Reload = true, true, "/etc/php-fpm.conf", checksPools, reloadsPools
	},
		"php-fpm-reload warning sed -i -e '/^process_control_timeout/d' -e 's/^\\[global\\]/&\\nprocess_control_timeout = 10s/' /etc/php-fpm.conf"},
	{"a web server that does not run", func(_ *tenants.Farm, m *Facts) { m.Probe = errRefused }, "nginx-answers error systemctl start nginx"},
	{"a web server of one's own that does not run", func(_ *tenants.Farm, m *Facts) { m.Probe, m.Web.Config = errRefused, "/opt/nginx.conf" },
		"nginx-answers error start the web server, or set probe in [web] to its address"},
	{"no systemd", func(_ *tenants.Farm, m *Facts) { m.Systemd = false }, `nginx-reload error such as reload = ["service", "nginx", "reload"]`},
	{"no root", func(_ *tenants.Farm, m *Facts) { m.Root, m.Me = false, "jo" }, "root note run wikictl as root"},
	{"a server that does not run", func(_ *tenants.Farm, m *Facts) { m.Servers["main"] = Store{Err: errRefused} }, "server main error systemctl start mariadb"},
	{"no server", func(_ *tenants.Farm, m *Facts) { m.Servers["main"], m.MariaDB = Store{Err: errRefused}, false }, "server main error apt-get install mariadb-server"},
	{"a server that refuses", func(_ *tenants.Farm, m *Facts) { m.Servers["main"] = Store{Err: errors.New("access denied")} }, "server main error correct dsn and password_file"},
	{"a managed server", func(f *tenants.Farm, m *Facts) {
		f.Servers["main"].Managed, m.Servers["main"] = true, Store{Err: errRefused}
	}, "server main note wikictl server start\nunit main note wikictl --farm /farm server start"},
	{"privileges", func(_ *tenants.Farm, m *Facts) {
		s := m.Servers["main"]
		s.Rights = mariadb.Rights{Account: "farm@%", Privileges: []string{"ALL PRIVILEGES"}}
		m.Servers["main"] = s
	}, "server main privileges error mariadb -e 'GRANT USAGE ON *.* TO `farm`@`%` WITH GRANT OPTION'"},
	{"limits of the server", func(_ *tenants.Farm, m *Facts) {
		s := m.Servers["main"]
		s.Limits = mariadb.Limits{Connections: 20, Packet: 1 << 20, BufferPool: 1 << 20, OpenTables: 10, ReadOnly: true, Snapshots: true, Ahead: -time.Minute}
		m.Servers["main"] = s
	}, "server main writes error set [servers.main] to the primary, or read_only to 0\nserver main clock warning synchronise both, such as with systemd-timesyncd\n" +
		"server main innodb_snapshot_isolation warning printf '[mariadbd]\\ninnodb_snapshot_isolation = OFF\\n' > /etc/mysql/mariadb.conf.d/60-wikictl.cnf && mariadb -e 'SET GLOBAL innodb_snapshot_isolation = OFF'\n" +
		"server main max_connections warning max_connections = 45\nserver main max_allowed_packet warning max_allowed_packet = 16777216\n" +
		"server main innodb_buffer_pool_size note innodb_buffer_pool_size = 33554432\nserver main table_open_cache note table_open_cache = 128"},
	{"a good replica", withReplica(mariadb.Replica{Link: mariadb.Link{Source: "db1:3306", SourceID: 7, Running: true, Lag: 6, ReadOnly: true}, Position: mariadb.Position{ID: 7}}), ""},
	{"a replica that is down", withReplica(mariadb.Replica{Err: errRefused}), "replica db2 warning start it, or correct its dsn"},
	{"a replica of another server", withReplica(mariadb.Replica{Link: mariadb.Link{Source: "db3:3306", SourceID: 8, Running: true}, Position: mariadb.Position{ID: 7}}),
		"replica db2 warning SHOW SLAVE STATUS\nreplica db2 writes error SET GLOBAL read_only = 1"},
	{"a replica that stands still", withReplica(mariadb.Replica{Link: mariadb.Link{Source: "db1:3306", ReadOnly: true, Error: "no disk"}}), "replica db2 warning SHOW SLAVE STATUS"},
	{"a replica that is behind", withReplica(mariadb.Replica{Link: mariadb.Link{Source: "db1:3306", SourceID: 7, Running: true, Lag: 7, ReadOnly: true}, Position: mariadb.Position{ID: 7}}),
		"replica db2 warning check its disk"},
	{"a folder that is shut", func(_ *tenants.Farm, m *Facts) {
		m.Barred = []Barred{{"state", "www-data", "/root/state", "/root", 0o700}}
	}, "reach error move it to a folder that all users may enter, such as below /var/lib or /srv, or: chmod o+x /root"},
	{"a full disk", func(_ *tenants.Farm, m *Facts) { m.Disks[0].Free = 1 << 20 }, "disk /farm error free space there"},
	{"a disk that is read-only", func(_ *tenants.Farm, m *Facts) { m.Disks[0].ReadOnly = true }, "disk /farm error read the kernel's messages (dmesg) for the reason, then mount it read-write"},
	{"a disk that is nearly full", func(_ *tenants.Farm, m *Facts) { m.Disks[0].Inodes = 10 }, "disk /farm warning free space there"},
	{"memory, files and clock", func(_ *tenants.Farm, m *Facts) { m.Machine.Memory, m.Files, m.Clock = 512<<20, 256, false },
		"memory warning give the machine 2 GB\nopen-files warning ulimit -n 65536, or LimitNOFILE of the unit\nclock note apt-get install systemd-timesyncd"},
	{"a service that does not start", func(_ *tenants.Farm, m *Facts) { m.Units[0].Enabled = false }, "unit nginx warning systemctl enable nginx"},
}

// Each thing that a machine may lack has its finding, and what repairs it.
func TestCheck(t *testing.T) {
	for _, tc := range lacking {
		f, facts := good()
		tc.change(f, &facts)
		want := strings.Split(tc.want, "\n")
		var got []string
		for _, found := range Check(f, facts) {
			if found.Level > OK {
				got = append(got, found.Check+" "+found.Level.String()+" "+strings.Join(found.Repair, " && ")+found.Hint)
			}
			if found.Level > Note && found.Repair == nil && found.Hint == "" {
				t.Errorf("%s: nothing repairs %+v", tc.name, found)
			}
		}
		ok := len(got) == len(want) || tc.want == "" && len(got) == 0
		for i := range got {
			ok = ok && strings.HasPrefix(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s: %s, want %s", tc.name, strings.Join(got, "\n"), tc.want)
		}
	}
}

func TestReadPools(t *testing.T) {
	dir := files(t, map[string]string{
		"php-fpm.conf":  "[global]\npid = /x ; y\ninclude=DIR/pool.d/*.conf\n",
		"pool.d/a.conf": "; a pool\n[www]\nuser = www-data\nlisten = /run/$pool.sock\npm.max_children = 5\n[b]\nlisten = 9000\n",
	})
	read := readPools(filepath.Join(dir, "php-fpm.conf"), filepath.Join(dir, "state/pools"))
	got := fmt.Sprintf("%+v", read.pools)
	want := fmt.Sprintf("%+v", []Pool{
		{Name: "www", Listen: "/run/www.sock", User: "www-data", Main: filepath.Join(dir, "php-fpm.conf"), File: filepath.Join(dir, "pool.d/a.conf"), Line: 2, Children: "5"},
		{Name: "b", Listen: "127.0.0.1:9000", Main: filepath.Join(dir, "php-fpm.conf"), File: filepath.Join(dir, "pool.d/a.conf"), Line: 6},
	})
	if read.included || got != want {
		t.Errorf("%t %s, want %s", read.included, got, want)
	}
	if !readPools(filepath.Join(dir, "php-fpm.conf"), filepath.Join(dir, "pool.d")).included {
		t.Error("the folder that it includes is not seen")
	}
	for value, waits := range map[string]bool{"": false, ";process_control_timeout = 9": false, "process_control_timeout = 0": false, "process_control_timeout=0s": false, "process_control_timeout = 10s": true, "process_control_timeout = 5": true} {
		file := filepath.Join(files(t, map[string]string{"f.conf": "[global]\n" + value + "\n[www]\n"}), "f.conf")
		if readPools(file, "/").waits != waits {
			t.Errorf("a reload by %q waits: %t", value, !waits)
		}
	}
}

// A user is stopped by the first folder that it may not enter.
func TestStopped(t *testing.T) {
	dir := files(t, map[string]string{"open/shut/in/file": ""})
	for _, name := range []string{dir, filepath.Dir(dir)} { // t.TempDir makes them for its user only
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	stranger := person{uid: 4242, groups: []uint32{4242}}
	path := filepath.Join(dir, "open/shut/in/file")
	if at, _ := stranger.stopped(path); at != "" {
		t.Errorf("stopped by %s", at)
	}
	if err := os.Chmod(filepath.Join(dir, "open/shut"), 0o750); err != nil {
		t.Fatal(err)
	}
	if at, mode := stranger.stopped(path); at != filepath.Join(dir, "open/shut") || mode != 0o750 {
		t.Errorf("stopped by %s %o", at, mode)
	}
	stranger.groups = append(stranger.groups, uint32(os.Getegid()))
	if at, _ := stranger.stopped(path); at != "" {
		t.Errorf("a member of the group is stopped by %s", at)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if at, _ := stranger.stopped(path); at != path {
		t.Errorf("stopped by %q", at)
	}
}

// checksPools and reloadsPools are web.check and web.reload for php-fpm, too.
var (
	checksPools  = []string{"sh", "-c", "nginx -t && php-fpm8.2 -t"}
	reloadsPools = []string{"systemctl", "reload", "php8.2-fpm", "nginx"}
)
