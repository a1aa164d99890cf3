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

// LoadScript returns the script of Load, for a file that PHP's user may read.
func LoadScript() []byte { return loadCode }

// loadLimit bounds the time of loading settings. Loading.CPU ends an endless loop sooner.
const loadLimit = 2 * time.Minute

// Frame is a line of PHP code.
type Frame struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// SettingsError is an error of PHP's command line program while it loaded settings or
// rendered pages.
type SettingsError struct {
	Message string  `json:"message"` // PHP's message
	Frames  []Frame `json:"frames"`  // innermost first; empty if PHP printed none
}

// Error returns PHP's message.
func (e *SettingsError) Error() string { return e.Message }

// Loading describes the settings that Load loads.
type Loading struct {
	Script string        // file that holds LoadScript
	Root   string        // folder of the codebase
	Config string        // the wiki's LocalSettings.php
	Log    string        // see Job
	CPU    time.Duration // limit of processor time, in whole seconds
	Page   bool          // also render siteinfo and the main page, which need the database
}

// Load makes PHP load a wiki's settings as each request does, except for settings that
// depend on a web server (PHP_SAPI). An error of the settings is a *SettingsError.
func (s *Server) Load(ctx context.Context, l Loading) error {
	args := []string{l.Root, strconv.Itoa(int(l.CPU.Seconds()))}
	if l.Page {
		args = append(args, "page")
	}
	before, err := os.Stat(l.Log)
	if err != nil {
		return err
	}
	job := Job{Script: l.Script, Args: args, Config: l.Config, Log: l.Log, Limit: loadLimit}
	_, err = s.Run(ctx, job)
	var failed *JobError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	logged, readErr := os.ReadFile(l.Log)
	if readErr != nil {
		return readErr
	}
	logged = logged[min(int64(len(logged)), before.Size()):]
	if failed == nil && bytes.HasSuffix(logged, []byte("\nwikictl-loaded\n")) {
		return nil
	}
	found := readLoad(logged, failed)
	found.Message = job.masker().Text(found.Message)
	return found
}

// fatalError matches PHP's message of an error that can't be caught; fatalPlace matches
// its place, if PHP printed one.
var (
	fatalError = regexp.MustCompile(`(?m)^(?:PHP )?(?:Fatal|Parse|Recoverable fatal) error: +(.*)$`)
	fatalPlace = regexp.MustCompile(`^(.*) in (/.*?)(?: on line |:)([0-9]+)$`)
)

// readLoad returns the error of the settings, from the output of a failed load.
func readLoad(logged []byte, failed *JobError) *SettingsError {
	found := &SettingsError{}
	for line := range bytes.Lines(logged) {
		if text, ok := bytes.CutPrefix(line, []byte("wikictl-error ")); ok && json.Unmarshal(text, found) == nil {
			return found
		}
	}
	if m := fatalError.FindSubmatch(logged); m != nil {
		found.Message = strings.TrimPrefix(string(m[1]), "Uncaught ")
		if at := fatalPlace.FindStringSubmatch(found.Message); at != nil {
			line, _ := strconv.Atoi(at[3])
			found.Message, found.Frames = at[1], []Frame{{File: at[2], Line: line}}
		}
		found.Frames = append(found.Frames, readTrace(logged)...)
		return found
	}
	text := strings.Join(strings.Fields(string(logged)), " ")
	why := "they end PHP"
	if failed != nil {
		why = "PHP ends: " + failed.Why
	}
	found.Message = strings.TrimSuffix(fmt.Sprintf("%s: %s", why, strings.ToValidUTF8(text[:min(len(text), 300)], "?")), ": ")
	return found
}

// traceLine matches a line of a stack trace of PHP or MediaWiki.
var traceLine = regexp.MustCompile(`(?m)^#[0-9]+ (/.*?)\(([0-9]+)\)`)

// readTrace returns the frames of a printed stack trace.
func readTrace(logged []byte) (frames []Frame) {
	for _, m := range traceLine.FindAllSubmatch(logged, -1) {
		if line, err := strconv.Atoi(string(m[2])); err == nil {
			frames = append(frames, Frame{File: string(m[1]), Line: line})
		}
	}
	return frames
}

// LoggedByFPM asks php-fpm for a wiki's siteinfo, as the web server does, and returns the
// error that PHP logs meanwhile. It returns nil if PHP logs none, or logs to another
// place (php.ini: log_errors, error_log). root is the folder of the codebase, config the
// wiki's LocalSettings.php.
func LoggedByFPM(ctx context.Context, address, root, config, host string) *SettingsError {
	_, logged, err := askFPM(ctx, address, root, config, host, wiki.SiteInfoPath)
	logged = bytes.ReplaceAll(logged, []byte("PHP message: "), nil)
	if err != nil || !fatalError.Match(logged) {
		return nil
	}
	return readLoad(logged, nil)
}

// Compile makes php-fpm render a page by the code in root and the settings in config, so
// that its cache has the code before a reader comes.
func Compile(ctx context.Context, address, root, config string) error {
	_, _, err := askFPM(ctx, address, root, config, "golden.invalid", "/index.php?title=Main_Page")
	return err
}

// askFPM asks php-fpm for a path and query of the wiki with the settings in config, as the web
// server does. It returns the reply and what PHP logged.
func askFPM(ctx context.Context, address, root, config, host, uri string) (reply, logged []byte, err error) {
	path, query, _ := strings.Cut(uri, "?")
	return fpm.Ask(ctx, address, root+path, [][2]string{
		{"MW_CONFIG_FILE", config}, {"SCRIPT_NAME", path}, {"REQUEST_URI", uri}, {"QUERY_STRING", query},
		{"HTTP_HOST", host}, {"SERVER_NAME", host}, {"SERVER_PORT", "80"},
	})
}
