package machine

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
)

// checker turns facts into findings.
type checker struct {
	farm  *tenants.Farm
	facts Facts
	found []Finding
}

// Check returns the findings about a machine for a farm, ordered by subject.
func Check(f *tenants.Farm, facts Facts) []Finding {
	j := &checker{farm: f, facts: facts}
	j.programs()
	j.php()
	j.fpm()
	j.found = append(j.found, CheckWeb(f, facts.Web)...)
	j.web()
	j.servers()
	j.reach()
	j.backups()
	j.disks()
	j.limits()
	return j.found
}

// say adds a finding about a key of wikictl.toml, which may be empty.
func (j *checker) say(check string, level Level, key, format string, args ...any) *Finding {
	found := Finding{Check: check, Level: level, Message: fmt.Sprintf(format, args...), Key: key, Position: tenants.Position{File: tenants.FarmFile}}
	if key != "" {
		found.Position = j.farm.At(key)
	}
	j.found = append(j.found, found)
	return &j.found[len(j.found)-1]
}

// install sets the commands or the hint for installing packages.
func (j *checker) install(f *Finding, packages ...string) {
	if j.facts.Apt {
		f.Repair = []string{"apt-get install " + strings.Join(packages, " ")}
		return
	}
	f.Hint = "install " + strings.Join(packages, " ") + " (the names may differ in your distribution)"
}

// start returns the command that starts a service.
func (j *checker) start(service string) string {
	if j.facts.Systemd {
		return "systemctl start " + service
	}
	return "service " + service + " start"
}

// packages maps programs to Debian's packages.
var packages = map[string]string{
	"mariadb": "mariadb-client", "mariadb-dump": "mariadb-client", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server",
	"nginx": "nginx", "apache2": "apache2", "apache2ctl": "apache2", "apachectl": "apache2", "systemctl": "systemd", "sudo": "sudo",
	"git": "git", "restic": "restic",
}

func (j *checker) programs() {
	var have []string
	for _, name := range slices.Sorted(maps.Keys(j.facts.Programs)) {
		if j.facts.Programs[name] != "" {
			have = append(have, filepath.Base(name))
			continue
		}
		key := ""
		if _, known := packages[name]; !known || packages[name] == name || strings.HasPrefix(name, "apache") {
			key = "web.check"
		}
		switch name {
		case "git":
			key = "extensions"
		case "restic":
			key = "backup.store"
		}
		found := j.say("programs", Error, key, "the program %s is missing", name)
		if p := packages[filepath.Base(name)]; p != "" {
			j.install(found, p)
		} else {
			found.Hint = "install it, or set check and reload in [web] to another"
		}
	}
	if len(have) == len(j.facts.Programs) {
		j.say("programs", OK, "", "found %s", strings.Join(have, ", "))
	}
}

// web checks whether the web server runs, and the owner of its files.
func (j *checker) web() {
	w := j.facts.Web
	if j.facts.Probe == nil {
		j.say(w.Kind+"-answers", OK, "web.probe", "something listens at %s", j.farm.Web.Probe)
	} else {
		found := j.say(w.Kind+"-answers", Error, "web.probe", "nothing listens at %s: %s", j.farm.Web.Probe, j.facts.Probe)
		found.Hint = "start the web server, or set probe in [web] to its address"
		if w.System() {
			found.Hint, found.Repair = "", []string{j.start(filepath.Base(filepath.Dir(w.Config)))}
		}
	}
	if reload := unprivileged(j.farm.Web.Reload); len(reload) > 0 && filepath.Base(reload[0]) == "systemctl" && !j.facts.Systemd {
		j.say(w.Kind+"-reload", Error, "web.reload", "web.reload runs systemctl, but systemd does not run").Hint = `such as reload = ["service", "nginx", "reload"]`
	}
	if j.facts.UserErr != nil {
		j.say("web-user", Error, "web.user", "the user %q does not exist: %s", j.farm.Web.User, j.facts.UserErr).Hint = "set it to the user of php-fpm's workers, such as www-data"
	}
	if !j.facts.Root && j.farm.Web.User != "" && j.farm.Web.User != j.facts.Me {
		j.say("root", Note, "web.user", "you are %s, but only root can create files of %s: commands that write will fail", j.facts.Me, j.farm.Web.User).Hint = "run wikictl as root"
	}
}

// reach checks whether the web server and PHP can enter the state folder and the codebases.
func (j *checker) reach() {
	for _, b := range j.facts.Barred {
		found := j.say("reach", Error, b.Key, "%s", b.Message())
		found.Hint, found.Repair = b.Hint(), b.Repair()
	}
	if len(j.facts.Barred) == 0 {
		j.say("reach", OK, "state", "the web server and php-fpm can reach %s and the codebases", j.farm.State)
	}
}
