// Package php runs PHP: a fork server for MediaWiki's maintenance scripts of many wikis
// at once, the syntax check of rendered files, and loading of settings. It knows nothing
// of tenants and databases.
package php

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// grace is the time between asking a job to end and killing it.
const grace = 5 * time.Second

// Job is one maintenance script for one wiki.
type Job struct {
	Script string            // absolute path
	Args   []string          // any bytes; may hold passwords: they reach neither a command line nor a log
	Dir    string            // working directory; empty, or closed to PHP's user: the script's folder
	Config string            // MW_CONFIG_FILE: the wiki's LocalSettings.php; empty for install.php
	Env    map[string]string // more environment variables; may hold passwords
	Input  string            // file that is its standard input, readable by the server's user; empty: it reads nothing
	Log    string            // gets all output; it must exist and be writable by the server's user
	Memory int64             // limit of additional memory in bytes, above which the kernel refuses it; zero: only PHP's own limit
	Limit  time.Duration     // time after which the job is killed; zero: an hour
	Output int64             // limit of output in bytes; the job is killed above it; zero: 64 MiB

	Statements *Statements // nil: statements are sent unchanged
}

// Result is the outcome of a job.
type Result struct {
	Exit    int // exit status; -1 if a signal ended the job
	Tail    string
	Seconds float64 // elapsed time
	CPU     float64 // seconds of user and system time
}

// JobError is the error of a job that failed.
type JobError struct {
	Script string
	Why    string // "exit 1", "killed by signal 9", "did not end within 1h0m0s"
	Tail   string // last lines of output, without the secrets that the script knew
	Log    string
}

// Error returns the reason, the last lines of output, and the path of the log.
func (e *JobError) Error() string {
	text := e.Script + ": " + e.Why
	if e.Tail != "" {
		text += ": " + e.Tail
	} else {
		text += ", and it printed nothing"
	}
	return fmt.Sprintf("%s (see %s)", text, e.Log)
}

// HugePages is an environment variable that makes PHP allocate large pages of memory (PHP
// manual: Environment variables of Zend). A fork has fewer pages to copy, and php-fpm needs a
// seventh less time to render a page of a wiki.
const HugePages = "USE_ZEND_ALLOC_HUGE_PAGES=1"

// environment returns the environment of PHP, which has little of wikictl's own. The last
// two variables let a child end without unloading modules, and allocate large pages. Both
// save a tenth of the time of a short script.
func environment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent", "ZEND_DONT_UNLOAD_MODULES=1", HugePages}
}

// frame matches a line of a stack trace; the message stands above it.
var frame = regexp.MustCompile(`^#\d+ `)

// queryError matches the line in which MediaWiki says why a statement failed; the statement itself,
// which may have many lines, follows it (DBQueryError).
var queryError = regexp.MustCompile(`\bError \d+: `)

// Limits of tail, in lines and bytes.
const (
	tailLines = 5
	tailBytes = 1000
)

// end returns the last bytes of a job's log.
func end(path string) string { return process.End(path, 4096) }

// tail returns the last lines of a log's end as one line, for an error message. If a statement
// failed, they are those from its reason on.
func tail(log string) string {
	lines := strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' })
	lines = slices.DeleteFunc(lines, func(line string) bool { return frame.MatchString(line) || strings.HasPrefix(line, statementsLine) })
	from := max(0, len(lines)-tailLines)
	reason := len(lines) - 1
	for reason >= 0 && !queryError.MatchString(lines[reason]) {
		reason--
	}
	if 0 <= reason && reason < from {
		text := strings.Join(lines[reason:reason+tailLines], " | ")
		return strings.ToValidUTF8(text[:min(len(text), tailBytes)], "")
	}
	text := strings.Join(lines[from:], " | ")
	return strings.ToValidUTF8(text[max(0, len(text)-tailBytes):], "")
}
