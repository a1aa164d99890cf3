package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// servers checks each database server.
func (j *checker) servers() {
	on := map[*tenants.Server]int64{}
	for _, t := range j.farm.Tenants {
		on[t.Server]++
	}
	for _, name := range slices.Sorted(maps.Keys(j.farm.Servers)) {
		def, s := j.farm.Servers[name], j.facts.Servers[name]
		if s.Err != nil {
			j.unreached(def, s.Err)
			continue
		}
		check, key := "server "+name, "servers."+name
		j.say(check, OK, key, "%s answers %s", s.Version, s.Rights.Account)
		j.rights(check, key, def, s)
		j.sizes(check, key, def, s, on[def])
		for _, replica := range def.Replicas {
			j.replica(replica, j.facts.Replicas[replica])
		}
	}
}

// unreached reports an unreachable server.
func (j *checker) unreached(def *tenants.Server, err error) {
	found := j.say("server "+def.Name, Error, "servers."+def.Name, "%s", err)
	off := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
	switch {
	case def.Managed && off:
		found.Level = Note // commands that write start it
		found.Message = "the managed server " + def.Name + " does not run; commands that write start it"
		found.Repair = []string{"wikictl server start"}
	case off && j.facts.MariaDB:
		found.Repair = []string{j.start("mariadb")}
	case off && strings.Contains(def.DSN, "@unix("):
		j.install(found, "mariadb-server")
	default:
		found.Hint = fmt.Sprintf("correct dsn and password_file of [servers.%s]; socket authentication admits only the user of the account's name", def.Name)
	}
}

// rights checks the administrator's privileges.
func (j *checker) rights(check, key string, def *tenants.Server, s Store) {
	missing := s.Rights.Missing(len(def.Replicas) > 0)
	if len(missing) == 0 {
		j.say(check+" privileges", OK, key, "%s has the privileges that wikictl needs", s.Rights.Account)
		return
	}
	found := j.say(check+" privileges", Error, key, "%s lacks the privileges %s on the whole server", s.Rights.Account, strings.Join(missing, ", "))
	list, suffix := slices.DeleteFunc(slices.Clone(missing), func(p string) bool { return p == "GRANT OPTION" }), ""
	if len(list) < len(missing) {
		suffix = " WITH GRANT OPTION"
	}
	if len(list) == 0 {
		list = []string{"USAGE"}
	}
	user, host, _ := strings.Cut(s.Rights.Account, "@")
	found.Repair = []string{"mariadb -e " + quote(fmt.Sprintf("GRANT %s ON *.* TO `%s`@`%s`%s", strings.Join(list, ", "), user, host, suffix))}
}

// replica checks a replica of a server. The wikis work without it.
func (j *checker) replica(replica *tenants.Server, r mariadb.Replica) {
	check, key := "replica "+replica.Host(), "servers."+replica.Primary.Name+".replicas"
	why := r.Fault()
	switch {
	case r.Err != nil:
		j.say(check, Warning, key, "the %s %s: %s", replica.Label(), r.Effect(), why).Hint = "start it, or correct its dsn and password_file"
		return
	case why != "":
		j.say(check, Warning, key, "the %s %s: %s", replica.Label(), r.Effect(), why).Hint = "SHOW SLAVE STATUS there says more; CHANGE MASTER TO and START SLAVE set the replication up"
	case r.Lag > replica.MaxLag:
		j.say(check, Warning, key, "the %s is %d seconds behind, more than its max_lag of %d", replica.Label(), r.Lag, replica.MaxLag).Hint = "check its disk, its network and slave_parallel_threads"
	default:
		j.say(check, OK, key, "it replicates %s and is %d seconds behind", r.Source, r.Lag)
	}
	if !r.ReadOnly {
		j.say(check+" writes", Error, key, "the %s takes writes, after which it differs from its server", replica.Label()).Hint = "SET GLOBAL read_only = 1, and read_only = 1 below [mariadbd] in its configuration"
	}
}

// Minimum limits of a server for a farm.
const (
	leastPacket  = 16 << 20 // MariaDB's own default
	reserved     = 40       // wikictl's connections besides those of the wikis
	poolPerWiki  = 16 << 20 // bytes of the buffer pool, as in tenants.Managed
	tablesOfWiki = 64
	mostTables   = 20_000
)

// sizes checks the settings of a server that wikictl does not manage.
func (j *checker) sizes(check, key string, def *tenants.Server, s Store, wikis int64) {
	l := s.Limits
	if l.ReadOnly {
		j.say(check+" writes", Error, key, "the server is read-only").Hint = fmt.Sprintf("set [servers.%s] to the primary, or read_only to 0", def.Name)
	}
	if ahead := l.Ahead.Abs(); ahead > 5*time.Second {
		j.say(check+" clock", Warning, key, "its clock and that of this machine are %s apart", ahead).Hint = "synchronise both, such as with systemd-timesyncd"
	}
	if def.Managed {
		return
	}
	if l.Snapshots {
		j.snapshots(check, key, def)
	}
	for _, v := range []struct {
		name       string
		have, want int64
		level      Level
		why        string
	}{
		{"max_connections", l.Connections, j.children() + reserved, Warning, "php-fpm's processes and wikictl may need more connections"},
		{"max_allowed_packet", l.Packet, leastPacket, Warning, "a dump's statements may be longer"},
		{"innodb_buffer_pool_size", l.BufferPool, wikis * poolPerWiki, Note, "wikis share it, and data that does not fit is read from the disk"},
		{"table_open_cache", l.OpenTables, min(wikis*tablesOfWiki, mostTables), Note, "otherwise tables are closed and opened repeatedly"},
	} {
		if v.have < v.want {
			j.say(check+" "+v.name, v.level, key, "%s is %d, but should be %d for this farm: %s", v.name, v.have, v.want, v.why).Hint = fmt.Sprintf("%s = %d below [mariadbd] in its configuration", v.name, v.want)
		}
	}
}

// snapshotsOff is a file of options for Debian's MariaDB.
const snapshotsOff = "/etc/mysql/mariadb.conf.d/60-wikictl.cnf"

// snapshots reports a server on which innodb_snapshot_isolation is on.
func (j *checker) snapshots(check, key string, def *tenants.Server) {
	found := j.say(check+" innodb_snapshot_isolation", Warning, key, "innodb_snapshot_isolation is on, with which edits at the same time may fail (error 1020)")
	if !j.facts.MariaDB || !j.facts.Apt || !strings.Contains(def.DSN, "@unix(") {
		found.Hint = "SET GLOBAL innodb_snapshot_isolation = OFF, and innodb_snapshot_isolation = OFF below [mariadbd] in its configuration"
		return
	}
	found.Repair = []string{
		`printf '[mariadbd]\ninnodb_snapshot_isolation = OFF\n' > ` + snapshotsOff,
		"mariadb -e 'SET GLOBAL innodb_snapshot_isolation = OFF'",
	}
}

// children returns the number of php-fpm processes that may serve the farm at once.
func (j *checker) children() int64 {
	if j.farm.Web.Pools {
		return j.farm.PHP.Children * int64(len(j.farm.Tenants))
	}
	var n int64
	if p := j.facts.FPM.at(j.farm.Web.FPM); p != nil {
		_, _ = fmt.Sscan(p.Children, &n)
	}
	return n
}
