package machine

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// php checks each codebase and its PHP command line program.
func (j *checker) php() {
	if len(j.farm.Codebases) == 0 {
		j.say("codebases", Error, "codebases", "no codebase is defined").Hint = `unpack MediaWiki, and set its folder: [codebases."1.43"] path = "/srv/mediawiki/1.43"`
	}
	for _, name := range slices.Sorted(maps.Keys(j.farm.Codebases)) {
		c := j.farm.Codebases[name]
		for _, fault := range c.Faults {
			if c.PHP != "" || !strings.HasSuffix(fault.Key, ".php") {
				found := j.say("codebase "+name, Error, fault.Key, "%s", fault.Message)
				found.Position, found.Hint = fault.Position, fault.Hint
			}
		}
		if len(c.Faults) == 0 {
			j.say("codebase "+name, OK, "codebases."+name, "MediaWiki %s in %s", c.Version, c.Path)
		}
		j.program(c)
	}
}

// program checks the command line program of a codebase.
func (j *checker) program(c *tenants.Codebase) {
	check, key := "php "+c.Name, "codebases."+c.Name
	asked := j.facts.PHP[c.PHP]
	switch {
	case c.PHP == "":
		j.install(j.say(check, Error, key, "no PHP command line program was found for the codebase %s", c.Name), "php-cli")
	case asked.Err != nil:
		j.say(check, Error, key, "%s", asked.Err).Hint = "set php in [codebases] to a working program"
	case c.Version != "" && !mediawiki.FitsPHP(c, asked.Version):
		j.say(check, Error, key, "MediaWiki %s needs PHP %s, but %s is %s", c.Version, mediawiki.PHPVersion(c), c.PHP, asked.Version).Hint = "set php in [codebases] to another version"
	default:
		j.extensions(check, key, c, c.PHP, asked.Version, asked.Extensions)
	}
}

// extensions checks whether a PHP has the extensions that the tenants on a codebase need.
func (j *checker) extensions(check, key string, c *tenants.Codebase, program, version string, have []string) {
	var on []*tenants.Tenant
	for _, t := range j.farm.Tenants {
		if t.Codebase == c {
			on = append(on, t)
		}
	}
	missing := without(mediawiki.PHPExtensions(c, on), have)
	if len(missing) == 0 {
		j.say(check, OK, key, "%s is PHP %s with the extensions that MediaWiki needs", program, version)
	} else {
		j.install(j.say(check, Error, key, "%s lacks the extensions %s, which MediaWiki needs", program, strings.Join(missing, ", ")), debianPackages(version, missing)...)
	}
	if missing := without([]string{"apcu", "curl", "gd", "intl", "zend-opcache"}, have); len(missing) > 0 {
		found := j.say(check, Warning, key, "%s lacks %s, without which wikis are slow or have no thumbnails", program, strings.Join(missing, ", "))
		j.install(found, debianPackages(version, missing)...)
	}
}

// without lists the extensions that are not loaded. PHP itself spells them with capital letters
// and blanks.
func without(wanted, have []string) []string {
	var missing []string
	for _, name := range wanted {
		loaded := func(h string) bool { return strings.ReplaceAll(strings.ToLower(h), " ", "-") == name }
		if !slices.ContainsFunc(have, loaded) {
			missing = append(missing, name)
		}
	}
	return missing
}

// packagesOf maps extensions to Debian's packages with other names; "common" is PHP
// itself.
var packagesOf = map[string]string{
	"mysqli": "mysql", "mysqlnd": "mysql", "dom": "xml", "simplexml": "xml", "xmlreader": "xml", "xmlwriter": "xml", "zend-opcache": "opcache",
	"calendar": "common", "ctype": "common", "exif": "common", "fileinfo": "common", "iconv": "common", "json": "common", "phar": "common", "posix": "common", "tokenizer": "common",
}

// debianPackages returns the packages of extensions of a PHP, without duplicates.
func debianPackages(version string, extensions []string) []string {
	numbers := strings.SplitN(version, ".", 3)
	prefix := "php"
	if len(numbers) > 1 {
		prefix = "php" + numbers[0] + "." + numbers[1]
	}
	var names []string
	for _, e := range extensions {
		name := e
		if other := packagesOf[e]; other != "" {
			name = other
		}
		names = append(names, prefix+"-"+name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fpm checks that php-fpm listens, its user, and whether it includes the farm's pools.
func (j *checker) fpm() {
	if j.farm.Web.Pools {
		j.pools()
		return
	}
	pool := j.facts.FPM.at(j.farm.Web.FPM)
	j.listening(pool)
	if pool == nil {
		return
	}
	place := pool.File
	switch user := j.farm.Web.User; {
	case pool.User == user || pool.User == "":
		j.say("php-fpm-user", OK, "web.user", "the pool %s of %s runs as %s", pool.Name, place, pool.User)
	case user == "" && pool.User == j.facts.Me:
	case user == "":
		j.say("php-fpm-user", Error, "web", "web.user is not set, so the user %[3]s of the pool %[1]s of %[2]s could not read the wikis' settings", pool.Name, place, pool.User).Hint = "set user = \"" + pool.User + "\" in [web]"
	default:
		j.say("php-fpm-user", Error, "web.user", "the pool %s of %s runs as %s, not as %s, the owner of the wikis' files", pool.Name, place, pool.User, user).Hint = "set user = \"" + pool.User + "\" in [web]"
	}
	if j.facts.FPM.Program == "" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(j.farm.Codebases)) {
		j.extensions("php-fpm "+name, "web.fpm", j.farm.Codebases[name], j.facts.FPM.Program, strings.TrimPrefix(j.facts.FPM.Program, "php-fpm"), j.facts.FPM.Extensions)
	}
}

// listening checks whether php-fpm listens at web.fpm, and suggests a pool.
func (j *checker) listening(pool *Pool) {
	if j.facts.FPM.Silent == nil {
		j.say("php-fpm", OK, "web.fpm", "php-fpm listens at %s", j.farm.Web.FPM)
		return
	}
	found := j.say("php-fpm", Error, "web.fpm", "nothing listens at web.fpm, %s: %s", j.farm.Web.FPM, j.facts.FPM.Silent)
	switch {
	case pool != nil && j.facts.FPM.Program != "":
		found.Repair = []string{j.start(serviceOf(j.facts.FPM.Program))}
	case pool != nil:
		found.Hint = "start the php-fpm of " + pool.Main
	case len(j.facts.FPM.Pools) > 0:
		p := j.facts.FPM.Pools[0]
		listen := p.Listen
		if filepath.IsAbs(listen) {
			listen = "unix:" + listen
		}
		found.Hint = "set fpm = \"" + listen + "\" in [web], where the pool " + p.Name + " of " + p.File + " listens"
	default:
		j.install(found, "php-fpm")
	}
}

// pools checks whether a php-fpm includes the farm's own pools.
func (j *checker) pools() {
	pattern := filepath.Join(j.farm.Layout().Pools(), "*.conf")
	if j.facts.FPM.Included {
		j.say("php-fpm-pools", OK, "web.pools", "php-fpm includes %s", pattern)
		j.reload()
		j.checked()
		return
	}
	found := j.say("php-fpm-pools", Error, "web.pools", "no php-fpm includes %s, so the wikis have no pools", pattern)
	if len(j.facts.FPM.Configs) == 0 {
		j.install(found, "php-fpm")
		return
	}
	found.Repair = []string{"echo " + quote("include="+pattern) + " >> " + quote(j.facts.FPM.Configs[len(j.facts.FPM.Configs)-1])}
}

// reload checks that php-fpm finishes pages before a reload, which each wiki that is made or
// removed causes (PHP manual: FPM, Configuration, process_control_timeout).
func (j *checker) reload() {
	main := j.facts.FPM.Abrupt
	if main == "" {
		return
	}
	found := j.say("php-fpm-reload", Warning, "web.pools", "%s has no process_control_timeout: when a wiki is made or removed, readers of all wikis get 502 for pages in progress", main)
	found.Repair = []string{`sed -i -e '/^process_control_timeout/d' -e 's/^\[global\]/&\nprocess_control_timeout = 10s/' ` + quote(main)}
}

// checked checks that web.check and web.reload are for php-fpm, too: at a reload it ends if it refuses
// one pool, such as for a user that was deleted. A program that may do both is not judged.
func (j *checker) checked() {
	program := cmp.Or(j.facts.FPM.Program, "php-fpm")
	without := func(command []string) bool {
		first := unprivileged(command)
		return len(first) > 0 && slices.Contains(webPrograms, filepath.Base(first[0])) && !strings.Contains(strings.Join(command, " "), "fpm")
	}
	if check := j.farm.Web.Check; without(check) {
		found := j.say("php-fpm-check", Warning, "web.check", "web.check does not check php-fpm: a pool that php-fpm refuses, such as for a user that was deleted, ends it at the next reload, and all wikis with it")
		found.Hint = fmt.Sprintf("such as check = [\"sh\", \"-c\", %q]", strings.Join(check, " ")+" && "+program+" -t")
	}
	if reload := j.farm.Web.Reload; without(reload) {
		found := j.say("php-fpm-reloads", Error, "web.reload", "web.reload does not reload php-fpm, so that it would not know the pools of new wikis")
		found.Hint = fmt.Sprintf("such as reload = [\"sh\", \"-c\", %q]", "systemctl reload "+serviceOf(program)+" && "+strings.Join(reload, " "))
	}
}

// webPrograms lists programs that check or reload a web server and no other, unless they are told.
var webPrograms = []string{"nginx", "apache2", "apache2ctl", "apachectl", "httpd", "systemctl", "service"}
