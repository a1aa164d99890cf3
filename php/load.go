package php

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"wikictl/php/fpm"
	"wikictl/tenants/wiki"
)

//go:embed load.php
var loadCode []byte

// LoadScript is the script that Load runs, as a file which PHP's user may read.
func LoadScript() []byte { return loadCode }

// loadLimit is how long settings may take to load. An endless loop ends sooner, by
// Loading.CPU.
const loadLimit = 2 * time.Minute

// Frame is a line of PHP code.
type Frame struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// SettingsError is settings that a command line PHP could not load, or pages that it
// could not make.
type SettingsError struct {
	Message string  `json:"message"` // PHP's own
	Frames  []Frame `json:"frames"`  // what led to it, innermost first; none when PHP does not tell
}

// Error is PHP's own message.
func (e *SettingsError) Error() string { return e.Message }

// Loading is a wiki whose settings are to be loaded.
type Loading struct {
	Script string        // file that holds LoadScript
	Root   string        // folder of the codebase
	Config string        // the wiki's LocalSettings.php
	Log    string        // see Job
	CPU    time.Duration // of the processor that it may take, in whole seconds
	Page   bool          // also ask it what it is, and for its main page, which takes its database
}

// Load has PHP load a wiki's settings as each request to the wiki does, but for what
// is only so in a web server (PHP_SAPI). What is wrong with them is a *SettingsError.
func (s *Server) Load(ctx context.Context, l Loading) error {
	args := []string{l.Root, strconv.Itoa(int(l.CPU.Seconds()))}
	if l.Page {
		args = append(args, "page")
	}
	before, err := os.Stat(l.Log)
	if err != nil {
		return err
	}
	_, err = s.Run(ctx, Job{Script: l.Script, Args: args, Config: l.Config, Log: l.Log, Limit: loadLimit})
	var failed *JobError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	said, readErr := os.ReadFile(l.Log)
	if readErr != nil {
		return readErr
	}
	said = said[min(int64(len(said)), before.Size()):]
	if failed == nil && bytes.HasSuffix(said, []byte("\nwikictl-loaded\n")) {
		return nil
	}
	return readLoad(said, failed)
}

// fatalError is how PHP tells of an error that can't be caught; fatalPlace is where it
// was, as far as PHP knows.
var (
	fatalError = regexp.MustCompile(`(?m)^(?:PHP )?(?:Fatal|Parse|Recoverable fatal) error: +(.*)$`)
	fatalPlace = regexp.MustCompile(`^(.*) in (/.*?)(?: on line |:)([0-9]+)$`)
)

// readLoad finds why settings were not loaded in what was printed meanwhile.
func readLoad(said []byte, failed *JobError) *SettingsError {
	found := &SettingsError{}
	for line := range bytes.Lines(said) {
		if text, ok := bytes.CutPrefix(line, []byte("wikictl-error ")); ok && json.Unmarshal(text, found) == nil {
			return found
		}
	}
	if m := fatalError.FindSubmatch(said); m != nil {
		found.Message = strings.TrimPrefix(string(m[1]), "Uncaught ")
		if at := fatalPlace.FindStringSubmatch(found.Message); at != nil {
			line, _ := strconv.Atoi(at[3])
			found.Message, found.Frames = at[1], []Frame{{File: at[2], Line: line}}
		}
		found.Frames = append(found.Frames, readTrace(said)...)
		return found
	}
	text := strings.Join(strings.Fields(string(said)), " ")
	why := "they end PHP"
	if failed != nil {
		why = "PHP ends: " + failed.Why
	}
	found.Message = strings.TrimSuffix(fmt.Sprintf("%s: %s", why, strings.ToValidUTF8(text[:min(len(text), 300)], "?")), ": ")
	return found
}

// traceLine is a line of a stack trace that PHP or MediaWiki printed.
var traceLine = regexp.MustCompile(`(?m)^#[0-9]+ (/.*?)\(([0-9]+)\)`)

// readTrace reads a printed stack trace.
func readTrace(said []byte) (frames []Frame) {
	for _, m := range traceLine.FindAllSubmatch(said, -1) {
		if line, err := strconv.Atoi(string(m[2])); err == nil {
			frames = append(frames, Frame{File: string(m[1]), Line: line})
		}
	}
	return frames
}

// LoggedByFPM has the php-fpm at address answer what a wiki is, as the web server has
// it do, and returns the error that PHP logs meanwhile. It is nil when PHP logs none, or
// elsewhere (php.ini: log_errors, error_log). root is the codebase, config the wiki's
// LocalSettings.php.
func LoggedByFPM(ctx context.Context, address, root, config, host string) *SettingsError {
	path, query, _ := strings.Cut(wiki.SiteInfoPath, "?")
	_, said, err := fpm.Ask(ctx, address, root+path, [][2]string{
		{"MW_CONFIG_FILE", config}, {"SCRIPT_NAME", path}, {"REQUEST_URI", wiki.SiteInfoPath}, {"QUERY_STRING", query},
		{"HTTP_HOST", host}, {"SERVER_NAME", host}, {"SERVER_PORT", "80"},
	})
	said = bytes.ReplaceAll(said, []byte("PHP message: "), nil)
	if err != nil || !fatalError.Match(said) {
		return nil
	}
	return readLoad(said, nil)
}
