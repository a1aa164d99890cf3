package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/maintenance"
	"wikictl/tenants/session"
)

func (a *app) runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "run a maintenance script for wikis", ArgsUsage: "NAME… -- SCRIPT [ARGS…]",
		Description: about(`
			Runs a PHP script for each wiki, on the code that the wiki runs on. SCRIPT is one of MediaWiki's, such as
			showSiteStats; one of an extension, such as Cite:script; a path below the codebase; a file, such as ./fix.php; or eval,
			for PHP code from standard input, which gets ARGS in $args. ARGS are passed on unchanged. The output is kept in
			state/logs/NAME/RUN-SCRIPT.log. A wiki is never upgraded while a script runs for it. With --stdin each wiki's script
			gets all of standard input.
		`, "wikictl run --all -- showSiteStats"),
		Flags: append(selectionFlags(), append(chooseFlags(),
			&cli.IntFlag{Name: "jobs", Usage: "how many wikis to work on at once; more helps scripts that wait for other machines", Value: runtime.NumCPU()},
			&cli.DurationFlag{Name: "limit", Usage: "stop a wiki's script after this time, such as 10m", DefaultText: "no limit"},
			&cli.IntFlag{Name: "max-failures", Usage: "start no further wiki once more than this number have failed (-1: no limit)", Value: fleet.NoLimit},
			&cli.StringFlag{Name: "output", Usage: "print the output of scripts: prefix (each line, with the wiki's name), group (by wiki) or failed (by wiki, of those that failed)", Value: "prefix"},
			&cli.BoolFlag{Name: "stdin", Usage: "give the script of each wiki what comes on standard input"},
			&cli.BoolFlag{Name: "schema-account", Usage: "run with the database account that may change tables"},
			eventsFlag(),
		)...),
		Action: a.runRun,
	}
}

// withFlag narrows a selection.
func withFlag() cli.Flag {
	return &cli.StringFlag{Name: "with", Usage: "leave out the wikis that don't match an expression, such as extension=Cite"}
}

// chooseFlags narrow a selection.
func chooseFlags() []cli.Flag {
	return []cli.Flag{
		withFlag(),
		&cli.StringFlag{Name: "retry-failed", Usage: "take the wikis that failed in this run, or that it did not start"},
	}
}

func (a *app) runRun(c *cli.Context) error {
	if len(a.payload) == 0 || a.payload[0] == "" {
		return tenants.WithHint(usagef("no script is given"), "wikictl run NAME -- SCRIPT")
	}
	f, list, err := a.farmAndNarrowed(c)
	if err != nil {
		return err
	}
	o := maintenance.Options{Jobs: c.Int("jobs"), Limit: c.Duration("limit"), MaxFailures: c.Int("max-failures"), Schema: c.Bool("schema-account"), Drain: a.drained}
	how, err := outputOf(c)
	if err := errors.Join(err, atLeastOne(c, "jobs"), notNegativeTime(c, "limit")); err != nil {
		return err
	}
	script, err := a.script(c) // last, because it reads standard input
	if err != nil {
		return err
	}
	print := &scripts{app: a, how: how, asJSON: asJSON(c)}
	return a.changesShown(c, f, print.report, func(h *session.Host, board func(int) session.Observer) (outcomes []session.Outcome, err error) {
		if list, err = retried(c, h, list); err != nil {
			return nil, err
		}
		print.Observer = board(len(list))
		o.Observer, o.Printed = print, print.printed()
		outcomes, err = maintenance.Run(c.Context, h, list, script, o)
		if errors.As(err, new(*maintenance.ScriptError)) {
			err = usagef("%s", err)
		}
		return outcomes, err
	})
}

// farmAndNarrowed reads the farm and selects tenants, including by the flags of
// chooseFlags.
func (a *app) farmAndNarrowed(c *cli.Context) (*tenants.Farm, []*tenants.Tenant, error) {
	f, err := loadFarm(c)
	if err != nil {
		return nil, nil, err
	}
	list, err := chosenOr(c, f, "retry-failed")
	if err != nil {
		return nil, nil, err
	}
	if with := c.String("with"); with != "" {
		match, err := tenants.Match(with)
		if err != nil {
			return nil, nil, usagef("--with: %s", err)
		}
		list = slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return !match(t) })
		if len(list) == 0 {
			return nil, nil, usagef("none of these wikis matches --with %s", with)
		}
	}
	return f, list, nil
}

// retried selects the tenants of --retry-failed, which failed in an earlier run.
func retried(c *cli.Context, h *session.Host, list []*tenants.Tenant) ([]*tenants.Tenant, error) {
	run := c.String("retry-failed")
	if run == "" {
		return list, nil
	}
	l, err := h.Ledger(c.Context)
	if err != nil {
		return nil, err
	}
	failed, err := maintenance.Failed(c.Context, l, run, list)
	if err == nil && len(failed) == 0 {
		err = tenants.WithHint(usagef("no such wiki failed in run %q", run), "wikictl status lists the latest runs")
	}
	return failed, err
}

// mostInput limits what is read from standard input, in bytes.
const mostInput = 64 << 20

// script returns the script to run, from the words after "--", with what is read from standard
// input for it.
func (a *app) script(c *cli.Context) (s maintenance.Script, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return s, err
	}
	s = maintenance.Script{Name: a.payload[0], Args: a.payload[1:], Dir: dir, Offered: offers(a.stdin)}
	given := c.Bool("stdin")
	switch {
	case s.Name == "eval" && given:
		return s, tenants.WithHint(usagef("eval reads its PHP code from standard input"), "write the code into a file, and run that with --stdin")
	case s.Name == "eval":
		s.Name = ""
		s.Code, err = a.readAll(c.Context, mostInput)
		if err == nil && len(s.Code) == 0 {
			err = usagef("eval runs the PHP code of standard input, which is empty")
		}
	case given:
		s.Input, err = a.readAll(c.Context, mostInput)
	}
	return s, err
}

// offers reports whether standard input is a file or a pipe, rather than a terminal or /dev/null.
func offers(stdin io.Reader) bool {
	f, is := stdin.(*os.File)
	if !is {
		return stdin != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// readAll reads standard input to its end, or until the first signal.
func (a *app) readAll(ctx context.Context, most int64) ([]byte, error) {
	ctx, done := a.pause(ctx)
	defer done()
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1) // buffered: nothing receives from it after a signal
	go func() {
		text, err := io.ReadAll(io.LimitReader(a.stdin, most+1))
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		if r.err == nil && int64(len(r.text)) > most {
			r.err = usagef("standard input has more than %d bytes", most)
		}
		return r.text, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// outputOf parses --output.
func outputOf(c *cli.Context) (string, error) {
	switch how := c.String("output"); how {
	case "prefix", "group", "failed":
		return how, nil
	}
	return "", usagef("--output %q is not prefix, group or failed", c.String("output"))
}

// scripts shows the output of scripts, beside the board.
type scripts struct {
	session.Observer
	app    *app
	how    string
	asJSON bool
}

// printed returns a function that shows lines as they come, or nil if they are shown
// later.
func (s *scripts) printed() func(tenant, text string) {
	if s.how != "prefix" || s.asJSON {
		return nil
	}
	board := s.Observer.(*ui.Board)
	return func(tenant, text string) { board.Print(s.app.stdout, ui.Prefixed(tenant, text)) }
}

// Finished shows a script's output before its tenant's outcome.
func (s *scripts) Finished(o session.Outcome) {
	whole := s.how == "group" || s.how == "failed" && o.Status.Failure()
	if whole && !s.asJSON && o.Log != "" {
		_ = s.Observer.(*ui.Board).PrintLog(s.app.stdout, o.Tenant.Name, o.Log) // it is in its file
	}
	s.Observer.Finished(o)
}

// mostOutput is the maximum length of a script's output in JSON, from its end, in bytes.
const mostOutput = 1 << 20

// report prints the result of a run of scripts: in JSON with their output, in text on
// standard error, as their output is the result.
func (s *scripts) report(command string, h *session.Host, outcomes []session.Outcome, elapsed time.Duration) error {
	d := ui.Document{Command: command, Run: h.RunID, Seconds: elapsed.Seconds()}
	for i, o := range outcomes {
		d.Add(o)
		if s.asJSON && o.Log != "" && (s.how != "failed" || o.Status.Failure()) {
			d.Tenants[i].Output = ui.OutputOf(o.Log, mostOutput)
		}
	}
	out := s.app.stderr
	if s.asJSON {
		out = s.app.stdout
	}
	return errors.Join(d.Write(out, s.asJSON), s.app.concluded(h, d, outcomes))
}
