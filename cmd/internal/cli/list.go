package cli

import (
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
)

func (a *app) listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list tenants", ArgsUsage: "[NAME…]",
		Description: about("Lists the tenants that the farm's files define. It connects to nothing.", "wikictl list --where 'codebase=1.39'"),
		Flags:       selectionFlags(),
		Action:      onChosenOrAll(a.runList),
	}
}

// listed is one tenant in JSON.
type listed struct {
	Name       string   `json:"name"`
	Hosts      []string `json:"hosts"`
	Sitename   string   `json:"sitename"`
	Codebase   string   `json:"codebase"`
	Version    string   `json:"version"`
	Server     string   `json:"server"`
	Database   string   `json:"database"`
	Language   string   `json:"language"`
	Classes    []string `json:"classes"`
	Extensions []string `json:"extensions"`
	Skins      []string `json:"skins"`
	Blocked    []string `json:"blocked,omitempty"` // why no command creates or changes it
}

func (a *app) runList(c *cli.Context, _ *tenants.Farm, list []*tenants.Tenant, _ bool) error {
	if asJSON(c) {
		out := make([]listed, len(list))
		for i, t := range list {
			out[i] = rowOf(t)
		}
		return ui.WriteJSON(a.stdout, out)
	}
	a.printList(list)
	return nil
}

func rowOf(t *tenants.Tenant) listed {
	return listed{t.Name, t.Places(), t.Sitename, t.Codebase.Name, t.Codebase.Version, t.Server.Name, t.Database, t.Language, t.Classes, t.Extensions, t.Skins, faultsOf(t)}
}

// printList prints tenants as a table, followed by the faults of blocked ones.
func (a *app) printList(list []*tenants.Tenant) {
	header := []any{"name", "version", "language", "server", "database", "host", "classes"}
	faults := ui.Grouped{}
	rows := make([][]any, len(list))
	for i, t := range list {
		rows[i] = []any{t.Name, t.Codebase.Version, t.Language, t.Server.Name, t.Database, t.Places()[0], strings.Join(t.Classes, " ")}
		for _, fault := range faultsOf(t) {
			faults.Add(fault, t.Name)
		}
	}
	if faults.Len() > 0 {
		header = append(header, "")
		for i, t := range list {
			mark := ""
			if t.Blocked() {
				mark = "blocked"
			}
			rows[i] = append(rows[i], mark)
		}
	}
	ui.Table(a.stdout, header, rows)
	faults.Print(a.stdout, "blocked")
}

// faultsOf returns a tenant's faults, one per line.
func faultsOf(t *tenants.Tenant) []string {
	var lines []string
	for _, p := range t.Faults {
		lines = append(lines, p.String())
	}
	return lines
}
