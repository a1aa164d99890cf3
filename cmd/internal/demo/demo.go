package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Demo is a farm of three wikis in one folder, with its own servers.
type Demo struct {
	Dir string // absolute
	Web Web
}

// demoFile stores the choices of a demo's first start.
type demoFile struct {
	Port int    `json:"port"`
	Run  string `json:"run"` // folder of sockets
}

// OpenDemo opens the demo in dir, or chooses its port and folder of sockets.
func OpenDemo(dir string) (*Demo, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var f demoFile
	path := filepath.Join(dir, "demo.json")
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &f)
	} else if errors.Is(err, os.ErrNotExist) {
		f, err = newDemoFile(path, dir)
	}
	d := &Demo{Dir: dir, Web: Web{Dir: f.Run, Port: f.Port, Vhosts: filepath.Join(dir, "state", "vhosts")}}
	return d, err
}

func newDemoFile(path, dir string) (f demoFile, err error) {
	if f.Port, err = FreePort(); err != nil {
		return f, err
	}
	f.Run = filepath.Join(dir, "run")
	data, err := json.Marshal(f)
	if err != nil {
		return f, err
	}
	return f, os.WriteFile(path, append(data, '\n'), 0o644)
}

// URL returns the address of a wiki of the demo.
func (d *Demo) URL(host string) string { return fmt.Sprintf("http://%s:%d/", host, d.Web.Port) }

// WriteFarm writes the farm's files unless they exist. codebases is the folder of 1.39
// and 1.43.
func (d *Demo) WriteFarm(codebases string) error {
	if _, err := os.Stat(filepath.Join(d.Dir, "wikictl.toml")); err == nil {
		return nil
	}
	values := strings.NewReplacer(
		"CODEBASES", codebases, "FPM", d.Web.FPM(), "PORT", fmt.Sprint(d.Web.Port),
		"CHECK", tomlList(d.Web.Check()), "RELOAD", tomlList(d.Web.Reload()), "WORKER", worker(),
	)
	files := demoFiles()
	for name, content := range files {
		path := filepath.Join(d.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(values.Replace(content)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func tomlList(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func worker() string {
	if u := Worker(); u != "" {
		return fmt.Sprintf("user   = %q\n", u)
	}
	return ""
}

// demoFarm is wikictl.toml of the demo and of README.md.
const demoFarm = `# The farm. Everything that wikictl writes is below state.
state   = "state"
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]

[codebases."1.39"]
path = "CODEBASES/1.39"

[codebases."1.43"]
path = "CODEBASES/1.43"

[servers.main]
managed = true              # a private MariaDB below state, reached by its socket

[web]
kind   = "nginx"
listen = ["127.0.0.1:PORT"]
url    = "http://{host}:PORT"
probe  = "http://127.0.0.1:PORT"
fpm    = "FPM"
check  = CHECK
reload = RELOAD
WORKER
[defaults]
codebase = "1.39"
server   = "main"

[defaults.settings]
wgEnableUploads = true
wgGroupPermissions."*".edit = false
`

// demoFiles returns the files of the farm of the demo and of README.md.
func demoFiles() map[string]string {
	return map[string]string{
		"wikictl.toml": demoFarm,
		"classes/handbook.toml": `# Wikis that are written with care: footnotes, and an editor with buttons.
extensions = ["Cite", "ParserFunctions", "WikiEditor"]

[settings]
wgMaxUploadSize = 20971520
`,
		"tenants/alpha.toml": `name     = "alpha"
hosts    = ["alpha.localhost"]
sitename = "Alpha Handbook"
classes  = ["handbook"]
skins    = ["Vector"]
`,
		"tenants/beta.toml": `name     = "beta"
hosts    = ["beta.localhost"]
sitename = "Beta-Wiki"
language = "de"
extensions = ["Gadgets", "Poem"]
skins      = ["Timeless"]
`,
		"tenants/gamma.toml": `name     = "gamma"
hosts    = ["gamma.localhost", "www.gamma.localhost"]
sitename = "Gamma"
codebase = "1.43"
language = "fr"
extensions = ["Echo"]
skins      = ["MonoBook"]
`,
	}
}
