// Package php starts PHP: the fork server that runs MediaWiki's maintenance
// scripts for many wikis at once, the syntax check of rendered files, and the
// questions put to a wiki through its web server. It knows nothing of tenants
// or databases.
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

// grace is how long a job has to end after it was asked to.
const grace = 5 * time.Second

// Job is one maintenance script for one wiki.
type Job struct {
	Script string            // absolute path
	Args   []string          // any bytes; may hold passwords: they reach no command line and no log
	Dir    string            // folder that it begins in; empty, or one that PHP's user may not enter: the script's
	Config string            // MW_CONFIG_FILE: the wiki's LocalSettings.php; empty for install.php
	Env    map[string]string // further variables of the environment; may hold passwords
	Log    string            // file that gets all output; it must exist and be writable by the server's user
	Memory int64             // bytes that it may take beyond what it begins with, whatever its settings say; zero: no bound but theirs
	Limit  time.Duration     // after which the job is killed; zero: an hour
	Output int64             // bytes that it may print, after which it is killed; zero: 64 MiB

	Statements *Statements // nil: each is sent as it is
}

// Result is what became of a job that ran.
type Result struct {
	Exit    int // of the process; -1 when it did not exit by itself
	Tail    string
	Seconds float64 // on the wall
	CPU     float64 // seconds of user and system time
}

// JobError is a job that ran and failed.
type JobError struct {
	Script string
	Why    string // "exit 1", "killed by signal 9", "did not end within 1h0m0s"
	Tail   string // the last lines that it printed
	Log    string
}

// Error has why it failed, its last lines and where the rest is.
func (e *JobError) Error() string {
	text := e.Script + ": " + e.Why
	if e.Tail != "" {
		text += ": " + e.Tail
	}
	return fmt.Sprintf("%s (see %s)", text, e.Log)
}

// HugePages in its environment has PHP take fewer and larger pages of memory, each of
// which a fork has to copy (PHP manual: Environment variables of Zend). It saves
// php-fpm a seventh of the time of a wiki's page.
const HugePages = "USE_ZEND_ALLOC_HUGE_PAGES=1"

// environment is all that PHP gets to see of wikictl's own. The last two have a
// child end without unloading what ends with it anyway, and take larger pages. Both
// save a tenth of the time of a short script.
func environment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent", "ZEND_DONT_UNLOAD_MODULES=1", HugePages}
}

// frame is a line of a stack trace, of which the message stands above.
var frame = regexp.MustCompile(`^#\d+ `)

// tail returns the last lines of a log on one line, for an error message.
func tail(path string) string {
	lines := strings.FieldsFunc(process.End(path, 4096), func(r rune) bool { return r == '\n' || r == '\r' })
	lines = slices.DeleteFunc(lines, func(line string) bool { return frame.MatchString(line) || strings.HasPrefix(line, statementsLine) })
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	text := strings.Join(lines, " | ")
	return strings.ToValidUTF8(text[max(0, len(text)-1000):], "")
}
