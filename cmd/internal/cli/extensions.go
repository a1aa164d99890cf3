package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/components"
)

func (a *app) extensionsCommand() *cli.Command {
	return &cli.Command{
		Name: "extensions", Usage: "fetch extensions and skins from repositories and archives, and check them",
		Description: about(`
			[extensions] and [skins] of wikictl.toml say what is fetched from where (wikictl help files). The commands
			take names of extensions and skins.
		`, "wikictl extensions outdated"),
		Action: subcommandHelp("wikictl help extensions lists them"),
		Subcommands: []*cli.Command{
			{
				Name: "fetch", Usage: "fetch the versions in the lock file, and add new components to it", ArgsUsage: "[NAME…]",
				Description: about(`
					Fetches extensions and skins into folders below the state folder, once for all wikis, and writes
					`+tenants.LockFile+` beside wikictl.toml, with their commits and hashes. Keep that file in git: another machine then
					fetches the same files, or reports that they differ. Wikis keep running what they run until wikictl apply or
					wikictl upgrade. After an interruption, run it again.
				`, "wikictl extensions fetch --dry-run"),
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "update", Usage: "fetch the current commits of branches and tags, in place of those in the lock file"},
					dryRunFlag("what would be fetched"),
				},
				Action: a.runFetch, BashComplete: a.completeSources,
			},
			{
				Name: "outdated", Usage: "show the components whose branch or tag has moved since they were fetched", ArgsUsage: "[NAME…]",
				Description: about("Asks the repositories, and changes nothing. It exits with 1 when something is outdated or not fetched yet.", "wikictl extensions outdated"),
				Action:      a.runOutdated, BashComplete: a.completeSources,
			},
			{
				Name: "verify", Usage: "compare the files that were fetched with the lock file", ArgsUsage: "[NAME…]",
				Description: about(`
					Reads all files, and changes nothing. It exits with 1 when some are missing or differ; wikictl extensions
					fetch repairs them.
				`, "wikictl extensions verify"),
				Action: a.runVerify, BashComplete: a.completeSources,
			},
		},
	}
}

// componentRow is one extension or skin in JSON.
type componentRow struct {
	Kind      string   `json:"kind"`
	Name      string   `json:"name"`
	Codebases []string `json:"codebases"`
	Source    string   `json:"source"`
	Version   string   `json:"version,omitempty"`
	Commit    string   `json:"commit,omitempty"`
	Newest    string   `json:"newest,omitempty"`
	Tree      string   `json:"tree,omitempty"`
	Status    string   `json:"status"`
	Error     string   `json:"error,omitempty"`
}

func rowOfSource(s tenants.Source, l tenants.Locked, status string, err error) componentRow {
	row := componentRow{Kind: s.Kind(), Name: s.Name, Codebases: s.Codebases, Source: cmp.Or(s.Git, s.Archive), Version: s.Version, Commit: l.Commit, Tree: l.Tree, Status: status}
	if err != nil {
		row.Error = err.Error()
	}
	return row
}

// sourcesOf loads the farm, and refuses names that no source has.
func (a *app) sourcesOf(c *cli.Context) (*tenants.Farm, []string, error) {
	f, err := readFarm(c)
	if err != nil {
		return nil, nil, err
	}
	known := namesOfSources(f)
	for _, name := range c.Args().Slice() {
		if !slices.Contains(known, name) {
			return nil, nil, tenants.WithHint(usagef("nothing in [extensions] and [skins] of %s says where to fetch %q from", tenants.FarmFile, name),
				cmp.Or(tenants.DidYouMean(name, slices.Values(known)), "add git and version, or archive and sha256"))
		}
	}
	return f, c.Args().Slice(), nil
}

func (a *app) runFetch(c *cli.Context) error {
	f, names, err := a.sourcesOf(c)
	if err != nil {
		return err
	}
	dryRun := c.Bool("dry-run")
	if !dryRun {
		a.reach(changing)
	}
	outcomes, err := components.Fetch(c.Context, f, components.Options{
		Names: names, Update: c.Bool("update"), DryRun: dryRun, Drain: a.drained, Hook: a.hook,
		Say: func(message string) { fmt.Fprintln(a.stderr, ui.Clean(message)) },
	})
	if err != nil && outcomes == nil {
		return err
	}
	rows, differs, skipped := []componentRow{}, false, false
	var failures []error
	for _, o := range outcomes {
		row := rowOfSource(o.Source, o.Locked, string(o.Status), o.Err)
		switch o.Status {
		case components.Failed:
			failures = append(failures, fmt.Errorf("%s: %w", o.Source.Name, o.Err))
		case components.Skipped:
			skipped = true
		}
		differs = differs || o.Status == components.ToDo
		rows = append(rows, row)
	}
	err = errors.Join(err, a.printComponents(c, rows))
	switch {
	case len(failures) > 0:
		return errors.Join(err, partFailed(failures))
	case skipped:
		return errors.Join(err, errInterrupted)
	}
	return cmp.Or(err, dryRunError(differs, false))
}

func (a *app) runOutdated(c *cli.Context) error {
	f, names, err := a.sourcesOf(c)
	if err != nil {
		return err
	}
	rows, found := []componentRow{}, false
	var failures []error
	for _, check := range components.Outdated(c.Context, f, names) {
		status := "current"
		switch {
		case check.Err != nil:
			status = "unknown"
			failures = append(failures, fmt.Errorf("%s: %w", check.Source.Name, check.Err))
		case check.Locked.Tree == "":
			status = "not fetched"
		case check.Newest != check.Locked.Commit:
			status = "outdated"
		}
		found = found || status == "outdated" || status == "not fetched"
		row := rowOfSource(check.Source, check.Locked, status, check.Err)
		row.Newest = check.Newest
		rows = append(rows, row)
	}
	return a.resultOfComponents(c, rows, found, failures)
}

func (a *app) runVerify(c *cli.Context) error {
	f, names, err := a.sourcesOf(c)
	if err != nil {
		return err
	}
	rows, found := []componentRow{}, false
	for _, check := range components.Verify(c.Context, f, names) {
		status := "good"
		if check.Err != nil {
			status, found = "other", true
		}
		rows = append(rows, rowOfSource(check.Source, check.Locked, status, check.Err))
	}
	return a.resultOfComponents(c, rows, found, nil)
}

// resultOfComponents prints the result of a command that changes nothing, and returns its error.
func (a *app) resultOfComponents(c *cli.Context, rows []componentRow, found bool, failures []error) error {
	err := errors.Join(a.printComponents(c, rows), c.Context.Err())
	switch {
	case err != nil:
		return err
	case len(failures) > 0:
		return partFailed(failures)
	case found:
		return errFound
	}
	return nil
}

// printComponents prints a table, followed by the errors.
func (a *app) printComponents(c *cli.Context, rows []componentRow) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": callOf(c), "components": rows})
	}
	if len(rows) == 0 {
		fmt.Fprintln(a.stdout, "nothing in [extensions] and [skins] of "+tenants.FarmFile+" is fetched")
		return nil
	}
	table := make([][]any, len(rows))
	for i, r := range rows {
		now := short(r.Commit)
		if r.Newest != "" && r.Newest != r.Commit {
			now = strings.TrimSpace(now + " -> " + short(r.Newest))
		}
		table[i] = []any{r.Name, r.Kind, strings.Join(r.Codebases, " "), ui.Clean(strings.TrimSpace(r.Source + " " + r.Version)), now, r.Status}
	}
	ui.Table(a.stdout, []any{"name", "kind", "codebases", "source", "commit", "status"}, table)
	for _, r := range rows {
		if r.Error != "" {
			fmt.Fprintln(a.stdout, ui.Clean(r.Name+": "+r.Error))
		}
	}
	return nil
}

// short returns the first 12 characters of a commit's id.
func short(commit string) string { return commit[:min(len(commit), 12)] }

// completeSources completes names of extensions and skins that are fetched.
func (a *app) completeSources(c *cli.Context) {
	a.complete(c, namesOfSources)
}

func namesOfSources(f *tenants.Farm) (names []string) {
	for _, s := range f.Sources {
		names = append(names, s.Name)
	}
	return names
}
