package maintenance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// Script is a script to run, as named by an administrator.
type Script struct {
	Name string   // see locate; empty: run Code
	Args []string // arguments, passed unchanged
	Dir  string   // base of relative paths
	Code []byte   // PHP code to run instead of a script

	Input   []byte // what the script of each tenant reads on standard input; nil: nothing
	Offered bool   // standard input has something, or may have, which is not read for Input
}

// Title names the script in logs and in the ledger.
func (s Script) Title() string {
	if s.Name == "" {
		return "eval"
	}
	name := s.Name[strings.LastIndexAny(s.Name, `/:\`)+1:]
	name = strings.TrimSuffix(unfit.ReplaceAllString(name, "-"), ".php")
	return name[:min(len(name), longTitle)]
}

// longTitle is the longest title that fits, after "run ", into the ledger's column
// run.command.
const longTitle = 28

var unfit = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Located is a script in a codebase.
type Located struct {
	File  string // absolute path; empty: use Class
	Class string // class name for MediaWiki's run.php
	Core  bool   // the script is in MediaWiki's own folder of maintenance scripts
}

// locate finds a script by the name that an administrator gives it: one of MediaWiki's, such
// as showSiteStats or storage/recompressTracked; one of an extension or skin, as
// Name:script; a class, as Name:Class or with dots for namespaces; a path below the
// codebase; or any file, by a path that begins with /, ./ or ../. ".php" may be omitted.
func locate(c *tenants.Codebase, dir, name string) (Located, error) {
	component, script, named := strings.Cut(name, ":")
	switch {
	case strings.HasPrefix(name, "/"), strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"):
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return found(name, "there is no file %s", name)
	case named && !strings.Contains(component, "/"):
		return ofComponent(c, component, script)
	}
	if file := existing(filepath.Join(c.Path, "maintenance", name)); file != "" {
		return Located{File: file, Core: true}, nil
	}
	if strings.Contains(name, "/") {
		return found(filepath.Join(c.Path, name), "codebase %s has no script %s; a path of another file begins with ./ or /", c.Name, name)
	}
	if class.MatchString(name) && runner(c) != "" {
		return Located{Class: name}, nil
	}
	return Located{}, tenants.WithHint(fmt.Errorf("codebase %s has no script %q", c.Name, name), tenants.DidYouMean(strings.TrimSuffix(name, ".php"), slices.Values(coreScripts(c))))
}

// class matches names of classes that can't be file names.
var class = regexp.MustCompile(`^(?:[A-Z]\w*|\w+([.\\]\w+)+)$`)

// ofComponent returns a script of an extension or skin.
func ofComponent(c *tenants.Codebase, name, script string) (Located, error) {
	for _, kind := range []string{"extensions", "skins"} {
		folder := filepath.Join(c.Path, kind, name)
		if name == "" || !disk.IsFolder(folder) {
			continue
		}
		if file := existing(filepath.Join(folder, "maintenance", script)); file != "" {
			return Located{File: file}, nil
		}
		if class.MatchString(script) && runner(c) != "" {
			return Located{Class: name + ":" + script}, nil
		}
		return Located{}, fmt.Errorf("codebase %s: %s has no script %q in its folder maintenance", c.Name, name, script)
	}
	return Located{}, fmt.Errorf("codebase %s has no extension and no skin %q", c.Name, name)
}

// found returns a file, with or without ".php", or an error.
func found(path, format string, args ...any) (Located, error) {
	if file := existing(path); file != "" {
		return Located{File: file}, nil
	}
	return Located{}, fmt.Errorf(format, args...)
}

// existing returns path or path with ".php", whichever exists; otherwise "".
func existing(path string) string {
	for _, file := range []string{path, path + ".php"} {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
	}
	return ""
}

// coreScripts returns the names of MediaWiki's own scripts.
func coreScripts(c *tenants.Codebase) (names []string) {
	files, err := os.ReadDir(filepath.Join(c.Path, "maintenance"))
	if err != nil {
		return nil
	}
	for _, file := range files {
		if name, is := strings.CutSuffix(file.Name(), ".php"); is {
			names = append(names, name)
		}
	}
	return names
}

// runner returns the path of run.php, which MediaWiki has since 1.40, or ""
// (Manual:Maintenance scripts).
func runner(c *tenants.Codebase) string {
	return existing(filepath.Join(c.Path, "maintenance", "run.php"))
}

// job returns the job that runs a script with a codebase. MediaWiki's own scripts run
// directly, so that the fork server knows their classes. Those of extensions run by
// run.php, since they can't find MediaWiki from a linked folder. Any other file runs as
// plain PHP.
func (l Located) job(c *tenants.Codebase, args []string) (php.Job, error) {
	j := php.Job{Script: l.File, Args: args, Env: map[string]string{"MW_INSTALL_PATH": c.Path}}
	switch {
	case l.Class != "":
		j.Script, j.Args = runner(c), append([]string{l.Class}, args...)
		return j, nil
	case l.Core:
		return j, nil
	}
	code, err := os.ReadFile(l.File)
	if err != nil {
		return j, err
	}
	run := runner(c)
	direct, wrapped := bytes.Contains(code, []byte("RUN_MAINTENANCE_IF_MAIN")), isMaintenance.Match(code)
	switch {
	case run != "" && (direct || wrapped):
		j.Script, j.Args = run, append([]string{l.File}, args...)
	case wrapped && !direct:
		return j, fmt.Errorf("%s can only be run by maintenance/run.php, which MediaWiki %s does not have", l.File, c.Version)
	}
	return j, nil
}

// isMaintenance matches the code of a script that run.php accepts.
var isMaintenance = regexp.MustCompile(`(?m)\$maintClass\s*=|^\s*return\s+[\w\\]+::class\s*;`)
