package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants/machine"
)

func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write the files of a new farm, for what this machine has", ArgsUsage: "[DIR]",
		Description: about(`
			Writes a commented wikictl.toml, examples of a tenant and of a class, schemas for editors and .gitignore into
			DIR, or into the current folder. It looks for php, php-fpm, the web server, MariaDB and MediaWiki here, fills
			in what it finds, and says so. It asks nothing, and never overwrites an existing file.
		`, "wikictl init farm"),
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be written"}},
		Action: a.runInit,
	}
}

// initDocument is the result of init, in JSON.
type initDocument struct {
	Command string     `json:"command"`
	Folder  string     `json:"folder"`
	Found   []string   `json:"found"`
	Missing []string   `json:"missing"`
	Files   []initFile `json:"files"`
}

// initFile is one file of a new farm; its status is "written", "kept", or in a dry run
// "to write".
type initFile struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

func (a *app) runInit(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("init takes one folder")
	}
	dir, err := filepath.Abs(c.Args().First())
	if err != nil {
		return err
	}
	found := machine.Detect(c.Context)
	files, err := machine.Starter(found)
	if err != nil {
		return err
	}
	d := initDocument{Command: "init", Folder: dir, Found: append([]string{}, found.Has...), Missing: append([]string{}, found.Lacks...), Files: []initFile{}}
	write := deploy.CreateNamed
	if c.Bool("dry-run") {
		write = nil
	}
	for _, f := range files {
		status, err := writtenFile(filepath.Join(dir, f.Name), f.Text, write)
		if err != nil {
			return err
		}
		d.Files = append(d.Files, initFile{f.Name, status})
	}
	if asJSON(c) {
		err = ui.WriteJSON(a.stdout, d)
	} else {
		a.tellInit(d)
	}
	if err == nil && c.Bool("dry-run") {
		return dryRunError(len(d.names("to write")) > 0, false)
	}
	return err
}

// writtenFile writes a file with write unless it exists, and returns its status. If write is
// nil, it only checks.
func writtenFile(path string, text []byte, write func(string, []byte, os.FileMode) (bool, error)) (string, error) {
	if write == nil {
		if deploy.Exists(path) {
			return "kept", nil
		}
		return "to write", nil
	}
	created, err := write(path, text, 0o644)
	if err != nil || created {
		return "written", err
	}
	return "kept", nil
}

// names lists the files with a status.
func (d initDocument) names(status string) []string {
	var names []string
	for _, f := range d.Files {
		if f.Status == status {
			names = append(names, f.Name)
		}
	}
	return names
}

func (a *app) tellInit(d initDocument) {
	for _, line := range d.Found {
		fmt.Fprintf(a.stdout, "found     %s\n", ui.Clean(line))
	}
	for _, line := range d.Missing {
		fmt.Fprintf(a.stdout, "missing   %s\n", ui.Clean(line))
	}
	for _, f := range d.Files {
		fmt.Fprintf(a.stdout, "%-8s  %s\n", f.Status, ui.Clean(filepath.Join(d.Folder, f.Name)))
	}
	if len(d.names("written")) > 0 {
		fmt.Fprintf(a.stdout, "next: wikictl --farm %s doctor; then a file for each wiki, such as a copy of tenants/.example.toml\n", ui.Clean(d.Folder))
	}
}
