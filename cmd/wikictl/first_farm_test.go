package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wikictl/cmd/internal/demo"
	"wikictl/cmd/testbed/needs"
)

// steps are the blocks of commands in README's section about a first farm.
func steps(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	must(t, err)
	_, section, found := strings.Cut(string(text), "\n## A first farm of your own\n")
	if !found {
		t.Fatal("README has no such section")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^( *)```sh\n(.*?)^ *```$").FindAllStringSubmatch(section, -1) {
		lines := strings.Split(m[2], "\n")
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, m[1])
		}
		all = append(all, strings.Join(lines, "\n"))
	}
	if len(all) != 10 {
		t.Fatalf("README has %d steps", len(all))
	}
	return all
}

// A new user gets from nothing to two served wikis on Debian's own MariaDB, nginx and
// php-fpm by typing README's ten steps as they stand there.
func TestFirstFarm(t *testing.T) {
	t.Parallel()
	step := steps(t)
	s := newSandbox(t)
	s.install(step[0])
	s.download(step[1], filepath.Join(s.dir, "code/1.43"))
	s.sh(0, step[1])
	out := s.sh(0, step[2])
	for _, want := range []string{
		"found     php-fpm's pool www listens at unix:/run/php/php" + demo.PHP() + "-fpm.sock", "found     a database server listens at /run/mysqld/mysqld.sock",
		"found     nginx runs", "is in /srv/mediawiki/1.43", "written   /etc/wikictl/wikictl.toml",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("init does not say %q: %s", want, out)
		}
	}
	output := s.sh(2, step[3])
	for _, command := range strings.Split(strings.TrimSpace(step[4]), "\n") {
		if !strings.Contains(output, "run: "+command+"\n") {
			t.Errorf("doctor does not say %q: %s", command, output)
		}
	}
	if strings.Count(output, "\nerror ") != 2 || strings.Count(output, "\nwarning ") != strings.Count(output, ": innodb_snapshot_isolation is on") {
		t.Errorf("doctor: %s", output)
	}
	s.sh(0, step[4])
	for _, c := range s.doctor() { // of Debian 13's MariaDB
		s.sh(0, strings.Join(c.Repair, "\n"))
	}
	s.sh(0, step[5])
	s.sh(0, step[6])
	s.sh(1, step[7])
	if out := s.sh(0, step[8]); !strings.Contains(out, "create: 2 done") {
		t.Error(out)
	}
	if out := s.sh(0, step[9]); !strings.Contains(out, "Alpha Handbook") || !strings.Contains(out, "admin_password") {
		t.Error(out)
	}
	if out := s.sh(0, "curl -fsS http://beta.localhost/wiki/Main_Page"); !strings.Contains(out, "Beta Handbook") {
		t.Errorf("%.300s", out)
	}
	s.sh(0, "wikictl plan && wikictl doctor && wikictl audit --fail-on error")
	s.repairs()
	s.toApache()
}

// toApache takes the farm from nginx to Debian's Apache, by what doctor says.
func (s *sandbox) toApache() {
	needs.Program(s.t, "apache2")
	s.sh(0, `nginx -s stop; while [ -e /run/nginx.pid ]; do sleep 0.1; done; service apache2 start
sed -i -e 's/^kind .*/kind = "apache"/' -e 's/^check .*/check = ["apache2ctl", "-t"]/' -e 's/^reload .*/reload = ["service", "apache2", "reload"]/' wikictl.toml`)
	var checks []string
	for _, c := range s.doctor() {
		checks = append(checks, c.Check)
		s.sh(0, strings.Join(c.Repair, "\n"))
	}
	if strings.Join(checks, " ") != "apache-include apache-modules" {
		s.t.Errorf("doctor says of Debian's Apache: %v", checks)
	}
	if found := s.doctor(); len(found) > 0 {
		s.t.Errorf("Apache, repaired: %+v", found)
	}
	s.sh(0, "wikictl apply --all")
	if out := s.sh(0, "curl -fsS http://beta.localhost/wiki/Main_Page"); !strings.Contains(out, "Beta Handbook") {
		s.t.Errorf("%.300s", out)
	}
}

// install types the step that installs packages, and starts the services that they would have
// started.
func (s *sandbox) install(step string) {
	s.t.Helper()
	out, code := s.try(step)
	if code != 0 {
		out, code = s.try("apt-get update && " + step)
	}
	needs.That(s.t, code == 0, "Debian's packages can't be installed: "+out)
	s.sh(0, "service mariadb start && service php"+demo.PHP()+"-fpm start && service nginx start")
}

// downloader stands in for curl where an archive is asked for: the sandbox has no
// network, and the tree is on this machine.
const downloader = `#!/bin/sh
case "$*" in
*ADDRESS*) exec tar -cz -C FOLDER NAME ;;
esac
exec /usr/bin/curl "$@"
`

// download has curl give a tree that is on this machine for the archive that a step
// downloads.
func (s *sandbox) download(step, tree string) {
	s.t.Helper()
	m := regexp.MustCompile(`https://releases\.wikimedia\.org/mediawiki/1\.43/(mediawiki-1\.43\.\d+)\.tar\.gz`).FindStringSubmatch(step)
	if m == nil {
		s.t.Fatalf("the step downloads no MediaWiki 1.43: %s", step)
	}
	script := strings.NewReplacer("ADDRESS", m[0], "FOLDER", s.dir, "NAME", m[1]).Replace(downloader)
	must(s.t, os.WriteFile(filepath.Join(s.dir, "curl"), []byte(script), 0o755))
	s.sh(0, fmt.Sprintf("cp -rs %s %s/%s && cp %[2]s/curl /usr/local/bin/curl", tree, s.dir, m[1]))
}

// repairs breaks one thing after the other, and wants doctor to say how each is
// repaired, and to be content when that was typed.
func (s *sandbox) repairs() {
	for _, x := range []struct{ breaks, check string }{
		{"service php" + demo.PHP() + "-fpm stop", "php-fpm"},
		{"nginx -s stop; while [ -e /run/nginx.pid ]; do sleep 0.1; done", "nginx-answers"}, // its service gives up early on a busy machine
		{"service mariadb stop", "server main"},
		{"rm /etc/nginx/conf.d/wikictl.conf", "nginx-include"},
		{"ln -s ../sites-available/default /etc/nginx/sites-enabled/default", "nginx-default"},
	} {
		s.sh(0, x.breaks)
		found := s.doctor()
		if len(found) != 1 || found[0].Check != x.check || len(found[0].Repair) == 0 {
			s.t.Errorf("%s: %+v", x.breaks, found)
			continue
		}
		s.sh(0, strings.Join(found[0].Repair, "\n"))
		if found := s.doctor(); len(found) > 0 {
			s.t.Errorf("%s, repaired: %+v", x.breaks, found)
		}
	}
	ini := "/etc/php/" + demo.PHP() + "/cli/conf.d/20-mysqli.ini"
	s.sh(0, "mv "+ini+" /srv/")
	if found := s.doctor(); len(found) != 1 || strings.Join(found[0].Repair, "") != "apt-get install php"+demo.PHP()+"-mysql" {
		s.t.Errorf("without mysqli: %+v", found)
	}
	s.sh(0, "mv /srv/20-mysqli.ini "+ini)
}

// doctor returns what doctor finds that is bad.
func (s *sandbox) doctor() (bad []check) {
	s.t.Helper()
	out, _ := s.try("wikictl --format json doctor", "--net")
	var d struct{ Checks []check }
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	for _, c := range d.Checks {
		if c.Level == "error" || c.Level == "warning" {
			bad = append(bad, c)
		}
	}
	return bad
}
