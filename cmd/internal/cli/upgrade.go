package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/plan"
	"wikictl/tenants/process"
	"wikictl/tenants/session"
)

func (a *app) upgradeCommand() *cli.Command {
	return &cli.Command{
		Name: "upgrade", Usage: "move wikis to the code that their definitions name", ArgsUsage: "NAME…",
		Description: about(`
			Checks first whether each wiki can be upgraded. Then, wave by wave and many at once: makes a wiki read-only,
			dumps its database, runs MediaWiki's updater, verifies the result, switches code and settings in one step, and
			verifies through the web server that the wiki answers. Restores a wiki that fails from its dump. The next run
			finishes an interrupted one.
		`, "wikictl upgrade --all --canary 5% --waves 25%,100% --max-failures 2%"),
		Flags:  upgradeFlags(),
		Action: a.runUpgrade,
	}
}

// upgradeFlags are the flags of upgrade, under headings.
func upgradeFlags() []cli.Flag {
	return slices.Concat(
		under("selection", selectionFlags()...),
		under("waves", waveFlags()...),
		under("safety", safetyFlags()...),
		under("output",
			&cli.BoolFlag{Name: "dry-run", Usage: "show the plan and change nothing"},
			&cli.BoolFlag{Name: "rehearse", Usage: "run the updater on scratch copies of the tables, show the result, and change no wiki"},
			&cli.StringFlag{Name: "out", Usage: "write the plan to this file and change nothing"},
			&cli.StringFlag{Name: "plan", Usage: "continue only if the plan still equals the one in this file"},
			eventsFlag()),
	)
}

// waveFlags set the order and concurrency of upgrades.
func waveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "jobs", Usage: "how many wikis to upgrade at once", Value: min(2*runtime.NumCPU(), 32)},
		&cli.IntFlag{Name: "per-server", Usage: "how many wikis to upgrade at once on one database server; 0 for no limit", Value: upgrade.PerServer},
		&cli.StringFlag{Name: "canary", Usage: "upgrade these first: names separated by commas, or a share such as 5%"},
		&cli.StringFlag{Name: "waves", Usage: "upgrade the others in waves that end at these shares, such as 10%,50%,100%"},
		&cli.StringFlag{Name: "max-failures", Usage: "start no further wiki once more than this number or share have failed", Value: "10%"},
		&cli.DurationFlag{Name: "pause-between", Usage: "how long to wait between waves, such as 10m", DefaultText: "no pause"},
		&cli.BoolFlag{Name: "confirm", Usage: "ask before each wave after the first"},
	}
}

// safetyFlags set the steps before and after the change of a wiki.
func safetyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "backup", Usage: "how to back up each database: dump, command (those of [backup]) or none (a wiki that fails can't be restored)", Value: "dump"},
		&cli.StringFlag{Name: "ahead", Usage: "when to move rows while a wiki is still open: auto (if that makes the read-only time much shorter), only (wherever possible, and upgrade nothing) or no", Value: "auto"},
		&cli.StringFlag{Name: "on-failure", Usage: "what to do with a wiki that fails: restore it, or keep it closed for inspection", Value: "restore"},
		&cli.DurationFlag{Name: "timeout", Usage: "time limit for update.php per wiki", Value: time.Hour},
		&cli.DurationFlag{Name: "patience", Usage: "how long to wait for running requests before closing their connections", Value: 10 * time.Second},
		&cli.BoolFlag{Name: "run-jobs", Usage: "run the queued jobs with the old code first"},
		&cli.BoolFlag{Name: "skip-blocked", Usage: "leave out wikis that can't be upgraded, instead of changing nothing"},
		&cli.BoolFlag{Name: "force", Usage: "run the updater even where nothing changed"},
		&cli.BoolFlag{Name: "no-rehearsal", Usage: "skip the run on scratch copies, and send the updater's statements unchanged"},
	}
}

func (a *app) runUpgrade(c *cli.Context) (err error) {
	f, list, err := farmAndChosen(c)
	if err != nil {
		return err
	}
	o, err := a.upgradeOptions(c, f)
	if err != nil {
		return err
	}
	o.Settings = func(ctx context.Context, list []*tenants.Tenant) (map[string][]string, map[string][]string, error) {
		return objections(ctx, f, list)
	}
	if c.Bool("dry-run") || c.String("out") != "" {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			p, err := upgrade.Make(c.Context, h, list, o)
			if err != nil {
				return nil, err
			}
			return p.Outline(), writePlan(c.String("out"), p.Outline())
		})
	}
	if c.Bool("rehearse") {
		return a.rehearses(c, f, list, o)
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		p, err := upgrade.Make(c.Context, h, list, o)
		if err != nil {
			return nil, stopped(f, err)
		}
		if err := samePlan(p, c.String("plan")); err != nil {
			return nil, err
		}
		o.Observer = board(len(p.Tenants))
		return upgrade.Run(c.Context, h, p, o)
	})
}

// objections returns the conflicts of tenants' settings with their wanted code.
func objections(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant) (stop, remarks map[string][]string, err error) {
	found, err := rules.Updater(ctx, f, list)
	stop, remarks = map[string][]string{}, map[string][]string{}
	for name, o := range found {
		stop[name], remarks[name] = o.Stop, o.Remark
	}
	return stop, remarks, err
}

// upgradeOptions parses the flags.
func (a *app) upgradeOptions(c *cli.Context, f *tenants.Farm) (o upgrade.Options, err error) {
	o = upgrade.Options{
		Jobs: c.Int("jobs"), PerServer: c.Int("per-server"), Force: c.Bool("force"), Plain: c.Bool("no-rehearsal"), RunJobs: c.Bool("run-jobs"),
		SkipBlocked: c.Bool("skip-blocked"), Limit: c.Duration("timeout"), Patience: c.Duration("patience"), Drain: a.drained,
	}
	if err := errors.Join(rehearsalFlags(c), notNegative(c, "per-server"), atLeastOne(c, "jobs"), notNegativeTime(c, "pause-between", "patience"), positiveTime(c, "timeout")); err != nil {
		return o, err
	}
	if o.Backup, err = backupMode(c.String("backup"), f); err != nil {
		return o, err
	}
	switch o.Ahead = upgrade.Ahead(c.String("ahead")); o.Ahead {
	case upgrade.AheadAuto, upgrade.AheadOnly, upgrade.AheadNo:
	default:
		return o, usagef("--ahead %q is none of auto, only, no", o.Ahead)
	}
	restore, err := either(c, "on-failure", "restore", "keep")
	if err != nil {
		return o, err
	}
	o.Keep = !restore
	if o.MaxFailures, err = share("max-failures", c.String("max-failures")); err != nil {
		return o, err
	}
	if text := c.String("canary"); strings.HasSuffix(text, "%") {
		o.CanaryShare, err = share("canary", text)
	} else if text != "" {
		o.Canary = strings.Split(text, ",")
	}
	if err != nil {
		return o, err
	}
	if o.Waves, err = waves(c.String("waves")); err != nil {
		return o, err
	}
	o.Between = a.between(c.Duration("pause-between"), c.Bool("confirm"))
	return o, nil
}

// waves parses the shares of --waves, which must increase.
func waves(text string) (list []upgrade.Share, err error) {
	if text == "" {
		return nil, nil
	}
	for _, part := range strings.Split(text, ",") {
		s, err := share("waves", strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if s.N == 0 {
			return nil, usagef("--waves %s: a wave of %s is empty", text, part)
		}
		if n := len(list); n > 0 && s.Percent != list[n-1].Percent {
			return nil, usagef("--waves %s: give either numbers or shares; whether %s is more than the one before depends on the farm", text, part)
		}
		if n := len(list); n > 0 && s.N <= list[n-1].N {
			return nil, usagef("--waves %s: each counts from the first wiki, so that %s has to be more than the one before", text, part)
		}
		list = append(list, s)
	}
	return list, nil
}

// backupMode parses the flag --backup. A missing [backup] is an error here, before any
// wiki is read-only.
func backupMode(word string, f *tenants.Farm) (upgrade.Backup, error) {
	switch b := upgrade.Backup(word); b {
	case upgrade.ByDump, upgrade.NoBackup:
		return b, nil
	case upgrade.ByCommand:
		if len(f.Backup.Dump) == 0 || len(f.Backup.Restore) == 0 {
			return "", usagef("--backup command: wikictl.toml has no [backup] with dump and restore")
		}
		return b, nil
	}
	return "", usagef("--backup %q is none of dump, command, none", word)
}

// either parses a flag with two values and reports whether it is the first.
func either(c *cli.Context, flag, yes, no string) (bool, error) {
	switch v := c.String(flag); v {
	case yes, no:
		return v == yes, nil
	default:
		return false, usagef("--%s %q is neither %s nor %s", flag, v, yes, no)
	}
}

// share parses 12 or 12%.
func share(flag, text string) (upgrade.Share, error) {
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || (percent && n > 100) {
		return upgrade.Share{}, usagef("--%s %q is neither a number nor a share such as 10%%", flag, text)
	}
	return upgrade.Share{N: n, Percent: percent}, nil
}

// between waits or asks between two waves.
func (a *app) between(wait time.Duration, confirm bool) func(context.Context, int, int) error {
	return func(ctx context.Context, wave, waves int) error {
		if confirm {
			no := fmt.Errorf("not confirmed: wave %d was not begun", wave)
			if err := a.confirm(ctx, fmt.Sprintf("continue with wave %d of %d?", wave, waves), no); err != nil {
				return err
			}
		}
		ctx, done := a.pause(ctx)
		defer done()
		return process.Pause(ctx, wait)
	}
}

// writePlan writes a plan to the file of --out, as --format json prints it.
func writePlan(file string, p *plan.Plan) error {
	if file == "" {
		return nil
	}
	var text bytes.Buffer
	if err := ui.WriteJSON(&text, ui.NewPlanDocument("upgrade", p, 0)); err != nil {
		return err
	}
	return deploy.WriteNamed(file, text.Bytes(), 0o644)
}

// samePlan checks that the plan equals the one in a file.
func samePlan(p *upgrade.Plan, file string) error {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return usagef("--plan: %s", err)
	}
	var old plan.Plan
	if err := json.Unmarshal(data, &old); err != nil {
		return usagef("--plan %s: %s", file, err)
	}
	if old.Digest != p.Digest {
		return tenants.WithHint(usagef("--plan %s: the farm has changed since the plan was made", file), "check wikictl upgrade --dry-run, and write a new plan with --out")
	}
	return nil
}
