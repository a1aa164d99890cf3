package maintenance

import (
	"math"
	"slices"
	"time"
)

// fair decides whose jobs run next. Each tenant with work is given, in turn, a share of time by
// its weight; what its jobs take beyond that is its debt, which it waits off (deficit round
// robin, Shreedhar and Varghese 1995). A tenant that had no work comes before those whose
// jobs have used up a share, but only once a round (RFC 8290, sections 4.1 and 4.2): a
// single job does not wait for the queues of others.
type fair struct {
	share time.Duration // of weight 1
	flows map[string]*flow
	fresh []*flow // had no work before
	round []*flow // the others, and those that rest
}

// flow is one tenant's queue.
type flow struct {
	name     string
	weight   float64
	left     time.Duration // left of its share; negative: its debt
	waiting  bool          // has work
	listed   bool          // is in fresh or round
	running  bool
	failures int       // consecutive failures
	until    time.Time // time of the next attempt
}

// A failed tenant is tried again after backOffLeast, then after twice as long, and so on.
const (
	backOffLeast = 2 * time.Second
	backOffMost  = 10 * time.Minute
)

func newFair(share time.Duration) *fair { return &fair{share: share, flows: map[string]*flow{}} }

// add adds a tenant.
func (f *fair) add(name string, weight float64) {
	f.flows[name] = &flow{name: name, weight: weight}
}

// shareOf returns a flow's share of a round.
func (f *fair) shareOf(w *flow) time.Duration { return time.Duration(float64(f.share) * w.weight) }

// works records that a tenant has work.
func (f *fair) works(name string, now time.Time) {
	w := f.flows[name]
	if w == nil || w.running || now.Before(w.until) {
		return
	}
	w.waiting = true
	if w.listed {
		return
	}
	w.listed = true
	if w.left < 0 {
		f.round = append(f.round, w)
		return
	}
	w.left = f.shareOf(w)
	f.fresh = append(f.fresh, w)
}

// next returns the next tenant and the time limit of its turn. ok is false if none may
// run.
func (f *fair) next() (name string, limit time.Duration, ok bool) {
	for len(f.fresh)+len(f.round) > 0 {
		list := &f.fresh
		if len(f.fresh) == 0 {
			list = &f.round
			f.waitOff()
		}
		w := (*list)[0]
		*list = slices.Delete(*list, 0, 1)
		switch {
		case !w.waiting:
			w.listed = false
		case w.left <= 0:
			w.left += f.shareOf(w)
			f.round = append(f.round, w)
		default:
			w.listed, w.waiting, w.running = false, false, true
			return w.name, w.left, true
		}
	}
	return "", 0, false
}

// waitOff advances by as many rounds as it takes until a tenant with work is out of debt.
func (f *fair) waitOff() {
	rounds := math.MaxFloat64
	for _, w := range f.round {
		if w.waiting {
			rounds = min(rounds, math.Floor(float64(-w.left)/float64(f.shareOf(w))))
		}
	}
	if rounds < 1 || rounds == math.MaxFloat64 {
		return
	}
	for _, w := range f.round {
		w.left += time.Duration(rounds * float64(f.shareOf(w)))
	}
}

// ran records the end of a tenant's turn, its duration, and whether work remains.
func (f *fair) ran(name string, took time.Duration, more bool) {
	w := f.flows[name]
	if w.left -= took; w.left <= 0 {
		w.left += f.shareOf(w) // of the round that begins behind it
	}
	w.running, w.waiting, w.listed, w.failures = false, more, true, 0
	f.round = append(f.round, w) // without work it rests there for a round
}

// pause records a turn without result, through no fault of the tenant: it is soon tried
// again.
func (f *fair) pause(name string, now time.Time) {
	w := f.flows[name]
	w.running, w.waiting, w.until = false, false, now.Add(backOffLeast)
}

// failed records a failed turn, and returns the time until the next attempt.
func (f *fair) failed(name string, took time.Duration, now time.Time) time.Duration {
	w := f.flows[name]
	w.left -= took
	w.running, w.waiting = false, false
	wait := min(backOffLeast<<min(w.failures, 20), backOffMost)
	w.failures++
	w.until = now.Add(wait)
	return wait
}
