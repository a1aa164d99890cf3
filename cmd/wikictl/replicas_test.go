package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os/exec"
	"os/user"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// replicated is a primary and its replica.
type replicated struct {
	f                *farm
	primary, replica string // sockets
	pid              int    // of the replica
}

// withReplica gives the farm a server with a replica, from which alone its wikis read.
func (f *farm) withReplica() *replicated {
	f.t.Helper()
	r := &replicated{f: f}
	started := make(chan struct{})
	go func() {
		defer close(started)
		r.primary, _ = f.otherServer("primary", "--log-bin", "--binlog-format=ROW", "--server-id=1", "--innodb-flush-log-at-trx-commit=0")
	}()
	r.replica, r.pid = f.otherServer("copy", "--server-id=2", "--read-only", "--innodb-flush-log-at-trx-commit=0")
	<-started
	if f.t.Failed() {
		f.t.FailNow()
	}
	r.replicate("START SLAVE")
	me, err := user.Current()
	must(f.t, err)
	f.replace("wikictl.toml", "managed = true", fmt.Sprintf("dsn = \"%s@unix(%s)/\"\nload = 0\n[[servers.main.replicas]]\ndsn = \"%[1]s@unix(%[3]s)/\"\nmax_lag = 1 #", me.Username, r.primary, r.replica))
	return r
}

// replicate makes the replica one of the primary. The primary's log has changes of another domain,
// as of an earlier primary, which the replica never has in its position.
func (r *replicated) replicate(then string) {
	r.f.t.Helper()
	port := ask(r.primary, "SELECT @@port")[0]
	ask(r.primary, "CREATE USER IF NOT EXISTS copy@'127.0.0.1' IDENTIFIED BY 'copied'; GRANT REPLICATION SLAVE ON *.* TO copy@'127.0.0.1'")
	ask(r.primary, "SET gtid_domain_id = 7; CREATE DATABASE IF NOT EXISTS earlier; DROP DATABASE earlier")
	ask(r.replica, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %s, MASTER_USER = 'copy', MASTER_PASSWORD = 'copied', IGNORE_DOMAIN_IDS = (7); %s", port, then))
}

// asked returns how many SELECTs a server had.
func asked(socket string) string { return ask(socket, "SHOW GLOBAL STATUS LIKE 'Com_select'")[1] }

// says returns what an audit finds by a rule.
func (f *farm) says(rule string) string {
	f.t.Helper()
	for _, g := range f.audit("--quick") {
		if g.Rule == rule {
			return g.Message
		}
	}
	return ""
}

// Wikis read from the replicas of their server, also what was just made and saved, and go on
// without them.
func TestReplicas(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	r := f.withReplica()
	f.define(3)
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+f.read("tenants/w1.toml"))
	f.run("create", "--all")

	for _, wiki := range []string{"w0", "w1"} {
		c := f.client(wiki)
		c.edit("Page", "what was saved in "+wiki)
		before := asked(r.replica)
		if page := c.page("Page"); !strings.Contains(page, "saved in "+wiki) {
			t.Errorf("%s: %s", wiki, page)
		}
		if after := asked(r.replica); after == before {
			t.Errorf("%s does not read from the replica", wiki)
		}
		if lag := c.call(url.Values{"action": {"query"}, "meta": {"siteinfo"}, "siprop": {"dbrepllag"}}); !strings.Contains(fmt.Sprint(lag), "lag:0") {
			t.Errorf("%s does not know that the replica is up to date: %v", wiki, lag)
		}
	}
	known := []string{"class-unused", "mediawiki-eol", "setting-repeated", "replica-load"} // replica-load is meant here
	for _, found := range f.audit() {
		if !slices.Contains(known, found.Rule) {
			t.Errorf("found is %+v", found)
		}
	}
	r.faults()
	f.replace("wikictl.toml", "load = 0\n", "replica_wait = 1\n")
	r.behind()
	r.returns()
	r.denied()
	r.down()
}

// faults plants what an audit finds of replicas.
func (r *replicated) faults() {
	f := r.f
	for _, fault := range []struct{ rule, plant, back, says string }{
		{"replica-writable", "SET GLOBAL read_only = 0", "SET GLOBAL read_only = 1", "takes writes"},
		{"replica-down", "STOP SLAVE", "START SLAVE", "START SLAVE was not run"},
	} {
		ask(r.replica, fault.plant)
		if output := f.says(fault.rule); !strings.Contains(output, fault.says) {
			f.t.Errorf("%s: %q", fault.rule, output)
		}
		ask(r.replica, fault.back)
	}
}

// behind upgrades a wiki while the replica takes no changes: the new code is not shown before
// the replica has its tables.
func (r *replicated) behind() {
	f := r.f
	f.run("apply", "--all")
	free := r.stuck()
	defer free()
	ask(r.primary, "CREATE DATABASE later")
	r.until("it is behind", func() bool { return strings.Contains(f.says("replica-lag"), "more than its max_lag of 1") })

	f.write("tenants/w0.toml", "codebase = \"1.43\"\n"+f.read("tenants/w0.toml"))
	if _, story, code := f.result("upgrade", "w0"); code != 2 || !strings.Contains(story, "replica_wait") || !strings.Contains(story, "readers get the maintenance page until") {
		f.t.Errorf("exit code %d: %s", code, story)
	}
	if status, body := f.client("w0").ask(url.Values{"action": {"query"}}); status != 503 {
		f.t.Errorf("readers got %d: %.300s", status, body)
	}
	free()
	if out, story, code := f.result("upgrade", "w0"); code != 0 || !strings.Contains(out+story, "was finished") {
		f.t.Errorf("exit code %d: %s%s", code, out, story)
	}
	c := f.client("w0")
	c.edit("After", "the upgrade")
	if page := c.page("Page") + c.page("After"); !strings.Contains(page, "saved in w0") || !strings.Contains(page, "the upgrade") {
		f.t.Error(page)
	}
}

// stuck keeps the replica from applying changes until free is called.
func (r *replicated) stuck() (free func()) {
	r.f.t.Helper()
	stuck := exec.Command("mariadb", "--no-defaults", "--socket="+r.replica, "-e", "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)")
	must(r.f.t, stuck.Start())
	free = sync.OnceFunc(func() { stuck.Process.Kill(); stuck.Wait() })
	r.until("the replica is stuck", func() bool {
		return len(ask(r.replica, "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(600)%'")) == 1
	})
	return free
}

// returns brings wikis back while the replica takes no changes: by a rollback, whose run is
// killed while it waits, by a restore, and from the removed ones, on its former code. Readers
// see none of them before the replica has it.
func (r *replicated) returns() {
	f := r.f
	f.client("w1").edit("Kept", "in the backup")
	f.run("backup", "w1")
	f.client("w1").edit("Kept", "after the backup")
	definition := f.read("tenants/w2.toml")
	f.run("delete", "w2", "--yes")
	f.write("tenants/w2.toml", "codebase = \"1.43\"\n"+definition)
	free := r.stuck()
	defer free()

	all := map[string][]string{"w0": {"rollback", "w0", "--yes"}, "w1": {"restore", "w1", "--yes"}, "w2": {"undelete", "w2"}}
	var wait sync.WaitGroup
	wait.Go(func() { r.killedWaiting(all["w0"]...) })
	for _, wiki := range []string{"w1", "w2"} {
		wait.Go(func() {
			if _, story, code := f.result(all[wiki]...); code != 2 || !strings.Contains(story, "replica_wait") {
				f.t.Errorf("%v: exit code %d: %s", all[wiki], code, story)
			}
		})
	}
	wait.Wait()
	for wiki, want := range map[string]int{"w0": 503, "w1": 503, "w2": 410} {
		if status, body := f.client(wiki).ask(url.Values{"action": {"query"}}); status != want {
			f.t.Errorf("readers of %s got %d: %.300s", wiki, status, body)
		}
	}
	free()
	ask(r.replica, fmt.Sprintf("SELECT MASTER_GTID_WAIT('%s', 60)", ask(r.primary, `SELECT REGEXP_SUBSTR(@@gtid_binlog_pos, '(?<![-0-9])0-[-0-9]+')`)[0]))
	for _, args := range all {
		wait.Go(func() {
			if out, story, code := f.result(args...); code != 0 {
				f.t.Errorf("%v: exit code %d: %s%s", args, code, out, story)
			}
		})
	}
	wait.Wait()
	for wiki, want := range map[string]string{"w0": "saved in w0", "w1": "in the backup", "w2": ""} {
		if page := f.client(wiki).page(map[string]string{"w0": "Page", "w1": "Kept", "w2": "Main Page"}[wiki]); !strings.Contains(page, want) {
			f.t.Errorf("%s: %s", wiki, page)
		}
	}
}

// killedWaiting runs a command that is killed when it says that it waits for the replica.
func (r *replicated) killedWaiting(args ...string) {
	cmd := r.f.command(args...)
	story, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.f.t.Error(err)
		return
	}
	output := ""
	for lines := bufio.NewScanner(story); !strings.Contains(output, "waiting for the replica") && lines.Scan(); {
		output += lines.Text() + "\n"
	}
	cmd.Process.Kill()
	if err := cmd.Wait(); err == nil || !strings.Contains(output, "waiting for the replica") {
		r.f.t.Errorf("%v did not wait: %s", args, output)
	}
}

// denied has wikictl use an account that the replica does not have. The wikis read from the
// replica nevertheless, so what has to wait for it fails, and says why.
func (r *replicated) denied() {
	f := r.f
	const says = "may be read from, and wikictl can't wait for it"
	good := f.read("wikictl.toml")
	me, err := user.Current()
	must(f.t, err)
	f.replace("wikictl.toml", me.Username+"@unix("+r.replica, "stranger@unix("+r.replica)
	f.replace("tenants/w1.toml", "Wiki 1", "Wiki unseen")
	for _, tc := range []struct {
		args []string
		code int
	}{{[]string{"apply", "w1"}, 2}, {[]string{"upgrade", "w0", "--dry-run"}, 2}, {[]string{"doctor"}, 1}} {
		if out, story, code := f.result(tc.args...); code != tc.code || !strings.Contains(out+story, says) || !strings.Contains(out+story, "password_file") {
			f.t.Errorf("%v: exit code %d: %s%s", tc.args, code, out, story)
		}
	}
	if _, _, page := f.client("w1").get("/index.php?title=Page"); strings.Contains(page, "unseen") || !strings.Contains(page, "Wiki 1") {
		f.t.Errorf("readers see what was not waited for: %s", page)
	}
	f.write("wikictl.toml", good)
	f.replace("tenants/w1.toml", "Wiki unseen", "Wiki 1")
	f.run("apply", "w1")
	for _, wiki := range []string{"w0", "w2"} { // they are on their former code
		f.replace("tenants/"+wiki+".toml", "codebase = \"1.43\"\n", "")
	}
}

// down kills the replica: nothing fails, and the wikis can be read and edited. Then it is taken
// out of the definition.
func (r *replicated) down() {
	f := r.f
	must(f.t, syscall.Kill(r.pid, syscall.SIGKILL))
	f.replace("tenants/w1.toml", "Wiki 1", "Wiki one")
	if _, story, code := f.result("apply", "--all"); code != 0 || strings.Count(story, "of server main is left out") != 1 {
		f.t.Errorf("exit code %d: %s", code, story)
	}
	for _, wiki := range []string{"w0", "w1"} {
		c := f.client(wiki)
		c.edit("Down", "without it")
		for range 5 {
			if page := c.page("Down"); !strings.Contains(page, "without it") {
				f.t.Error(page)
			}
		}
	}
	if output := f.says("replica-down"); !strings.Contains(output, "connect") {
		f.t.Errorf("%q", output)
	}
	f.wants(f.run("metrics"), `wikictl_replica_up{replica="`+r.replica+`",server="main"} 0`, `wikictl_server_up{server="main"} 1`)
	const may = `SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE LIKE '''wiki%' AND PRIVILEGE_TYPE = 'SLAVE MONITOR'`
	before := ask(r.primary, may)
	text := f.read("wikictl.toml")
	from := strings.Index(text, "replica_wait")
	f.write("wikictl.toml", text[:from]+text[strings.Index(text, "[web]"):])
	f.run("apply", "--all")
	if after := ask(r.primary, may); before[0] != "3" || after[0] != "0" || strings.Contains(f.read("state/wikis/w0/current/LocalSettings.php"), "wgDBservers") {
		f.t.Errorf("%s accounts may read the lag, and %s without replicas", before, after)
	}
}

func (r *replicated) until(what string, so func() bool) {
	r.f.t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.f.t.Fatalf("never: %s", what)
		}
	}
}
