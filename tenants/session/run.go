package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
)

// Status is what became of one tenant in a run.
type Status string

// The statuses of the result document.
const (
	Done      Status = "done"
	Unchanged Status = "unchanged"
	Failed    Status = "failed"
	Restored  Status = "failed (restored)" // and is as it was before the run
	Skipped   Status = "skipped"
	Blocked   Status = "blocked" // something of its own stands in the way; it was left as it was
)

// Failure reports whether a status is one of a tenant that is not as it is wanted.
func (s Status) Failure() bool { return s == Failed || s == Restored || s == Blocked }

// Step is one finished step of a tenant.
type Step struct {
	Name    string
	Elapsed time.Duration
	Err     error
}

// Outcome is one tenant's result.
type Outcome struct {
	Tenant  *tenants.Tenant
	Status  Status
	Err     error
	Elapsed time.Duration
	Steps   []Step
	Secrets string        // file with the log-in of a tenant that was made
	Backup  string        // file of the last dump of a tenant that was removed
	Archive string        // file of the backup that was made
	Removed string        // folder with all that was a removed tenant's
	Returns bool          // undelete brings back what was removed
	Note    string        // what else happened, such as that an interrupted run was put back first
	Remarks []string      // what is bad of it, and was before the run
	Losses  []ledger.Loss // what the upgrade left out
	Log     string        // file with what a script printed
	Exit    *int          // exit status of a script that ran; -1 when it did not exit by itself
}

// OutcomeOf is a tenant's outcome among those of a run by name. One that the run never
// came to has failed by why, which stopped the run as a whole.
func OutcomeOf(t *tenants.Tenant, outcomes map[string]Outcome, why error) Outcome {
	if o, ok := outcomes[t.Name]; ok {
		return o
	}
	return Outcome{Tenant: t, Status: Failed, Err: fmt.Errorf("not begun: %w", cmp.Or(why, errNotReached))}
}

var errNotReached = errors.New("the run did not come to it")

// Observer sees what happens while it happens, from many goroutines.
type Observer interface {
	Started(tenant string)
	Step(tenant, step string)
	Progress(tenant, text string) // of a step that takes long
	Finished(o Outcome)
}

// Hook is called before and after each named step of a run: done reports which. A
// test sets it to kill, hold or fail the run at that step: its error is the step's.
// tenant is empty for a step that many tenants share.
type Hook func(tenant, step string, done bool) error

// Run is one run that changes tenants. The ledger knows of it, and of each step
// as it ends. It may be used by many goroutines.
type Run struct {
	id       string
	ledger   *ledger.Ledger
	recorder *ledger.Recorder
	observer Observer
	hook     Hook

	mu    sync.Mutex
	steps map[string][]Step
}

// Begin writes a run into the ledger. End must be called.
func (h *Host) Begin(ctx context.Context, command string, o Observer) (*Run, error) {
	l, err := h.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	if h.options.Begun != nil {
		h.options.Begun()
	}
	if err := l.StartRun(ctx, ledger.Run{ID: h.RunID, Command: command, Holder: h.Holder()}); err != nil {
		return nil, err
	}
	return &Run{id: h.RunID, ledger: l, recorder: l.Recorder(ctx, h.RunID), observer: o, hook: h.options.Hook, steps: map[string][]Step{}}, nil
}

// Step runs one step of a tenant and records how it went.
func (r *Run) Step(tenant, name string, do func() error) error {
	r.observer.Step(tenant, name)
	start := time.Now()
	err := r.Shared(tenant, name, do)
	elapsed := time.Since(start)
	r.recorder.Record(ledger.Step{Tenant: tenant, Step: name, Err: err, Seconds: elapsed.Seconds(), Ended: time.Now()})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps[tenant] = append(r.steps[tenant], Step{name, elapsed, err})
	return err
}

// Progress shows how far a step of a tenant is that takes long.
func (r *Run) Progress(tenant, text string) { r.observer.Progress(tenant, text) }

// Shared runs a step that the ledger does not record, such as one that many tenants
// share; tenant is empty then. A panic is the step's error, so that whatever undoes a
// failed step undoes this one.
func (r *Run) Shared(tenant, name string, do func() error) (err error) {
	defer func() {
		if panicked := fleet.Recovered(recover()); panicked != nil {
			err = panicked
		}
	}()
	if r.hook == nil {
		return do()
	}
	if err := r.hook(tenant, name, false); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return r.hook(tenant, name, true)
}

// Finish adds a tenant's steps to its outcome and shows it.
func (r *Run) Finish(o Outcome) Outcome {
	r.mu.Lock()
	o.Steps = r.steps[o.Tenant.Name]
	r.mu.Unlock()
	r.observer.Finished(o)
	return o
}

// End writes the run's counts and what is not recorded yet.
func (r *Run) End(ctx context.Context, outcomes []Outcome) error {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	run := ledger.Run{ID: r.id}
	for _, o := range outcomes {
		switch {
		case o.Status == Done:
			run.Done++
		case o.Status == Unchanged:
			run.Same++
		case o.Status.Failure():
			run.Failed++
		default:
			run.Skipped++
		}
	}
	return errors.Join(r.recorder.Close(after), r.ledger.FinishRun(after, run))
}
