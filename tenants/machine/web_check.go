package machine

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/templates"
	"wikictl/tenants"
)

// CheckWeb checks from its configuration whether the web server would serve the farm's
// wikis: it includes their virtual hosts, no other virtual host conflicts with them, and
// it has the required modules.
func CheckWeb(f *tenants.Farm, w WebServer) []Finding {
	at := f.At("web.check")
	finding := func(check string, level Level, format string, args ...any) Finding {
		return Finding{Check: w.Kind + "-" + check, Level: level, Message: fmt.Sprintf(format, args...), Key: "web.check", Position: at}
	}
	switch {
	case len(f.Web.Check) == 0:
		found := finding("config", Warning, "web.check is not set, so a mistake in a virtual host would stop the web server")
		found.Hint = `such as check = ["nginx", "-t"]`
		return []Finding{found}
	case w.Program == "":
		found := finding("config", Note, "web.check runs %s, so the web server's configuration is unknown", f.Web.Check[0])
		found.Hint = fmt.Sprintf("make sure that it includes %s/*.conf", f.Layout().Vhosts())
		return []Finding{found}
	case w.Unread != nil:
		found := finding("config", Note, "the configuration of %s was not read: %s", w.Kind, w.Unread)
		found.Hint = fmt.Sprintf("make sure that it includes %s/*.conf", f.Layout().Vhosts())
		return []Finding{found}
	}
	found := []Finding{w.checkInclude(f, finding)}
	if w.Kind == "nginx" {
		return append(found, w.checkDefaults(f, finding)...)
	}
	return append(found, w.checkModules(f, finding), w.checkListen(f, finding))
}

// newFinding returns a finding about the web server.
type newFinding func(check string, level Level, format string, args ...any) Finding

// checkInclude checks that the virtual hosts of all tenants are included.
func (w WebServer) checkInclude(f *tenants.Farm, finding newFinding) Finding {
	pattern := filepath.Join(f.Layout().Vhosts(), "*.conf")
	if len(w.Excluded) == 0 {
		return finding("include", OK, "%s includes %s", w.Config, pattern)
	}
	found := finding("include", Error, "%s does not include %s, so it would serve no wiki", w.Config, pattern)
	if n := len(w.Excluded); n < len(f.Tenants) {
		found.Message = fmt.Sprintf("%s includes only some of %s: not that of %s", w.Config, pattern, w.Excluded[0])
	}
	line := "include " + quoted(pattern) + ";"
	place := "inside http { } of "
	if w.Kind == "apache" {
		line, place = "IncludeOptional "+quoted(pattern), "to "
	}
	switch {
	case w.Folder == "":
		found.Hint = fmt.Sprintf("add the line %s %s%s", line, place, w.Config)
	case filepath.Base(w.Folder) == "conf-enabled" && w.System():
		available := filepath.Join(filepath.Dir(w.Folder), "conf-available", "wikictl.conf")
		found.Repair = []string{fmt.Sprintf("echo %s >> %s", quote(line), quote(available)), "a2enconf wikictl"}
	default:
		found.Repair = []string{fmt.Sprintf("echo %s >> %s", quote(line), quote(filepath.Join(w.Folder, "wikictl.conf")))}
	}
	return found
}

// quoted quotes a path for nginx and Apache.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\";{}#$\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
	}
	return path
}

// checkDefaults reports other default servers of nginx on the farm's addresses: nginx
// allows one per address, and the farm's answers for unknown host names.
func (w WebServer) checkDefaults(f *tenants.Farm, finding newFinding) []Finding {
	ours := map[string]bool{}
	for _, listen := range templates.DefaultListens(f) {
		ours[address(strings.Fields(listen)[0])] = true
	}
	var found []Finding
	var files []string
	for _, d := range w.Directives {
		if d.Name != "listen" || !d.within("http", "server") || len(d.Args) == 0 || slices.Contains(files, d.File) {
			continue
		}
		isDefault := slices.Contains(d.Args[1:], "default_server") || slices.Contains(d.Args[1:], "default")
		if !isDefault || !ours[address(d.Args[0])] {
			continue
		}
		files = append(files, d.File)
		found = append(found, w.otherDefault(d, finding))
	}
	if len(found) == 0 {
		found = append(found, finding("default", OK, "no other default server listens where the farm does"))
	}
	return found
}

// otherDefault reports a conflicting default server. Its repair disables only Debian's
// own site, whose file stays in sites-available: another site may be in use.
func (w WebServer) otherDefault(d Directive, finding newFinding) Finding {
	found := finding("default", Error, "%s defines a default server of %s, and nginx refuses a second one, which wikictl writes for unknown host names", d.Place(), d.Args[0])
	switch {
	case filepath.Base(d.File) == "+default.conf":
		found.Hint = fmt.Sprintf("%s belongs to another farm: two farms on one nginx need different addresses (listen in [web])", d.File)
	case filepath.Base(filepath.Dir(d.File)) == "sites-enabled" && filepath.Base(d.File) == "default" && slices.Contains(w.Links, d.File):
		found.Repair = []string{"rm " + quote(d.File)}
	default:
		found.Hint = "remove the word default_server there"
	}
	return found
}

// address returns the address of an nginx listen in a canonical form (nginx: listen).
func address(listen string) string {
	if strings.HasPrefix(listen, "unix:") {
		return listen
	}
	host, port, err := net.SplitHostPort(listen)
	switch {
	case err == nil:
	case strings.Trim(listen, "0123456789") == "":
		host, port = "", listen
	default:
		host, port = strings.Trim(listen, "[]"), "80"
	}
	if host == "" || host == "0.0.0.0" {
		host = "*"
	}
	return net.JoinHostPort(host, port)
}

// apacheModules lists the modules that Apache's virtual hosts need besides those that
// Debian enables.
var apacheModules = []string{"alias", "headers", "mime", "proxy", "proxy_fcgi", "rewrite"}

func (w WebServer) checkModules(f *tenants.Farm, finding newFinding) Finding {
	needed := apacheModules
	if f.Web.Certificate != "" {
		needed = append(slices.Clone(needed), "ssl")
	}
	if f.Web.HTTP2 {
		needed = append(slices.Clone(needed), "http2")
	}
	if len(f.Web.Proxies) > 0 {
		needed = append(slices.Clone(needed), "remoteip")
	}
	var missing []string
	for _, name := range needed {
		if !slices.Contains(w.Modules, name+"_module") {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return finding("modules", OK, "Apache has the modules %s", strings.Join(needed, ", "))
	}
	found := finding("modules", Error, "Apache does not load the modules %s, which virtual hosts of wikis need", strings.Join(missing, ", "))
	if w.System() {
		found.Repair = []string{"a2enmod " + strings.Join(missing, " ")}
	} else {
		found.Hint = "load them with LoadModule in " + w.Config
	}
	return found
}

// checkListen checks that Apache listens on the farm's ports.
func (w WebServer) checkListen(f *tenants.Farm, finding newFinding) Finding {
	var ports []string
	for _, d := range w.Directives {
		if strings.EqualFold(d.Name, "Listen") && len(d.Args) > 0 {
			ports = append(ports, port(d.Args[0]))
		}
	}
	for _, listen := range templates.DefaultListens(f) {
		wanted := port(strings.Fields(listen)[0])
		if slices.Contains(ports, wanted) {
			continue
		}
		found := finding("listen", Error, "Apache does not listen on port %s of web.listen", wanted)
		if w.System() {
			found.Repair = []string{fmt.Sprintf("echo %s >> /etc/apache2/ports.conf", quote("Listen "+wanted))}
		} else {
			found.Hint = fmt.Sprintf("add the line Listen %s to %s", wanted, w.Config)
		}
		return found
	}
	return finding("listen", OK, "Apache listens on the farm's ports")
}

// port returns the port of an address.
func port(listen string) string {
	_, port, err := net.SplitHostPort(address(listen))
	if err != nil {
		return listen
	}
	return port
}
