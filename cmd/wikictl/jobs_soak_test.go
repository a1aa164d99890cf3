package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
)

// How many wikis and jobs TestJobsSoak has; without wikis it is skipped.
var (
	jobsWikis = flag.Int("jobs-wikis", 0, "wikis whose jobs are run; at least 26")
	jobsQueue = flag.Int("jobs-queue", 10_000, "jobs of one of them")
)

// Bounds of TestJobsSoak.
const (
	beginsWithin = 5 * time.Second // a single job, beside a long queue
	eaters       = 24              // children that eat memory at once
	eaterLimit   = 128             // MiB, [jobs] memory_limit
	eaterMost    = 2 * eaterLimit  // MiB that a child may hold with PHP's own code and caches
)

// soakJobs is PHP of jobs that leave a trace: numbered ones append their number to a file,
// and others take memory until they get no more.
const soakJobs = `<?php
class SoakJob extends Job implements GenericParameterJob {
	public function __construct( array $params ) {
		parent::__construct( 'soak', $params );
	}
	public function run() {
		usleep( $this->params['usleep'] );
		return file_put_contents( $this->params['file'], $this->params['number'] . "\n", FILE_APPEND | LOCK_EX ) > 0;
	}
}
class EatJob extends Job implements GenericParameterJob {
	public function __construct( array $params ) {
		parent::__construct( 'eat', $params );
	}
	public function run() {
		file_put_contents( $this->params['file'], "begun\n", FILE_APPEND | LOCK_EX );
		for ( $all = []; ; usleep( 1000 ) ) {
			$all[] = random_bytes( 1 << 20 );
		}
	}
}
$wgJobClasses['soak'] = SoakJob::class;
$wgJobClasses['eat'] = EatJob::class;
`

// Many wikis, one with a long queue: another's single job begins soon, kills of the service
// lose no job, and children that eat memory stay within their bound.
func TestJobsSoak(t *testing.T) {
	needs.Soak(t, *jobsWikis > 0, "jobs")
	f := newFarm(t)
	f.define(max(*jobsWikis, eaters+2))
	f.write("php/soak.php", soakJobs)
	f.write("wikictl.toml", "allow_php = true\n"+strings.Replace(f.read("wikictl.toml"), "[defaults]\n", "[defaults]\ninclude = \"php/soak.php\"\n", 1)+
		fmt.Sprintf("\n[jobs]\nrunner = \"service\"\nmemory_limit = \"%dM\"\n", eaterLimit))
	f.exits(0, "create", "--all")
	f.exits(0, "jobs", "run", "--all") // what making them left
	done := filepath.Join(f.demo.Dir, "done")
	must(t, os.WriteFile(done, nil, 0o666))
	must(t, os.Chmod(done, 0o666))
	f.push("w0", *jobsQueue, "soak", done, 2000)
	f.beginsSoon(done)
	f.losesNone(done)
	f.eatsWithinBounds()
}

// push puts numbered jobs of a type into a wiki's queue.
func (f *farm) push(wiki string, jobs int, kind, file string, microseconds int) {
	f.t.Helper()
	code := fmt.Sprintf(`$group = MediaWiki\MediaWikiServices::getInstance()->getJobQueueGroup();
$jobs = [];
for ( $i = 0; $i < %d; $i++ ) { $jobs[] = Job::factory( '%s', [ 'number' => $i, 'file' => '%s', 'usleep' => %d ] ); }
foreach ( array_chunk( $jobs, 100 ) as $some ) { $group->push( $some ); }`, jobs, kind, file, microseconds)
	if out, story, code := f.typed(code, "run", wiki, "--", "eval"); code != 0 {
		f.t.Fatal(out, story)
	}
}

// beginsSoon queues single jobs beside the long queue, and measures how long they wait.
func (f *farm) beginsSoon(file string) {
	f.t.Helper()
	s := f.start("jobs", "run", "--all", "--forever")
	s.until("jobs of w0 were run", func() bool { return len(f.numbers(file)) > 0 })
	var waits []time.Duration
	for i := range 10 {
		wiki, single := fmt.Sprint("w", 1+rand.IntN(*jobsWikis-1)), filepath.Join(f.demo.Dir, fmt.Sprint("single", i))
		must(f.t, os.WriteFile(single, nil, 0o666))
		must(f.t, os.Chmod(single, 0o666))
		f.push(wiki, 1, "soak", single, 0)
		pushed := time.Now()
		s.until("the job of "+wiki+" was run", func() bool { return len(f.numbers(single)) > 0 })
		waits = append(waits, time.Since(pushed))
	}
	slices.Sort(waits)
	f.t.Logf("single jobs were done after %s to %s, and the long queue has %s jobs", waits[0], waits[len(waits)-1], f.backlog("w0"))
	if waits[len(waits)-1] > beginsWithin {
		f.t.Errorf("a single job waited longer than %s", beginsWithin)
	}
	if f.backlog("w0") == "0" {
		f.t.Error("the long queue was empty before the end")
	}
	must(f.t, s.cmd.Process.Kill())
	s.ends()
}

// losesNone kills the service again and again: each job was done or is in the queue; and in
// the end all were done.
func (f *farm) losesNone(file string) {
	f.t.Helper()
	again := 0
	for range 10 {
		s := f.start("jobs", "run", "--all", "--forever")
		before := len(f.numbers(file))
		s.until("jobs of w0 were run", func() bool { return len(f.numbers(file)) > before })
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		must(f.t, s.cmd.Process.Kill())
		s.ends()
		f.still("wiki_w0")
		queued, err := strconv.Atoi(f.backlog("w0"))
		must(f.t, err)
		numbers := f.numbers(file)
		if again = queued + len(numbers) - *jobsQueue; again < 0 {
			f.t.Fatalf("%d of %d jobs were done and %d are in the queue: %d are lost", len(numbers), *jobsQueue, queued, -again)
		}
	}
	// MediaWiki gives back what killed children had claimed after an hour.
	f.sql("UPDATE wiki_w0.job SET job_token_timestamp = '20200101000000' WHERE job_token <> ''")
	f.exits(0, "jobs", "run", "--all")
	f.exits(0, "jobs", "run", "--all")
	numbers := f.numbers(file)
	f.t.Logf("after 10 kills %d of %d jobs were done; %d of them had been done and not been taken from the queue", len(numbers), *jobsQueue, again)
	if len(numbers) != *jobsQueue || f.backlog("w0") != "0" {
		f.t.Errorf("%d of %d jobs were done, and %s are in the queue", len(numbers), *jobsQueue, f.backlog("w0"))
	}
}

// numbers are the different numbers of jobs that were done.
func (f *farm) numbers(file string) map[string]bool {
	f.t.Helper()
	text, err := os.ReadFile(file)
	must(f.t, err)
	all := map[string]bool{}
	for _, line := range strings.Fields(string(text)) {
		all[line] = true
	}
	return all
}

// eatsWithinBounds runs children that take all memory that they get, at once.
func (f *farm) eatsWithinBounds() {
	f.t.Helper()
	begun := filepath.Join(f.demo.Dir, "begun")
	must(f.t, os.WriteFile(begun, nil, 0o666))
	must(f.t, os.Chmod(begun, 0o666))
	for i := range eaters {
		f.push(fmt.Sprint("w", i+1), 1, "eat", begun, 0)
	}
	s := f.start("jobs", "run", "--all", "--forever", "--children", fmt.Sprint(eaters))
	most, all := 0, 0
	s.until("all children ate", func() bool {
		one, sum := memoryOf(s.cmd.Process.Pid)
		most, all = max(most, one), max(all, sum)
		text, err := os.ReadFile(begun)
		must(f.t, err)
		return strings.Count(string(text), "begun") >= eaters && most >= eaterLimit/2
	})
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
		one, sum := memoryOf(s.cmd.Process.Pid)
		most, all = max(most, one), max(all, sum)
	}
	must(f.t, s.cmd.Process.Kill())
	s.ends()
	f.t.Logf("a child held at most %d MiB of its own, and all together %d MiB", most, all)
	if most > eaterMost {
		f.t.Errorf("a child held %d MiB, and %d is the most", most, eaterMost)
	}
}

// memoryOf is the memory in MiB that only the largest process below another one holds, and
// that all of them hold.
func memoryOf(pid int) (most, sum int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for _, word := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(word)
			one := privateMemory(child)
			below, rest := memoryOf(child)
			most, sum = max(most, one, below), sum+one+rest
		}
	}
	return most, sum
}

// privateMemory is the memory in MiB that a process shares with no other (proc(5), smaps).
func privateMemory(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	kib := 0
	for line := range strings.Lines(string(text)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "Private_Dirty" || name == "Private_Clean" {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			kib += n
		}
	}
	return kib >> 10
}
