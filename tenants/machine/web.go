package machine

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/process"
)

// WebServer is the configuration of the farm's web server.
type WebServer struct {
	Kind       string      // "nginx" or "apache"
	Program    string      // of web.check; empty: web.check is another command
	Config     string      // its main file; empty: unknown
	Unread     error       // why the configuration was not read
	Directives []Directive // without those of the farm's own virtual hosts
	Excluded   []string    // tenants whose virtual hosts it would not include
	Modules    []string    // of Apache, such as "rewrite_module"
	Links      []string    // symbolic links among its files
	Folder     string      // a folder of *.conf files that it includes where virtual hosts are allowed; empty: none
}

// System reports whether the configuration is that of the distribution's service.
func (w WebServer) System() bool {
	return w.Config == "/etc/nginx/nginx.conf" || w.Config == "/etc/apache2/apache2.conf"
}

// ReadWeb reads the web server configuration that web.check checks. It reads only files
// that the web server reads.
func ReadWeb(ctx context.Context, f *tenants.Farm) WebServer {
	w := WebServer{Kind: f.Web.Kind}
	args := unprivileged(f.Web.Check)
	if len(args) == 0 || !serverNames[w.Kind][filepath.Base(args[0])] {
		return w
	}
	w.Program = args[0]
	w.Config, w.Unread = mainFile(ctx, w.Kind, args)
	if w.Unread != nil {
		return w
	}
	r := &reader{parse: parseNginx, include: []string{"include"}, base: filepath.Dir(w.Config), skip: f.Layout().Vhosts()}
	if w.Kind == "apache" {
		r.parse, r.include = parseApache, []string{"include", "includeoptional"}
	}
	if w.Unread = r.file(w.Config, nil); w.Unread != nil {
		return w
	}
	w.Directives, w.Links = r.found, r.links
	w.includes(f, r)
	if w.Kind == "apache" {
		w.Modules = append(loaded(r.found), builtIn(ctx, w.Program)...)
	}
	return w
}

// unprivileged removes sudo and doas from a command, and of a shell's text what follows the first
// command.
func unprivileged(args []string) []string {
	if len(args) == 3 && (filepath.Base(args[0]) == "sh" || filepath.Base(args[0]) == "bash") && args[1] == "-c" {
		first, _, _ := strings.Cut(args[2], "&&")
		return unprivileged(strings.Fields(first))
	}
	for len(args) > 0 && (filepath.Base(args[0]) == "sudo" || filepath.Base(args[0]) == "doas" || args[0] == "-n") {
		args = args[1:]
	}
	return args
}

// serverNames lists the programs that check a configuration, by web server.
var serverNames = map[string]map[string]bool{
	"nginx":  {"nginx": true},
	"apache": {"apache2": true, "apache2ctl": true, "apachectl": true, "httpd": true},
}

// includes finds the tenants whose virtual hosts no include matches, and a folder for
// further ones.
func (w *WebServer) includes(f *tenants.Farm, r *reader) {
	var patterns []string
	for _, d := range w.Directives {
		if slices.Contains(r.include, strings.ToLower(d.Name)) && len(d.Args) > 0 && d.within(w.blocks()...) {
			patterns = append(patterns, d.Args[0])
		}
	}
	names := []string{"x"} // for a farm without tenants
	if len(f.Tenants) > 0 {
		names = nil
	}
	for _, t := range f.Tenants {
		names = append(names, t.Name)
	}
	for _, name := range names {
		file := f.Layout().Vhost(name)
		switch { // the block of the include with the wikis' virtual hosts
		case f.Web.Map:
			file = f.Layout().DefaultVhost()
		case f.Parts[name]:
			file = f.Layout().HostsVhost()
		}
		read := func(pattern string) bool { return r.matches(pattern, file) }
		if !slices.ContainsFunc(patterns, read) {
			w.Excluded = append(w.Excluded, name)
		}
	}
	for _, pattern := range patterns {
		dir, base := filepath.Split(r.absolute(pattern))
		if dir = filepath.Clean(dir); base == "*.conf" && dir != f.Layout().Vhosts() && !strings.ContainsAny(dir, "*?[") {
			w.Folder = dir
			return
		}
	}
}

// blocks returns the blocks in which virtual hosts are allowed.
func (w *WebServer) blocks() []string {
	if w.Kind == "nginx" {
		return []string{"http"}
	}
	return nil
}

// The configuration's place in the output of nginx -V and apache2 -V.
var (
	nginxPath  = regexp.MustCompile(`--conf-path=(\S+)`)
	apacheRoot = regexp.MustCompile(`HTTPD_ROOT="([^"]*)"`)
	apacheFile = regexp.MustCompile(`SERVER_CONFIG_FILE="([^"]*)"`)
)

// otherPlace matches an option that moves the configuration of nginx or Apache.
var otherPlace = regexp.MustCompile(`^-[cfpd]`)

// mainFile returns the main configuration file of a check command: from its options, or
// the program's default.
func mainFile(ctx context.Context, kind string, args []string) (string, error) {
	option := map[string]string{"nginx": "-c", "apache": "-f"}[kind]
	if at := slices.Index(args, option); at >= 0 && at+1 < len(args) && filepath.IsAbs(args[at+1]) {
		return filepath.Clean(args[at+1]), nil
	}
	if elsewhere := slices.IndexFunc(args, func(a string) bool { return otherPlace.MatchString(a) }); elsewhere >= 0 {
		return "", fmt.Errorf("%s is not an absolute path", strings.Join(args[elsewhere:], " "))
	}
	var out bytes.Buffer
	_, err := process.Run(ctx, process.Program{Name: args[0], Args: []string{"-V"}, Env: process.Inherited(), Stdout: &out, Stderr: &out})
	if err != nil {
		return "", fmt.Errorf("ask %s for its configuration file: %w", args[0], err)
	}
	if m := nginxPath.FindSubmatch(out.Bytes()); kind == "nginx" && m != nil {
		return string(m[1]), nil
	}
	file := apacheFile.FindSubmatch(out.Bytes())
	if kind != "apache" || file == nil {
		return "", fmt.Errorf("%s -V does not print its configuration file", args[0])
	}
	if root := apacheRoot.FindSubmatch(out.Bytes()); root != nil && !filepath.IsAbs(string(file[1])) {
		return filepath.Join(string(root[1]), string(file[1])), nil
	}
	return string(file[1]), nil
}

// loaded lists the modules that Apache's directives load.
func loaded(all []Directive) []string {
	var names []string
	for _, d := range all {
		if strings.EqualFold(d.Name, "LoadModule") && len(d.Args) > 0 {
			names = append(names, d.Args[0])
		}
	}
	return names
}

// builtIn lists the modules that are compiled into Apache.
func builtIn(ctx context.Context, program string) []string {
	var out bytes.Buffer
	_, err := process.Run(ctx, process.Program{Name: program, Args: []string{"-l"}, Env: process.Inherited(), Stdout: &out})
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(out.String()) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), ".c"); ok {
			names = append(names, strings.TrimPrefix(name, "mod_")+"_module")
		}
	}
	return names
}
