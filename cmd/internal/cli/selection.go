package cli

import (
	"github.com/urfave/cli/v2"

	"wikictl/tenants"
)

// selectionFlags select tenants.
func selectionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "all", Usage: "take every tenant of the farm"},
		&cli.StringFlag{Name: "where", Usage: "take the tenants that match an expression, such as 'class=kernel and not skin=Timeless'"},
	}
}

// selects reports whether names or --where select tenants.
func selects(c *cli.Context) bool { return c.Args().Present() || c.String("where") != "" }

// chosen returns the selected tenants; a missing selection is an error.
func chosen(c *cli.Context, f *tenants.Farm) ([]*tenants.Tenant, error) {
	switch {
	case c.Bool("all") && selects(c):
		return nil, usagef("--all can't be combined with names or --where")
	case c.Bool("all"):
		return f.Tenants, nil
	}
	return tenants.Select(f, c.Args().Slice(), c.String("where"))
}

// chosenOrAll returns the selected tenants of a read-only command, by default all. whole reports
// whether they are the whole farm.
func chosenOrAll(c *cli.Context, f *tenants.Farm) (list []*tenants.Tenant, whole bool, err error) {
	if !selects(c) {
		return f.Tenants, true, nil
	}
	list, err = chosen(c, f)
	return list, false, err
}

// farmAndChosenOrAll reads the farm and selects tenants as chosenOrAll does.
func farmAndChosenOrAll(c *cli.Context) (f *tenants.Farm, list []*tenants.Tenant, whole bool, err error) {
	if f, err = loadFarm(c); err != nil {
		return nil, nil, false, err
	}
	list, whole, err = chosenOrAll(c, f)
	return f, list, whole, err
}

// namesOf returns the set of tenants' names.
func namesOf(list []*tenants.Tenant) map[string]bool {
	names := make(map[string]bool, len(list))
	for _, t := range list {
		names[t.Name] = true
	}
	return names
}

// chosenOr returns the selected tenants of a command on which a flag can select, too: without
// names and --where it returns all if that flag is given.
func chosenOr(c *cli.Context, f *tenants.Farm, flag string) ([]*tenants.Tenant, error) {
	if c.String(flag) != "" && !selects(c) {
		return f.Tenants, nil
	}
	return chosen(c, f)
}

// farmAndChosen reads the farm and selects tenants as chosen does.
func farmAndChosen(c *cli.Context) (*tenants.Farm, []*tenants.Tenant, error) {
	return chosenOf(c, loadFarm)
}

// chosenOf returns the farm that load returns, and its tenants that chosen selects.
func chosenOf(c *cli.Context, load func(*cli.Context) (*tenants.Farm, error)) (*tenants.Farm, []*tenants.Tenant, error) {
	f, err := load(c)
	if err != nil {
		return nil, nil, err
	}
	list, err := chosen(c, f)
	return f, list, err
}

// onFarm is the action of a command that works on the farm that read returns.
func onFarm(read func(*cli.Context) (*tenants.Farm, error), do func(*cli.Context, *tenants.Farm) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		f, err := read(c)
		if err != nil {
			return err
		}
		return do(c, f)
	}
}

// onChosen is the action of a command that works on the tenants that read returns.
func onChosen(read func(*cli.Context) (*tenants.Farm, []*tenants.Tenant, error), do func(*cli.Context, *tenants.Farm, []*tenants.Tenant) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		f, list, err := read(c)
		if err != nil {
			return err
		}
		return do(c, f, list)
	}
}

// onChosenOrAll is the action of a read-only command that works on the selected tenants, by
// default all. whole reports whether they are the whole farm.
func onChosenOrAll(do func(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, whole bool) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		f, list, whole, err := farmAndChosenOrAll(c)
		if err != nil {
			return err
		}
		return do(c, f, list, whole)
	}
}
