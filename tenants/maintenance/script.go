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
)

// Script is what to run, as an administrator names it.
type Script struct {
	Name string   // see Locate; empty: Code is run
	Args []string // reach the script as they are
	Dir  string   // the administrator's folder, to which paths are relative
	Code []byte   // PHP, in place of a script
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

// longTitle fits, after "run ", into the ledger's column run.command.
const longTitle = 28

var unfit = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Located is a script of a codebase.
type Located struct {
	File  string // absolute; empty: Class names it
	Class string // as MediaWiki's run.php takes it
	Core  bool   // it stands in MediaWiki's own folder of maintenance scripts
}

// Locate finds a script by the name that an administrator gives it: one of MediaWiki's, such
// as showSiteStats or storage/recompressTracked; one of an extension or skin, as
// Name:script; a class, as Name:Class or with dots for namespaces; a path below the
// codebase; or any file, which begins with /, ./ or ../. ".php" may be left out.
func Locate(c *tenants.Codebase, dir, name string) (Located, error) {
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

// class matches names that can be those of classes and are not of files.
var class = regexp.MustCompile(`^(?:[A-Z]\w*|\w+([.\\]\w+)+)$`)

// ofComponent finds a script of an extension or skin.
func ofComponent(c *tenants.Codebase, name, script string) (Located, error) {
	for _, kind := range []string{"extensions", "skins"} {
		folder := filepath.Join(c.Path, kind, name)
		if info, err := os.Stat(folder); name == "" || err != nil || !info.IsDir() {
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

// found is a file, with or without ".php", or an error.
func found(path, format string, args ...any) (Located, error) {
	if file := existing(path); file != "" {
		return Located{File: file}, nil
	}
	return Located{}, fmt.Errorf(format, args...)
}

// existing is a file, or the same with ".php"; empty when neither is one.
func existing(path string) string {
	for _, file := range []string{path, path + ".php"} {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
	}
	return ""
}

// coreScripts are the names of MediaWiki's own scripts.
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

// runner is the script that runs others, which MediaWiki has since 1.40; empty: there is
// none (Manual:Maintenance scripts).
func runner(c *tenants.Codebase) string {
	return existing(filepath.Join(c.Path, "maintenance", "run.php"))
}

// job makes the job that runs a script by a codebase. MediaWiki's own scripts are run
// directly, so that the fork server learns their classes; those of extensions by run.php, as
// they can't find MediaWiki from a linked folder; and what is no maintenance script is
// PHP that runs as it is.
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
		return j, fmt.Errorf("%s has to be run by maintenance/run.php, which MediaWiki %s does not have", l.File, c.Version)
	}
	return j, nil
}

// isMaintenance matches what run.php takes for a maintenance script.
var isMaintenance = regexp.MustCompile(`(?m)\$maintClass\s*=|^\s*return\s+[\w\\]+::class\s*;`)
