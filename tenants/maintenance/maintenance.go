// Package maintenance runs maintenance scripts, PHP code, SQL statements and job queues
// of many tenants. It knows nothing of the command line and of progress output.
package maintenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Options are the options of a run of a script.
type Options struct {
	Jobs        int
	Schema      bool                      // use the account that may change the schema
	Limit       time.Duration             // time limit of each tenant's script; zero: none
	MaxFailures int                       // number of failures after which no more tenants are started; fleet.NoLimit: any number
	Printed     func(tenant, text string) // gets whole lines of output while a script runs; nil: none
	Drain       <-chan struct{}
	Observer    session.Observer
}

// running is one run of a script or a statement.
type running struct {
	*session.Host
	o      Options
	step   string // name of the step
	do     func(ctx context.Context, t *tenants.Tenant, o *session.Outcome) error
	script Script
	code   func(tenant string) string // path of the file with the script's Code for its user
	input  func(tenant string) string // that of the script's Input; nil: it has none
	ledger *ledger.Ledger
	run    *session.Run
}

// Run runs a script for each tenant, under its lock, and returns their outcomes in order.
// If none of their codebases has the script, or it would miss its input, nothing is started, and
// the error is a *ScriptError.
func Run(ctx context.Context, h *session.Host, list []*tenants.Tenant, s Script, o Options) ([]session.Outcome, error) {
	if err := findScript(h, list, s); err != nil {
		return nil, err
	}
	r := &running{Host: h, o: o, script: s, step: "script"}
	r.do = r.start
	if s.Name == "" {
		code, remove, err := h.WriteCode(s.Code, list)
		if err != nil {
			return nil, err
		}
		defer remove()
		r.code = code
	}
	if s.Input != nil {
		input, remove, err := h.WriteInput(s.Input, list)
		if err != nil {
			return nil, err
		}
		defer remove()
		r.input = input
	}
	if o.Schema {
		if err := h.WriteAdminSettings(); err != nil {
			return nil, err
		}
	}
	return r.locked(ctx, "run "+s.Title(), list)
}

// locked runs it for all tenants, each under its lock, and records the run in the ledger.
func (r *running) locked(ctx context.Context, command string, list []*tenants.Tenant) ([]session.Outcome, error) {
	var err error
	if r.ledger, err = r.Ledger(ctx); err != nil {
		return nil, err
	}
	able := slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return t.Server == nil })
	if ctx, err = r.Lock(ctx, tenants.ServersOf(able)); err != nil {
		return nil, err
	}
	if r.run, err = r.Begin(ctx, command, r.o.Observer); err != nil {
		return nil, err
	}
	outcomes := r.all(ctx, list)
	return outcomes, r.run.End(ctx, outcomes)
}

// ScriptError is why a script can't be run for any wiki in the way that was asked for.
type ScriptError struct{ error }

// Unwrap returns the reason.
func (e *ScriptError) Unwrap() error { return e.error }

// findScript returns an error if no codebase of the tenants has the script, or if it would miss
// its input.
func findScript(h *session.Host, list []*tenants.Tenant, s Script) error {
	if s.Name == "" {
		return nil
	}
	var why error
	asked := map[*tenants.Codebase]bool{}
	for _, t := range list {
		_, c, err := h.Served(t)
		if err != nil {
			return nil // reported by the tenant's outcome
		}
		if asked[c] {
			continue
		}
		asked[c] = true
		located, err := locate(c, s.Dir, s.Name)
		if err == nil {
			return s.missesInput(located)
		}
		if why == nil {
			why = &ScriptError{fmt.Errorf("no such script: %w", err)}
		}
	}
	return why
}

// all runs it for all tenants.
func (r *running) all(ctx context.Context, list []*tenants.Tenant) []session.Outcome {
	options := fleet.Options[*tenants.Tenant]{Jobs: r.o.Jobs, MaxFailures: r.o.MaxFailures, Drain: r.o.Drain}
	outcomes := make([]session.Outcome, len(list))
	for i, result := range fleet.Run(ctx, list, options, r.one) {
		outcomes[i] = result.Value
		switch {
		case !result.Started:
			r.notBegun(result.Item, result.Err)
			outcomes[i] = r.run.Finish(session.Outcome{Tenant: result.Item, Status: session.Skipped, Err: result.Err})
		case result.Value.Tenant == nil: // a panic
			outcomes[i] = r.run.Finish(session.Outcome{Tenant: result.Item, Status: session.Failed, Err: result.Err, Elapsed: result.Elapsed})
		}
	}
	return outcomes
}

// notBegun records in the ledger that the run did not start the script of a tenant.
func (r *running) notBegun(t *tenants.Tenant, why error) {
	_ = r.run.Step(t.Name, r.step, func() error { return why })
}

// one runs it for one tenant.
func (r *running) one(ctx context.Context, t *tenants.Tenant) (session.Outcome, error) {
	r.o.Observer.Started(t.Name)
	start := time.Now()
	o := session.Outcome{Tenant: t, Status: session.Done}
	if o.Err = r.attempt(ctx, t, &o); o.Err != nil {
		o.Status = session.Failed
	}
	o.Elapsed = time.Since(start)
	return r.run.Finish(o), o.Err
}

func (r *running) attempt(ctx context.Context, t *tenants.Tenant, o *session.Outcome) error {
	if t.Server == nil {
		return session.InTheWay(t.Faults)
	}
	ctx, done := r.While(ctx, t)
	defer done()
	locks := r.Locks(t.Server)
	if err := r.run.Step(t.Name, "lock", func() error { return locks.Acquire(ctx, t.Database) }); err != nil {
		return err
	}
	defer locks.Release(context.WithoutCancel(ctx), t.Database)
	return r.run.Step(t.Name, r.step, func() error {
		if err := r.whole(ctx, t); err != nil {
			return err
		}
		return r.do(ctx, t, o)
	})
}

// whole returns an error if a tenant is not created, or if its upgrade is unfinished, because a
// rollback would undo the script's changes.
func (r *running) whole(ctx context.Context, t *tenants.Tenant) error {
	row, found, err := r.ledger.Tenant(ctx, t.Name)
	switch {
	case err != nil:
		return err
	case !found || row.State == ledger.Creating:
		return r.notCreated(ctx, t)
	case row.State != ledger.Ready && row.State != ledger.Made:
		return tenants.WithHint(fmt.Errorf("it is not finished (state %s)", row.State), "wikictl plan "+t.Name+" says what finishes it")
	}
	open, is, err := r.ledger.OpenUpgrade(ctx, t.Name)
	if err == nil && is {
		err = tenants.WithHint(fmt.Errorf("its upgrade by run %s did not finish", open.Run), "wikictl upgrade "+t.Name+" finishes it, or puts it back")
	}
	return err
}

// notCreated returns the error for a tenant without a row, or without secrets.
func (r *running) notCreated(ctx context.Context, t *tenants.Tenant) error {
	_, rows, err := r.ReadLedger(ctx)
	if err != nil {
		return err
	}
	return errors.New(ledger.NotCreated(t, rows))
}

// start runs the script with PHP.
func (r *running) start(ctx context.Context, t *tenants.Tenant, o *session.Outcome) error {
	release, c, err := r.Served(t)
	if err != nil {
		return err
	}
	job, err := r.job(t, c)
	if err != nil {
		return err
	}
	server, log, err := r.PHP(ctx, t.Name, r.script.Title(), c)
	if err != nil {
		return err
	}
	job.Log = log
	job.Config, job.Dir, job.Output = filepath.Join(release, "LocalSettings.php"), r.script.Dir, r.most()
	job.Limit = cmp.Or(r.o.Limit, noLimit)
	if r.input != nil {
		job.Input = r.input(t.Name)
	}
	if r.o.Schema {
		if job, err = r.asSchema(t, job); err != nil {
			return err
		}
	}
	o.Log = job.Log
	stop := tailLog(job.Log, func(text string) {
		if r.o.Printed != nil {
			r.o.Printed(t.Name, text)
		}
	})
	result, err := server.Run(ctx, job)
	stop()
	if failed := new(php.JobError); err == nil || errors.As(err, &failed) {
		o.Exit = &result.Exit
	}
	return err
}

// noLimit is the limit of a script without one.
const noLimit = 10 * 365 * 24 * time.Hour

// job returns the job that runs the script for a tenant on its present codebase.
func (r *running) job(t *tenants.Tenant, c *tenants.Codebase) (php.Job, error) {
	if r.script.Name == "" {
		return php.Job{Script: r.Layout.EvalScript(), Args: append([]string{c.Path, r.code(t.Name)}, r.script.Args...)}, nil
	}
	located, err := locate(c, r.script.Dir, r.script.Name)
	if err != nil {
		return php.Job{}, err
	}
	return located.job(c, r.script.Args)
}

// asSchema returns the job with the account that may change the tenant's schema.
func (r *running) asSchema(t *tenants.Tenant, job php.Job) (php.Job, error) {
	secrets, err := r.Deploy.ReadSecrets(t.Name)
	if err != nil {
		return job, err
	}
	account := session.Accounts(t, secrets).Schema
	return job.AsAdmin(r.Layout.AdminSettings(), account.Name, account.Password.Reveal()), nil
}

// most returns the limit of a script's output, in bytes: that of its log.
func (r *running) most() int64 { return max(64<<20, r.Farm.PHP.FileSize) }

// Failed returns the tenants for which a run failed, or that it did not start.
func Failed(ctx context.Context, l *ledger.Ledger, run string, list []*tenants.Tenant) ([]*tenants.Tenant, error) {
	names, err := l.FailedIn(ctx, run)
	if err != nil {
		return nil, err
	}
	var failed []*tenants.Tenant
	for _, t := range list {
		if slices.Contains(names, t.Name) {
			failed = append(failed, t)
		}
	}
	return failed, nil
}

// lines adds a line break to text that lacks one.
func lines(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
