package cli

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/maintenance"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

func (a *app) jobsCommand() *cli.Command {
	return &cli.Command{
		Name: "jobs", Usage: "run MediaWiki's job queues, or show them",
		Description: about("MediaWiki puts work, such as updates of links, into a queue in each wiki's database (wikictl help maintenance).", "wikictl jobs status"),
		Action:      subcommandHelp("wikictl help jobs lists them"),
		Subcommands: []*cli.Command{a.jobsStatusCommand(), a.jobsRunCommand(), a.jobsUnitCommand()},
	}
}

func (a *app) jobsStatusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show how many jobs wait, for how long, and how many were run", ArgsUsage: "[NAME…]",
		Description: about("Without names and --where it shows the whole farm.", "wikictl jobs status"),
		Flags:       selectionFlags(), Action: onChosenOrAll(a.runJobsStatus),
	}
}

func (a *app) jobsRunCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "run jobs until none waits, or forever", ArgsUsage: "NAME…",
		Description: about(`
			Runs MediaWiki's runJobs.php for the wikis that have jobs, each for a short while at a time, so that a
			single job does not wait for the long queue of another wiki. How many at once, their memory and time, and the shares of
			wikis are in [jobs] of wikictl.toml. A wiki whose jobs can't be run is retried after longer and longer pauses. With
			--forever it is a service: it reads changed definitions, and after TERM it finishes running jobs and ends.
		`, "wikictl jobs run --all"),
		Flags: append(selectionFlags(),
			&cli.IntFlag{Name: "children", Usage: "PHP processes at once", DefaultText: "children of [jobs], or one for each core"},
			&cli.DurationFlag{Name: "share", Usage: "how long the jobs of a wiki of weight 1 may run in a turn", Value: 2 * time.Second},
			&cli.BoolFlag{Name: "forever", Usage: "wait for new jobs when the queues are empty"},
		),
		Action: a.runJobsRun,
	}
}

// backlogRow is one tenant's queue in JSON.
type backlogRow struct {
	Tenant    string     `json:"tenant"`
	Ready     int64      `json:"ready"`
	Claimed   int64      `json:"claimed"`
	Abandoned int64      `json:"abandoned"`
	Oldest    *time.Time `json:"oldest"`
	Done      int64      `json:"done_in_a_day"`
	Failed    int64      `json:"failed_in_a_day"`
	Seconds   float64    `json:"seconds_in_a_day"`
	Error     string     `json:"error,omitempty"`
}

func (a *app) runJobsStatus(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, _ bool) error {
	return a.withHost(f, true, func(h *session.Host) error {
		all, err := maintenance.Backlogs(c.Context, h, list)
		if err != nil {
			return stopped(f, err)
		}
		var failures []error
		for _, b := range all {
			if b.Err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", b.Tenant, b.Err))
			}
		}
		err = errors.Join(failures...)
		if !asJSON(c) {
			a.printBacklogs(all)
			return err
		}
		rows := make([]backlogRow, len(all))
		for i, b := range all {
			rows[i] = backlogRow{b.Tenant, b.Ready, b.Claimed, b.Abandoned, plan.Moment(b.Oldest), b.Run.Done, b.Run.Failed, b.Run.Seconds, ""}
			if b.Err != nil {
				rows[i].Error = b.Err.Error()
			}
		}
		return errors.Join(ui.WriteJSON(a.stdout, map[string]any{"command": "jobs status", "tenants": rows}), err)
	})
}

// printBacklogs prints queues as a table.
func (a *app) printBacklogs(all []maintenance.Backlog) {
	rows := make([][]any, 0, len(all))
	for _, b := range all {
		age := ""
		if wait := b.Age(time.Now()); wait > 0 {
			age = wait.Round(time.Second).String()
		}
		rows = append(rows, []any{b.Tenant, b.Ready, age, b.Claimed, b.Abandoned, b.Run.Done, b.Run.Failed, b.Rate()})
	}
	ui.Table(a.stdout, []any{"name", "ready", "oldest", "claimed", "abandoned", "run in 24 h", "failed", "an hour"}, rows)
}

func (a *app) runJobsRun(c *cli.Context) error {
	f, list, err := farmAndQueues(c)
	if err != nil {
		return err
	}
	if err := errors.Join(notNegative(c, "children"), positiveTime(c, "share")); err != nil {
		return err
	}
	if c.Bool("forever") {
		return a.serveJobs(c, f, list)
	}
	show := func(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration) error {
		return a.report("jobs run", h, outcomes, elapsed, asJSON(c))
	}
	return a.changesShown(c, f, show, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o := jobsOptions(c, f)
		o.Drain, o.Observer = a.drained, board(len(list))
		outcomes, _, err := maintenance.RunJobs(c.Context, h, list, o)
		return outcomes, err
	})
}

// farmAndQueues is farmAndChosen without staging copies, unless they are named: their jobs would
// send to the same places as those of the wikis that they copy.
func farmAndQueues(c *cli.Context) (*tenants.Farm, []*tenants.Tenant, error) {
	f, list, err := farmAndChosen(c)
	if c.Args().Present() {
		return f, list, err
	}
	return f, slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return t.StageOf != "" }), err
}

// jobsOptions returns the options from the flags and from [jobs].
func jobsOptions(c *cli.Context, f *tenants.Farm) maintenance.JobsOptions {
	return maintenance.JobsOptions{
		Children: cmp.Or(c.Int("children"), int(f.Jobs.Children), runtime.NumCPU()),
		Share:    c.Duration("share"), Forever: c.Bool("forever"),
	}
}
