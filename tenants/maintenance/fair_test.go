package maintenance

import (
	"fmt"
	"testing"
	"time"
)

// turns lets tenants have turns, each of which takes what takes says, until n are over,
// and returns how long the jobs of each took.
func turns(t *testing.T, f *fair, n int, takes func(name string, limit time.Duration) time.Duration) map[string]time.Duration {
	t.Helper()
	took := map[string]time.Duration{}
	for range n {
		name, limit, ok := f.next()
		if !ok || limit <= 0 {
			t.Fatalf("nobody's turn, or for %s", limit)
		}
		d := takes(name, limit)
		took[name] += d
		f.ran(name, d, true)
	}
	return took
}

// Tenants that always have work share time by weight, whatever one of their jobs takes.
func TestFairByWeight(t *testing.T) {
	f := newFair(time.Second)
	now := time.Now()
	for name, weight := range map[string]float64{"light": 1, "heavy": 4, "slow": 1, "tiny": 0.5} {
		f.add(name, weight)
		f.works(name, now)
	}
	took := turns(t, f, 4000, func(name string, limit time.Duration) time.Duration {
		if name == "slow" {
			return 17 * time.Second // one job, however long it may take
		}
		return limit + limit/10
	})
	light := took["light"].Seconds()
	for name, weight := range map[string]float64{"heavy": 4, "slow": 1, "tiny": 0.5} {
		if ratio := took[name].Seconds() / light; ratio < 0.95*weight || ratio > 1.05*weight {
			t.Errorf("%s has %.2f times the time of light, want %.1f", name, ratio, weight)
		}
	}
}

// A single job begins next, although 49 others have thousands waiting; and a tenant that
// comes again and again does not keep the others waiting.
func TestFairToASingleJob(t *testing.T) {
	f := newFair(time.Second)
	now := time.Now()
	for i := range 50 {
		f.add(fmt.Sprint("w", i), 1)
	}
	for i := range 49 {
		f.works(fmt.Sprint("w", i), now)
	}
	turns(t, f, 200, func(_ string, limit time.Duration) time.Duration { return limit })
	f.works("w49", now)
	if name, _, _ := f.next(); name != "w49" {
		t.Errorf("%s is next, want w49", name)
	}
	f.ran("w49", time.Millisecond, false)
	others := 0
	for range 49 {
		f.works("w49", now)
		name, limit, _ := f.next()
		if name != "w49" {
			others++
		}
		f.ran(name, limit, name != "w49")
	}
	if others < 48 {
		t.Errorf("%d of 49 turns were of others", others)
	}
}

// A tenant that fails is left alone, for longer each time, and no longer than the most; a
// good turn ends that.
func TestFairBacksOff(t *testing.T) {
	f := newFair(time.Second)
	now := time.Now()
	f.add("w", 1)
	before := time.Duration(0)
	for range 40 {
		f.works("w", now)
		if _, _, ok := f.next(); !ok {
			t.Fatal("it is not its turn")
		}
		wait := f.failed("w", time.Millisecond, now)
		if wait < before || wait > backOffMost {
			t.Errorf("%s after %s", wait, before)
		}
		f.works("w", now.Add(wait-1))
		if _, _, ok := f.next(); ok {
			t.Error("it is its turn too early")
		}
		before, now = wait, now.Add(wait)
	}
	if before != backOffMost {
		t.Errorf("it waits %s, want %s", before, backOffMost)
	}
	f.works("w", now)
	f.next()
	f.ran("w", time.Millisecond, true)
	f.next()
	if wait := f.failed("w", 0, now); wait != backOffLeast {
		t.Errorf("it waits %s after a good turn", wait)
	}
}
