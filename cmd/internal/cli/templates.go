package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

func (a *app) templatesCommand() *cli.Command {
	return &cli.Command{
		Name: "templates", Usage: "list, show, check or compare the templates of files",
		Description: about("Files in the folder templates replace the built-in templates, or parts of them (wikictl help rendering).", "wikictl templates list"),
		Action:      subcommandHelp("wikictl templates --help lists the commands"),
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the templates in force and where they come from",
				Description: about(`
					Lists each template, the farm's file that replaces it or some of its parts, and the parts that a file can
					replace. It reads the farm's files only.
				`, "wikictl templates list"),
				Action: a.runTemplatesList,
			},
			{
				Name: "show", Usage: "print the text of a template", ArgsUsage: "TEMPLATE",
				Description: about("Prints the farm's own file or, if the farm has none, the built-in text.", "wikictl templates show localsettings.php.tmpl --builtin"),
				Flags:       []cli.Flag{&cli.BoolFlag{Name: "builtin", Usage: "print the built-in text, even if the farm's own file replaces it"}},
				Action:      a.runTemplatesShow, BashComplete: a.completeTemplates,
			},
			{
				Name: "check", Usage: "check the farm's own templates by rendering all wikis",
				Description: about(`
					Reads the templates and renders every wiki and every file of the farm in memory, with placeholders for
					secrets. Mistakes are listed with file, line and column, and the exit code is 78.
				`, "wikictl templates check"),
				Action: a.runTemplatesCheck,
			},
			{
				Name: "diff", Usage: "show how rendered files differ from the deployed ones", ArgsUsage: "[NAME…]",
				Description: about(`
					Shows how the files of wikis, and of the farm as a whole, would change. Without names and --where it takes
					the whole farm. With --builtin it shows how the farm's own templates differ from the built-in ones. The exit
					code is 1 when something differs.
				`, "wikictl templates diff --builtin"),
				Flags:  append(selectionFlags(), &cli.BoolFlag{Name: "builtin", Usage: "compare the templates themselves with the built-in ones"}),
				Action: a.runTemplatesDiff,
			},
		},
	}
}

// templateRow is one template in JSON.
type templateRow struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	File     string   `json:"file"`     // of the farm; empty: it is built in
	Replaces string   `json:"replaces"` // "all", "parts", or nothing
	Parts    []string `json:"parts"`    // that File replaces
	Has      []string `json:"has"`      // parts that a file can replace
	Makes    []string `json:"makes"`    // files of the farm as a whole
}

func (a *app) runTemplatesList(c *cli.Context) error {
	f, set, err := farmTemplates(c)
	if err != nil {
		return err
	}
	rows := []templateRow{}
	for _, i := range set.Infos() {
		row := templateRow{Name: i.Name, Kind: i.Kind, File: i.File, Parts: append([]string{}, i.Parts...), Has: append([]string{}, templates.BuiltinParts(i.Name)...), Makes: []string{}}
		switch {
		case i.Farm:
			for _, file := range f.Files {
				if file.Template == i.Name {
					row.Makes = append(row.Makes, file.Path)
				}
			}
		case len(i.Parts) > 0:
			row.Replaces = "parts"
		case i.Own():
			row.Replaces = "all"
		}
		rows = append(rows, row)
	}
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": "templates list", "templates": rows})
	}
	table := make([][]any, len(rows))
	for i, r := range rows {
		table[i] = []any{r.Name, cmp.Or(r.File, "built-in"), r.what()}
	}
	ui.Table(a.stdout, []any{"template", "from", "what"}, table)
	return nil
}

// what describes what a template replaces, makes or can have replaced.
func (r templateRow) what() string {
	switch {
	case len(r.Makes) > 0:
		return "makes " + strings.Join(r.Makes, ", ")
	case r.Replaces == "parts":
		return "replaces the parts " + strings.Join(r.Parts, ", ")
	case r.Replaces == "all":
		return "replaces the built-in one"
	case len(r.Has) > 0:
		return "has the parts " + strings.Join(r.Has, ", ")
	}
	return ""
}

// farmTemplates reads the farm's definitions and templates.
func farmTemplates(c *cli.Context) (*tenants.Farm, *templates.Set, error) {
	f, err := readFarm(c)
	if err != nil {
		return nil, nil, err
	}
	set, err := templates.Load(f.Templates, f.Files...)
	return f, set, err
}

func (a *app) runTemplatesShow(c *cli.Context) error {
	if c.NArg() != 1 {
		return tenants.WithHint(usagef("name one template"), "wikictl templates list lists them")
	}
	f, err := readFarm(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	text, builtin := templates.Builtin(name)
	own, err := disk.Read(filepath.Join(f.Templates, filepath.Base(name)))
	known := builtin || err == nil && slices.ContainsFunc(f.Files, func(file tenants.File) bool { return file.Template == name })
	switch {
	case !known, !builtin && c.Bool("builtin"):
		return tenants.WithHint(usagef("there is no template %q", name), "wikictl templates list lists them")
	case err == nil && !c.Bool("builtin"):
		text = own
	}
	_, err = a.stdout.Write(text)
	return err
}

func (a *app) runTemplatesCheck(c *cli.Context) error {
	f, set, err := farmTemplates(c)
	if err != nil {
		return err
	}
	if err := set.Check(c.Context, f, nil); err != nil {
		return err
	}
	problems := set.CheckFiles(f)
	for _, t := range f.Tenants {
		for _, p := range t.Faults {
			if strings.HasPrefix(p.Position.File, filepath.Base(f.Templates)+"/") && !slices.Contains(problems, p) {
				problems = append(problems, p)
			}
		}
	}
	if len(problems) > 0 {
		problems.Sort()
		return problems
	}
	own := 0
	for _, i := range set.Infos() {
		if i.Own() {
			own++
		}
	}
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": "templates check", "own": own, "tenants": len(f.Tenants), "files": len(f.Files)})
	}
	_, err = fmt.Fprintf(a.stdout, "templates: %d own, no mistakes with %d wikis and %d files of the farm\n", own, len(f.Tenants), len(f.Files))
	return err
}

func (a *app) runTemplatesDiff(c *cli.Context) error {
	if !c.Bool("builtin") {
		f, err := loadFarm(c)
		if err != nil {
			return err
		}
		return a.previewRender(c, f, true)
	}
	f, set, err := farmTemplates(c)
	if err != nil {
		return err
	}
	diffs := map[string]string{}
	var order []string
	for _, i := range set.Infos() {
		text, wrong := set.Diff(f.Templates, i.Name)
		err = errors.Join(err, wrong)
		if text != "" {
			diffs[i.Name] = text
			order = append(order, i.Name)
		}
	}
	if err != nil {
		return err
	}
	return cmp.Or(a.showTemplateDiffs(c, order, diffs), dryRunError(len(diffs) > 0, false))
}

func (a *app) showTemplateDiffs(c *cli.Context, order []string, diffs map[string]string) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": "templates diff", "diffs": diffs})
	}
	for _, name := range order {
		if _, err := fmt.Fprint(a.stdout, diffs[name]); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "templates: %d differ from the built-in ones\n", len(order))
	return err
}

// completeTemplates completes the names of templates.
func (a *app) completeTemplates(c *cli.Context) {
	a.complete(c, func(f *tenants.Farm) (names []string) {
		set, err := templates.Load(f.Templates, f.Files...)
		if err != nil {
			return nil
		}
		for _, i := range set.Infos() {
			names = append(names, i.Name)
		}
		return names
	})
}
