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

// flow is the queue of one tenant.
type flow struct {
	name     string
	weight   float64
	left     time.Duration // of its share; less than zero: its debt
	waiting  bool          // it has work
	listed   bool          // it stands in fresh or round
	running  bool
	failures int       // one after the other
	until    time.Time // when it may be tried again
}

// A tenant that fails is tried again after backOffLeast, then after twice as long, and so
// on.
const (
	backOffLeast = 2 * time.Second
	backOffMost  = 10 * time.Minute
)

func newFair(share time.Duration) *fair { return &fair{share: share, flows: map[string]*flow{}} }

// add makes a tenant known.
func (f *fair) add(name string, weight float64) {
	f.flows[name] = &flow{name: name, weight: weight}
}

// shareOf is what a flow is given in a round.
func (f *fair) shareOf(w *flow) time.Duration { return time.Duration(float64(f.share) * w.weight) }

// works notes that a tenant has work.
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

// next takes the tenant whose turn it is, and how long its jobs may take. ok reports
// whether there is one.
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

// waitOff lets as many rounds pass at once as it takes until some tenant with work is
// out of debt.
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

// ran notes that a tenant's turn is over, how long it took, and whether more work
// waits.
func (f *fair) ran(name string, took time.Duration, more bool) {
	w := f.flows[name]
	if w.left -= took; w.left <= 0 {
		w.left += f.shareOf(w) // of the round that begins behind it
	}
	w.running, w.waiting, w.listed, w.failures = false, more, true, 0
	f.round = append(f.round, w) // without work it rests there for a round
}

// pause notes that a tenant's turn was for nothing, by no fault of it: it is asked again
// soon.
func (f *fair) pause(name string, now time.Time) {
	w := f.flows[name]
	w.running, w.waiting, w.until = false, false, now.Add(backOffLeast)
}

// failed notes that a tenant's turn was for nothing, and returns how long it is left alone.
func (f *fair) failed(name string, took time.Duration, now time.Time) time.Duration {
	w := f.flows[name]
	w.left -= took
	w.running, w.waiting = false, false
	wait := min(backOffLeast<<min(w.failures, 20), backOffMost)
	w.failures++
	w.until = now.Add(wait)
	return wait
}
