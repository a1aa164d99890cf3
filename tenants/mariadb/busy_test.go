package mariadb

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

func TestHoldersAndQueuedJobs(t *testing.T) {
	l := sessions()
	locks, err := shared.Locks(t.Context(), l, "somebody pid 1, run x")
	must(t, err)
	defer locks.Close()
	must(t, locks.Acquire(t.Context(), "wiki_held"))
	names := []string{"wiki_held"}
	for i := range perQuery + 1 {
		names = append(names, fmt.Sprint("wiki_free", i))
	}
	holders, err := shared.Holders(t.Context(), l, names)
	if err != nil || len(holders) != 1 || holders["wiki_held"] != "somebody pid 1, run x" {
		t.Errorf("%v, %v", holders, err)
	}
	database(t, "jobs_a")
	must(t, exec1(t, shared, "CREATE TABLE jobs_a.job (job_id INT)"))
	must(t, exec1(t, shared, "INSERT INTO jobs_a.job VALUES (1), (2)"))
	counts, err := shared.QueuedJobs(t.Context(), []string{"jobs_a"})
	if err != nil || counts["jobs_a"] != 2 {
		t.Errorf("%v, %v", counts, err)
	}
}

// A primary tells whether its replica was sent everything.
func TestReplication(t *testing.T) {
	primary, _ := running(t, 1, "--log-bin", "--binlog-format=ROW")
	replica, pid := running(t, 2, "--read-only")
	if r, err := primary.Replication(t.Context()); err != nil || r.ReadOnly || len(r.Behind) > 0 {
		t.Errorf("nobody copies it: %+v, %v", r, err)
	}
	if r, err := replica.Replication(t.Context()); err != nil || !r.ReadOnly {
		t.Errorf("it was started read-only: %+v, %v", r, err)
	}
	must(t, exec1(t, primary, "CREATE USER copy@'%' IDENTIFIED BY 'copied'"))
	must(t, exec1(t, primary, "GRANT REPLICATION SLAVE ON *.* TO copy@'%'"))
	var port int
	must(t, primary.db.QueryRowContext(t.Context(), "SELECT @@port").Scan(&port))
	must(t, exec1(t, replica, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = 'copy', MASTER_PASSWORD = 'copied'", port)))
	must(t, exec1(t, replica, "START SLAVE"))
	until(t, "the replica has everything", func() bool {
		var feeds int
		must(t, primary.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'").Scan(&feeds))
		r, err := primary.Replication(t.Context())
		must(t, err)
		return feeds == 1 && len(r.Behind) == 0
	})
	must(t, syscall.Kill(pid, syscall.SIGSTOP)) // a replica that takes nothing any more
	defer syscall.Kill(pid, syscall.SIGCONT)
	must(t, exec1(t, primary, "CREATE DATABASE big"))
	must(t, exec1(t, primary, "CREATE TABLE big.t (data LONGBLOB)"))
	for range 4 {
		must(t, exec1(t, primary, "INSERT INTO big.t VALUES (REPEAT('x', 10000000))"))
	}
	until(t, "the replica is behind", func() bool {
		r, err := primary.Replication(t.Context())
		must(t, err)
		return len(r.Behind) == 1
	})
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return port
}

// running starts a server of its own on a free loopback port.
func running(t *testing.T, id int, options ...string) (*Server, int) {
	t.Helper()
	dir := needs.Folder(t)
	private := PrivateOf(&tenants.Server{Name: fmt.Sprint("server", id), Managed: true}, tenants.Layout{State: dir})
	for _, folder := range []string{private.Folder, filepath.Dir(private.Socket)} {
		must(t, os.MkdirAll(folder, 0o777))
		must(t, os.Chmod(folder, 0o777)) // the server may be another user's
	}
	must(t, private.makeTmp())
	must(t, private.initialise(t.Context()))
	cmd := exec.Command("/usr/sbin/mariadbd", append(append([]string{
		"--no-defaults", "--datadir=" + private.data(), "--tmpdir=" + private.tmp(), "--socket=" + private.Socket, "--pid-file=" + private.pidFile(),
		"--bind-address=127.0.0.1", "--port=" + freePort(t), "--skip-name-resolve", fmt.Sprint("--server-id=", id), "--max-allowed-packet=64M",
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--performance-schema=OFF",
	}, options...), private.runAs()...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	until(t, "server "+fmt.Sprint(id)+" runs", func() bool { return private.Running(t.Context()) })
	s, err := Open(t.Context(), &tenants.Server{Name: "main", DSN: private.config().FormatDSN()}, tenants.Layout{}, "")
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s, cmd.Process.Pid
}
