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
	"wikictl/tenants/mariadb"
)

// Status is the result of one tenant in a run.
type Status string

// The statuses in the result document.
const (
	Done      Status = "done"
	Unchanged Status = "unchanged"
	Failed    Status = "failed"
	Restored  Status = "failed (restored)" // it is in its state before the run
	Skipped   Status = "skipped"
	Blocked   Status = "blocked" // a problem of its own prevented the work; it is unchanged
)

// Failure reports whether a tenant with this status is not in its wanted state.
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
	Secrets string        // file with the log-in of a created tenant
	Backup  string        // file of the last dump of a removed tenant
	Archive string        // file of the new backup
	Removed string        // folder with everything of a removed tenant
	Returns bool          // undelete can bring the removed tenant back
	Note    string        // further events, such as that an interrupted run was reverted first
	Remarks []string      // existing faults, which the run did not cause
	Losses  []ledger.Loss // rows that the upgrade dropped
	Log     string        // file with a script's output
	Exit    *int          // exit status of a script; -1 if it was killed
}

// OutcomeOf returns a tenant's outcome from those of a run by name. A tenant that the run
// did not reach has failed because of why, which stopped the whole run.
func OutcomeOf(t *tenants.Tenant, outcomes map[string]Outcome, why error) Outcome {
	if o, ok := outcomes[t.Name]; ok {
		return o
	}
	return Outcome{Tenant: t, Status: Failed, Err: fmt.Errorf("not begun: %w", cmp.Or(why, errNotReached))}
}

var errNotReached = errors.New("the run did not reach it")

// Observer receives the events of a run, from many goroutines.
type Observer interface {
	Started(tenant string)
	Step(tenant, step string)
	Progress(tenant, text string) // of a long step
	Finished(o Outcome)
}

// Hook is called before and after each named step of a run, with done false and true.
// Tests set it to kill, hold or fail the run at that step: its error becomes the step's.
// tenant is empty for a step that several tenants share.
type Hook func(tenant, step string, done bool) error

// Run is one run that changes tenants. It records itself and its finished steps in the
// ledger. It is safe for concurrent use.
type Run struct {
	id       string
	ledger   *ledger.Ledger
	recorder *ledger.Recorder
	observer Observer
	hook     Hook
	lost     func(*tenants.Tenant) error // see Host.Lost

	mu    sync.Mutex
	steps map[string][]Step
}

// Begin records a new run in the ledger. End must be called.
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
	return &Run{id: h.RunID, ledger: l, recorder: l.Recorder(ctx, h.RunID), observer: o, hook: h.options.Hook, lost: h.Lost, steps: map[string][]Step{}}, nil
}

// Step runs one step of a tenant and records its result.
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

// Progress reports the progress of a long step of a tenant.
func (r *Run) Progress(tenant, text string) { r.observer.Progress(tenant, text) }

// Shared runs a step that the ledger does not record, such as one that several tenants
// share; tenant is empty then. It turns a panic into an error, so that the caller's
// clean-up of a failed step runs.
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

// Finish adds a tenant's steps to its outcome and reports it to the observer. It adds the
// loss of the tenant's lock to an error that says only that work was cancelled.
func (r *Run) Finish(o Outcome) Outcome {
	if errors.Is(o.Err, context.Canceled) && !errors.As(o.Err, new(*mariadb.LostError)) {
		o.Err = errors.Join(o.Err, r.lost(o.Tenant))
	}
	o.Err = mariadb.WithRoom(o.Err)
	r.mu.Lock()
	o.Steps = r.steps[o.Tenant.Name]
	r.mu.Unlock()
	r.observer.Finished(o)
	return o
}

// End records the run's counts and its pending steps.
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
