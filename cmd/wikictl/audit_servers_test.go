package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/internal/demo"
	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/mariadb"
)

// query is a fault that SQL on the farm's server makes; DB is the wiki's database.
func query(text string) func(f *farm, wiki string) {
	return func(f *farm, wiki string) {
		f.sql(strings.ReplaceAll(text, "DB", "wiki_"+strings.ReplaceAll(wiki, "-", "_")))
	}
}

// plantedOnServers are the faults of databases, accounts and the ledger.
var plantedOnServers = []plantedFault{
	{rule: "not-created", late: true, says: "not created yet", plant: func(f *farm, wiki string) { f.defineAudited(wiki, 1000) }},
	{rule: "create-unfinished", says: "never seen to answer, by run killed", plant: query("UPDATE wikictl.tenant SET state = 'made', run = 'killed' WHERE database_name = 'DB'")},
	{rule: "run-interrupted", farm: true, says: "unfinished: create-unfinished", plant: query(
		"INSERT INTO wikictl.run (id, command, holder, started) VALUES ('killed', 'create', 'root@host pid 1', UTC_TIMESTAMP()), ('harmless', 'upgrade', 'root@host pid 2', UTC_TIMESTAMP())")},
	{rule: "ledger-place", says: "the ledger has it in database wiki_other on server main", plant: query("UPDATE wikictl.tenant SET database_name = 'wiki_other' WHERE database_name = 'DB'")},
	{rule: "database-missing", says: "wiki_database_missing is missing", also: []string{"wiki-silent"}, plant: query("DROP DATABASE DB")},
	{rule: "upgrade-pending", says: "it runs on codebase old", plant: query("UPDATE wikictl.tenant SET codebase = 'old' WHERE database_name = 'DB'")},
	{rule: "codebase-changed", says: "codebase 1.43, or the components that the wiki loads, changed", plant: query("UPDATE wikictl.tenant SET component_set = 'ffffffffffffffff' WHERE database_name = 'DB'")},
	{rule: "upgrade-interrupted", says: "was being changed, and the updater will be run again, as there is no dump", plant: upgradeRow("changing")},
	{rule: "upgrade-kept", says: "kept closed: boom", plant: upgradeRow("kept")},
	{rule: "tenant-leftover", farm: true, says: "no tenant gone;", plant: query(
		"INSERT INTO wikictl.tenant SELECT 'gone', server, 'wiki_gone', codebase, version, component_set, state, run, changed FROM wikictl.tenant LIMIT 1; CREATE DATABASE wiki_gone; CREATE USER wiki_gone@localhost IDENTIFIED BY 'x'")},
	{rule: "database-unowned", farm: true, says: "look like a wiki's: wiki_grantxwildcard", plant: query("CREATE DATABASE wiki_grantxwildcard")},
	{rule: "account-missing", says: "schema account wiki_account_missing_schema@localhost is missing", plant: query("DROP USER DB_schema@localhost")},
	{rule: "database-mark", says: "has no farm's mark", plant: query("ALTER DATABASE DB COMMENT ''")},
	{rule: "account-password", says: "schema account wiki_account_password_schema@localhost has another password", plant: query("ALTER USER DB_schema@localhost IDENTIFIED BY 'another'")},
	{rule: "account-no-password", says: "schema account", plant: query("ALTER USER DB_schema@localhost IDENTIFIED BY ''")},
	{rule: "account-host", says: "wiki_account_host@% beside", plant: query("CREATE USER DB@'%' IDENTIFIED BY 'x'")},
	{rule: "grant-missing", says: "lacks CREATE, DROP on", plant: query("REVOKE CREATE, DROP ON `wiki\\_grant\\_missing`.* FROM DB_schema@localhost")},
	{rule: "grant-extra", says: "SELECT on mysql.*; ", plant: query("GRANT SELECT ON mysql.* TO DB_schema@localhost; GRANT INSERT ON wikictl.run TO DB_schema@localhost; CREATE ROLE boss; GRANT boss TO DB_schema@localhost")},
	{rule: "grant-wildcard", says: "reaches wiki_grantxwildcard, too", plant: query("GRANT ALL ON `DB`.* TO DB_schema@localhost")},
	{rule: "account-unowned", farm: true, says: "on one's database: reports@localhost, wiki_nobody@%", plant: query(
		"CREATE USER reports@localhost IDENTIFIED BY 'x'; GRANT SELECT ON `wiki_grant%`.* TO reports@localhost; CREATE USER wiki_nobody IDENTIFIED BY 'x'")},
	{rule: "server-no-password", farm: true, says: "open@localhost", plant: query("CREATE USER open@localhost")},
	{rule: "schema-version", says: "is newer than 1.43, and", plant: query("CREATE TABLE DB.filetypes (id INT)")},
	{rule: "schema-missing", says: "lacks, compared with a fresh wiki of its code: column page.page_lang, table site_identifiers", plant: query("DROP TABLE DB.site_identifiers; ALTER TABLE DB.page DROP page_lang")},
	{rule: "schema-type", says: "column page.page_lang (varchar of 35 bytes latin1_swedish_ci, want varbinary(35))", plant: query("ALTER TABLE DB.page MODIFY page_lang VARCHAR(35) CHARACTER SET latin1 COLLATE latin1_swedish_ci")},
	{rule: "schema-index", says: "index page.page_len, index page.page_name_title", plant: query(
		"ALTER TABLE DB.page DROP INDEX page_len; ALTER TABLE DB.page DROP INDEX page_name_title; ALTER TABLE DB.page ADD INDEX page_name_title (page_namespace, page_title)")},
	{rule: "schema-extra", says: "code: table left_over", plant: func(f *farm, wiki string) {
		f.write("migrations/001-note.sql", "-- where: name=nobody\nCREATE TABLE farm_note (id INT);\nALTER TABLE page ADD page_note INT;\n")
		query("CREATE TABLE DB.left_over (id INT); CREATE TABLE DB.farm_note (id INT); ALTER TABLE DB.page ADD page_note INT")(f, wiki)
	}},
	{rule: "jobs-queued", says: "1200 jobs wait", plant: query(
		"DELETE FROM DB.job; INSERT INTO DB.job (job_cmd, job_namespace, job_title, job_params) SELECT 'null', 0, 'X', '' FROM DB.seq_1_to_1200; ANALYZE TABLE DB.job")},
	{rule: "server-unsupported", farm: true, says: "needs 10.3 or newer", plant: func(f *farm, _ string) { f.addServer("ancient", "--version=10.2.44-MariaDB") }},
	{rule: "server-eol", farm: true, says: "MariaDB 10.4.34: security releases ended on 2024-06-18", plant: func(f *farm, _ string) { f.addServer("aged", "--version=10.4.34-MariaDB") }},
	{rule: "server-read-only", farm: true, says: "read-only", plant: func(f *farm, _ string) { f.addServer("replica", "--read-only") }},
	{rule: "server-snapshots", farm: true, says: "error 1020", plant: func(f *farm, _ string) { f.addServer("snapshots", "--innodb-snapshot-isolation=ON") }},
	{rule: "server-replica-behind", farm: true, says: "replicas are behind: 127.0.0.1", plant: lateReplica},
}

// upgradeRow is an upgrade that is open in a phase.
func upgradeRow(phase string) func(f *farm, wiki string) {
	return query(`INSERT INTO wikictl.upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, started, error)
		SELECT 'other', name, '` + phase + `', codebase, '1.39.17', component_set, 1, codebase, version, component_set, UTC_TIMESTAMP(), 'boom' FROM wikictl.tenant WHERE database_name = 'DB'`)
}

// addServer starts a MariaDB of its own and writes it into the farm's file.
func (f *farm) addServer(name string, options ...string) (socket string, pid int) {
	f.t.Helper()
	socket, pid = f.otherServer(name, options...)
	me, err := user.Current()
	must(f.t, err)
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[servers.%s]\ndsn = \"%s@unix(%s)/\"\n", name, me.Username, socket))
	return socket, pid
}

func (f *farm) otherServer(name string, options ...string) (socket string, pid int) {
	f.t.Helper()
	dir := needs.Folder(f.t)
	socket = filepath.Join(dir, "s.sock")
	me, err := user.Current()
	must(f.t, err)
	as := "--user=" + me.Username // root wants to be told
	f.shell("cp", "-a", newData(f.t, me.Username), dir+"/data")
	cmd := exec.Command("mariadbd", append([]string{"--no-defaults", "--datadir=" + dir + "/data", "--tmpdir=" + dir, "--socket=" + socket, "--pid-file=" + dir + "/pid",
		"--bind-address=127.0.0.1", "--port=" + freePort(f.t), "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--max-allowed-packet=64M", mariadb.SnapshotsOff, as}, options...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(f.t, cmd.Start())
	f.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ask(socket, "SELECT 1") == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("the server %s does not start", name)
		}
	}
	return socket, cmd.Process.Pid
}

// newServer is the data folder of a server that never ran.
var newServer struct {
	once sync.Once
	dir  string // empty if it could not be made
}

// newData makes the data folder once for all tests: that takes longer than to copy it.
func newData(t *testing.T, user string) string {
	t.Helper()
	newServer.once.Do(func() {
		dir, err := os.MkdirTemp(needs.Parent(), "wk")
		must(t, err)
		out, err := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+dir+"/data", "--tmpdir="+dir, "--innodb-log-file-size=32M", "--skip-test-db",
			"--auth-root-authentication-method=socket", "--auth-root-socket-user="+user, "--user="+user).CombinedOutput()
		if err != nil {
			t.Fatalf("mariadb-install-db: %v: %s", err, out)
		}
		newServer.dir = dir
	})
	if newServer.dir == "" {
		t.Fatal("no server could be installed: see the first test that failed")
	}
	return newServer.dir + "/data"
}

func freePort(t *testing.T) string {
	port, err := demo.FreePort()
	must(t, err)
	return strconv.Itoa(port)
}

// ask sends statements to a server that may not run; nil when it does not.
func ask(socket, statements string) []string {
	out, err := printedRows(socket, statements)
	if err != nil {
		return nil
	}
	return append([]string{""}, strings.Fields(out)...)[1:]
}

// lateReplica plants a server whose replica does not apply the changes that it receives.
func lateReplica(f *farm, _ string) {
	primary, _ := f.addServer("primary", "--log-bin", "--binlog-format=ROW", "--server-id=1")
	replica, pid := f.otherServer("copy", "--server-id=2")
	port := ask(primary, "SELECT @@port")[0]
	ask(primary, "CREATE USER copy@'127.0.0.1' IDENTIFIED BY 'copied'; GRANT REPLICATION SLAVE ON *.* TO copy@'127.0.0.1'")
	ask(replica, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %s, MASTER_USER = 'copy', MASTER_PASSWORD = 'copied'; START SLAVE", port))
	feeds := func() string {
		return strings.Join(ask(primary, "SELECT IFNULL(STATE, '') FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"), " ")
	}
	wait := func(what string, so func() bool) {
		for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				f.t.Fatalf("never: %s: %s", what, feeds())
			}
		}
	}
	const all = "has sent all binlog"
	wait("the replica has everything", func() bool { return strings.Contains(feeds(), all) })
	must(f.t, syscall.Kill(pid, syscall.SIGSTOP))
	f.t.Cleanup(func() { syscall.Kill(pid, syscall.SIGCONT) })
	ask(primary, "CREATE DATABASE big; CREATE TABLE big.t (data LONGBLOB)")
	for range 4 {
		ask(primary, "INSERT INTO big.t VALUES (REPEAT('x', 10000000))")
	}
	wait("the replica is behind", func() bool { return !strings.Contains(feeds(), all) })
}

// statement is a line of MariaDB's general log that begins a statement.
var statement = regexp.MustCompile(`(?m)^.*\t\s*\d+ (Query|Prepare|Execute)\t(.*)$`)

// An audit reads only: it changes nothing and takes no lock.
func TestAuditOnlyReads(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.run("create", "--all")
	log := filepath.Join(t.TempDir(), "general.log")
	must(t, os.WriteFile(log, nil, 0o666))
	must(t, os.Chmod(log, 0o666)) // the server may be another user's
	f.sql("SET GLOBAL general_log_file = '" + log + "'; SET GLOBAL general_log = 1")
	f.audit()
	f.sql("SET GLOBAL general_log = 0")
	text, err := os.ReadFile(log)
	must(t, err)
	reads := regexp.MustCompile(`^(\(?SELECT|SHOW|SET (GLOBAL general_log|NAMES|SESSION (time_zone|TRANSACTION ISOLATION LEVEL REPEATABLE READ)|lock_wait_timeout))\b`)
	changes := regexp.MustCompile(`(?i)\b(GET_LOCK|RELEASE_LOCK|FOR UPDATE|LOCK IN SHARE MODE|INTO OUTFILE)\b`)
	all := statement.FindAllStringSubmatch(string(text), -1)
	if len(all) < 20 {
		t.Errorf("only %d statements were seen", len(all))
	}
	for _, s := range all {
		if strings.Contains(s[2], "/* ") {
			continue // MediaWiki's, which says by a comment where each comes from: the wikis were asked
		}
		if !reads.MatchString(s[2]) || changes.MatchString(s[2]) {
			t.Errorf("an audit ran %s", s[2])
		}
	}
}

// While wikis are being upgraded an audit finds nothing wrong with them, and the
// others are looked at as ever.
func TestAuditDuringAnUpgrade(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.run("create", "--all")
	f.want143()
	going := filepath.Join(f.demo.Dir, "going")
	// The first dump waits, so that audits meet a wiki that is frozen.
	f.write("wikictl.toml", f.read("wikictl.toml")+`
[backup]
dump    = ["sh", "-c", "touch {file}.asked; while [ ! -e `+going+` ]; do sleep 0.1; done; mariadb-dump --defaults-file={options} {database} > {file}"]
restore = ["sh", "-c", "mariadb --defaults-file={options} {database} < {file}"]
`)
	cmd := f.command("upgrade", "--all", "--backup", "command", "--jobs", "2")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for frozen := 0; frozen < 2; time.Sleep(50 * time.Millisecond) {
		asked, err := filepath.Glob(filepath.Join(f.demo.Dir, "state/backups/*/*.asked"))
		must(t, err)
		frozen = len(asked)
		select {
		case err := <-ended:
			t.Fatalf("the upgrade did not wait: %v: %s", err, output.String())
		default:
		}
	}
	worked := f.transient()
	if n := len(worked); n < 2 || n > 3 { // the third may have begun while another one waited for readers
		t.Errorf("worked on are %v, want two or three", worked)
	}
	must(t, os.WriteFile(going, nil, 0o644))
	for audits := 0; ; audits++ {
		select {
		case err := <-ended:
			if err != nil || audits == 0 {
				t.Errorf("%v after %d audits: %s", err, audits, output.String())
			}
			f.transient()
			return
		default:
			f.transient()
		}
	}
}

// transient audits a farm that is being upgraded and returns the wikis that are
// said to be worked on.
func (f *farm) transient() (worked []string) {
	f.t.Helper()
	for _, g := range f.audit("--quick") {
		switch {
		case g.Rule == "worked-on":
			worked = append(worked, g.Tenants...)
		case g.Severity == "error":
			f.t.Errorf("found is %+v", g)
		case slices.Contains([]string{"schema-extra", "schema-index", "create-unfinished", "run-interrupted", "tenant-leftover", "database-unowned", "account-unowned"}, g.Rule):
			f.t.Errorf("found is %+v", g)
		}
	}
	return worked
}
