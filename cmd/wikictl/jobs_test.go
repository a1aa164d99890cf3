package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// queue puts jobs into a wiki's queue, which do nothing, each for so many microseconds.
func (f *farm) queue(wiki string, jobs int, microseconds ...int) {
	f.t.Helper()
	sleep := append(microseconds, 0)[0]
	code := fmt.Sprintf(`$group = MediaWiki\MediaWikiServices::getInstance()->getJobQueueGroup();
$jobs = [];
for ( $i = 0; $i < %d; $i++ ) { $jobs[] = new NullJob( [ 'lives' => 1, 'number' => $i, 'usleep' => %d ] ); }
foreach ( array_chunk( $jobs, 100 ) as $some ) { $group->push( $some ); }`, jobs, sleep)
	if out, story, code := f.typed(code, "run", wiki, "--", "eval"); code != 0 {
		f.t.Fatal(out, story)
	}
}

// backlog is how many jobs a wiki's queue holds, begun or not.
func (f *farm) backlog(wiki string) string {
	return f.sql("SELECT COUNT(*) FROM wiki_" + wiki + ".job")[0]
}

// runsJobs: queues become empty, and what could not be run is said.
func runsJobs(t *testing.T, f *farm) {
	f.exits(0, "jobs", "run", "--all")
	f.queue("w0", 40)
	f.queue("w2", 3)
	var status struct {
		Tenants []struct {
			Tenant string
			Ready  int
			Oldest *string
			Done   int `json:"done_in_a_day"`
		}
	}
	must(t, json.Unmarshal([]byte(f.exits(0, "--format", "json", "jobs", "status")), &status))
	if len(status.Tenants) != 3 || status.Tenants[0].Ready != 40 || status.Tenants[1].Ready != 0 || status.Tenants[0].Oldest == nil || status.Tenants[1].Oldest != nil {
		t.Errorf("%+v", status)
	}
	f.sql("RENAME TABLE wiki_w1.job TO wiki_w1.job_away")
	out := f.exits(2, "jobs", "run", "--all")
	f.wants(out, "jobs run: 2 done, 0 unchanged, 1 failed", "w0: 40 jobs were run", "w2: 3 jobs were run")
	f.exits(2, "jobs", "status")
	f.sql("RENAME TABLE wiki_w1.job_away TO wiki_w1.job")
	f.wants(f.exits(0, "jobs", "run", "--all"), "jobs run: no changes, 3 unchanged")
	done := status.Tenants[0].Done
	must(t, json.Unmarshal([]byte(f.exits(0, "--format", "json", "jobs", "status", "w0")), &status))
	if got := status.Tenants[0].Done - done; got != 40 {
		t.Errorf("the ledger has %d jobs of w0, want 40", got)
	}
	f.wants(f.exits(0, "jobs", "unit"), "Type=notify", "TimeoutStopSec=630\n", fmt.Sprintf("ExecStart=%s --farm %s jobs run --all --forever\n", f.programFile(), f.demo.Dir))
}

func (f *farm) programFile() string {
	path, err := filepath.EvalSymlinks(f.program)
	must(f.t, err)
	return path
}

// killedJobs: a run that is killed in the middle loses no job, and the next run takes the jobs
// that it did not finish.
func killedJobs(t *testing.T, f *farm) {
	f.queue("w0", 5)
	f.struck(event{"w0", "jobs", "before", "kill"}, "jobs", "run", "--all")
	if got := f.backlog("w0"); got != "5" {
		t.Errorf("%s jobs are left of 5", got)
	}
	f.sql("UPDATE wiki_w0.job SET job_token = 'gone', job_token_timestamp = '20200101000000', job_attempts = 1 LIMIT 2") // as a killed child leaves them
	f.wants(f.exits(0, "jobs", "run", "--all"), "w0: ")
	f.exits(0, "jobs", "run", "--all")
	if got := f.backlog("w0"); got != "0" {
		t.Errorf("%s jobs are left", got)
	}
}

// pausedJobs: jobs wait while another run works on the wiki, or it is read-only, and the
// others' run.
func pausedJobs(t *testing.T, f *farm) {
	f.queue("w0", 2)
	f.queue("w1", 2)
	out, code := f.held("w0", "script", "before", func() {
		f.wants(f.refuses(75, "jobs", "run", "--all"), "w0 is locked by", "w1: 2 jobs were run")
	}, "run", "w0", "--", "showSiteStats")
	if code != 0 {
		t.Error(out)
	}
	file := f.state("wikis/w0/read-only")
	must(t, os.WriteFile(file, []byte("closed"), 0o644))
	f.wants(f.refuses(2, "jobs", "run", "--all"), "read-only")
	must(t, os.Remove(file))
	if got := f.backlog("w0"); got != "2" {
		t.Errorf("%s jobs are left of 2", got)
	}
	f.exits(0, "jobs", "run", "--all")
}

// servesJobs: a service runs jobs as they come and pauses a faulty wiki; after TERM it finishes
// the running jobs and ends.
func servesJobs(t *testing.T, f *farm) {
	f.sql("RENAME TABLE wiki_w1.job TO wiki_w1.job_away")
	farm := f.read("wikictl.toml")
	f.write("wikictl.toml", farm+"[jobs]\nrunner = \"service\"\n")
	defer f.write("wikictl.toml", farm)
	out, _, _ := f.result("audit")
	f.wants(out, "[jobs-unattended]")
	s := f.start("jobs", "run", "--all", "--forever")
	s.prints("w1: ")
	out, _, _ = f.result("audit")
	f.lacks(out, "[jobs-unattended]")
	f.queue("w0", 3)
	s.until("the jobs of w0 were run", func() bool { return f.backlog("w0") == "0" })
	f.queue("w2", 1)
	s.until("the job of w2 was run", func() bool { return f.backlog("w2") == "0" })
	for _, pid := range children(t, s.cmd.Process.Pid) {
		must(t, syscall.Kill(pid, syscall.SIGKILL)) // PHP's, as the kernel does where memory is short
	}
	f.queue("w2", 1)
	s.until("the next job of w2 was run", func() bool { return f.backlog("w2") == "0" })
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	if out, code := s.ends(); code != 0 || !strings.Contains(out, "were run, 0 failed, ") {
		t.Errorf("%d %s", code, out)
	}
	f.sql("RENAME TABLE wiki_w1.job_away TO wiki_w1.job")
}

// children are the processes that a process has started.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, word := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(word)
			must(t, err)
			pids = append(pids, n)
		}
	}
	if len(pids) == 0 {
		t.Fatal("it has started no process")
	}
	return pids
}

// fairJobs: a single job does not wait for the long queue of another wiki, even if only one child
// may run; running jobs are killed together with the service, and stay in the queue.
func fairJobs(t *testing.T, f *farm) {
	const many = 1000
	f.queue("w0", many, 100_000) // they take longer than anything here may, however slow the machine is
	s := f.start("jobs", "run", "--all", "--forever", "--children", "1", "--share", "300ms")
	left := func() int {
		n, err := strconv.Atoi(f.backlog("w0"))
		must(t, err)
		return n
	}
	s.until("jobs of w0 were run", func() bool { return left() < many })
	f.queue("w2", 1)
	s.until("the job of w2 was run", func() bool { return f.backlog("w2") == "0" })
	if n := left(); n < 100 {
		t.Errorf("%d jobs of w0 are left", n)
	}
	must(t, s.cmd.Process.Kill())
	s.ends()
	if n := left(); n < 100 {
		t.Errorf("%d jobs of w0 are left after the kill", n)
	}
	f.sql("DELETE FROM wiki_w0.job")
}
