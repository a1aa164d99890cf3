package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/process"
)

// Found describes the parts of a machine that a new farm could use. A missing part has
// Debian's default.
type Found struct {
	Root      bool
	State     string // absolute, or relative to the farm
	Codebases []Tree // newest first; may be empty
	FPM       string // in the form of web.fpm
	User      string // of php-fpm's workers
	Kind      string // "nginx" or "apache"
	Check     []string
	Reload    []string
	DSN       string   // empty: no server; wikictl runs its own
	Has       []string // findings, a sentence each
	Lacks     []string // missing parts, each with the next step
}

// Tree is a MediaWiki on disk.
type Tree struct{ Name, Path, Version string }

// Detect finds php, php-fpm, a web server, MariaDB and MediaWiki for a new farm.
func Detect(ctx context.Context) Found {
	f := Found{Root: os.Geteuid() == 0, State: "state", FPM: "unix:/run/php/php-fpm.sock", User: "www-data"}
	if f.Root {
		f.State = freeState("/var/lib/wikictl")
	}
	f.detectPHP(ctx)
	f.detectFPM()
	f.detectWeb()
	f.detectServer(ctx)
	f.Codebases = trees()
	for _, c := range f.Codebases {
		f.say("MediaWiki %s is in %s", c.Version, c.Path)
	}
	if len(f.Codebases) == 0 {
		f.Lacks = append(f.Lacks, "no MediaWiki was found; unpack one into /srv/mediawiki/"+newCodebase)
	}
	return f
}

func (f *Found) say(format string, args ...any) {
	f.Has = append(f.Has, fmt.Sprintf(format, args...))
}

// freeState returns a state folder that no farm uses.
func freeState(path string) string {
	for n := 2; ; n++ {
		if !isFile(filepath.Join(path, "farm.toml")) {
			return path
		}
		path = fmt.Sprintf("/var/lib/wikictl-%d", n)
	}
}

func (f *Found) detectPHP(ctx context.Context) {
	for _, name := range definitions.PHPNames() {
		program, err := process.Find(name)
		if err != nil {
			continue
		}
		if platform, err := php.ReadPlatform(ctx, program); err == nil {
			f.say("%s is PHP %s", program, platform.Version)
			return
		}
	}
	f.Lacks = append(f.Lacks, "no PHP command line program was found; install php-cli")
}

// detectFPM selects the first pool of the newest packaged php-fpm.
func (f *Found) detectFPM() {
	configs, _ := filepath.Glob("/etc/php/*/fpm/php-fpm.conf")
	slices.Sort(configs)
	configs = append([]string{"/etc/php-fpm.conf"}, configs...)
	for _, main := range slices.Backward(configs) {
		pools := readPools(main, "").pools
		if len(pools) == 0 || pools[0].Listen == "" {
			continue
		}
		p := pools[0]
		f.FPM = p.Listen
		if filepath.IsAbs(p.Listen) {
			f.FPM = "unix:" + p.Listen
		}
		if p.User != "" {
			f.User = p.User
		}
		f.say("php-fpm's pool %s listens at %s and runs as %s, by %s", p.Name, f.FPM, f.User, p.File)
		return
	}
	f.Lacks = append(f.Lacks, "no php-fpm was found; install php-fpm")
}

// webServers lists the supported web servers by Debian's service names.
var webServers = []struct {
	kind, service, config, pid string
	check                      []string
}{
	{"nginx", "nginx", "/etc/nginx/nginx.conf", "/run/nginx.pid", []string{"nginx", "-t"}},
	{"apache", "apache2", "/etc/apache2/apache2.conf", "/run/apache2/apache2.pid", []string{"apache2ctl", "-t"}},
	{"apache", "httpd", "/etc/httpd/conf/httpd.conf", "/run/httpd/httpd.pid", []string{"httpd", "-t"}},
}

// detectWeb selects the running web server, or else the first that is installed.
func (f *Found) detectWeb() {
	best := -1
	for i, w := range webServers {
		_, err := process.Find(w.check[0])
		if err != nil || !isFile(w.config) || best >= 0 && !isFile(w.pid) {
			continue
		}
		if best < 0 || !isFile(webServers[best].pid) {
			best = i
		}
	}
	w := webServers[max(best, 0)]
	f.Kind, f.Check = w.kind, w.check
	f.Reload = []string{"service", w.service, "reload"}
	if disk.IsFolder("/run/systemd/system") {
		f.Reload = []string{"systemctl", "reload", w.service}
	}
	switch {
	case best < 0:
		f.Lacks = append(f.Lacks, "no web server was found; install nginx")
	case isFile(w.pid):
		f.say("%s runs, by %s", w.service, w.config)
	default:
		f.say("%s is installed and does not run, by %s", w.service, w.config)
	}
}

// sockets lists the default sockets of MariaDB and MySQL, on Debian and elsewhere.
var sockets = []string{"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/run/mysql/mysql.sock"}

// detectServer selects the running database server, or the installed one.
func (f *Found) detectServer(ctx context.Context) {
	at := slices.IndexFunc(sockets, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Mode()&os.ModeSocket != 0
	})
	_, private := process.Find("mariadbd")
	switch {
	case at >= 0:
		f.DSN = "root@unix(" + sockets[at] + ")/"
		f.say("a database server listens at %s", sockets[at])
	case isFile("/etc/init.d/mariadb") || isFile("/lib/systemd/system/mariadb.service"):
		f.DSN = "root@unix(" + configuredSocket(ctx) + ")/"
		f.say("MariaDB is installed and does not run")
	case private == nil:
		f.say("MariaDB's program is installed without a service; wikictl runs a server of its own")
	default:
		f.DSN = "root@unix(" + sockets[0] + ")/"
		f.Lacks = append(f.Lacks, "no database server was found; install mariadb-server")
	}
}

// configuredSocket returns the socket in MariaDB's option files, or Debian's.
func configuredSocket(ctx context.Context) string {
	var out bytes.Buffer
	_, err := process.Run(ctx, process.Program{Name: "my_print_defaults", Args: []string{"--mariadbd"}, Env: process.Inherited(), Stdout: &out})
	for line := range strings.Lines(out.String()) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "--socket="); ok && err == nil {
			return path
		}
	}
	return sockets[0]
}

// treePlaces lists the usual folders of MediaWiki.
var treePlaces = []string{
	"/srv/mediawiki/*", "/srv/mediawiki", "/srv/www/mediawiki*", "/opt/mediawiki*", "/usr/local/share/mediawiki*",
	"/var/www/mediawiki*", "/var/www/html/mediawiki*", "/usr/share/mediawiki",
}

// trees finds MediaWiki trees, newest first, one per version.
func trees() []Tree {
	var found []Tree
	for _, place := range treePlaces {
		paths, _ := filepath.Glob(place)
		for _, path := range paths {
			version, err := mediawiki.VersionAt(path)
			if err != nil {
				continue
			}
			parts := strings.SplitN(version, ".", 3)
			name := strings.Join(parts[:min(2, len(parts))], ".")
			if !slices.ContainsFunc(found, func(t Tree) bool { return t.Name == name }) {
				found = append(found, Tree{name, path, version})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Tree) int { return mediawiki.CompareVersions(b.Version, a.Version) })
	return found
}
