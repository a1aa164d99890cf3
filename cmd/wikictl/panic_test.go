package main

import (
	"strings"
	"testing"
)

// A panic in a step is that step's failure: one of a tenant, or of all that are
// published together.
func TestPanicIsAFailureOfItsStep(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	for _, e := range []event{{"w0", "schema", "before", "panic"}, {"", "release", "after", "panic"}} {
		out, code := f.struck(e, "create", "--all")
		if code != 2 || !strings.Contains(out, "internal error, please report it: panic at ") || strings.Contains(out, "goroutine ") {
			t.Errorf("%s: exit code %d\n%s", e, code, out)
		}
	}
	f.exits(0, "create", "--all")
	before := f.client("w0").content()
	f.want143()
	out, code := f.struck(event{"w0", "farm sql", "before", "panic"}, "upgrade", "--all")
	if code != 2 || !strings.Contains(out, "failed (restored) w0") || !strings.Contains(out, "done      w1") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if got := f.client("w0").content(); got != before {
		t.Errorf("the wiki holds\n%s", got)
	}
	f.exits(0, "upgrade", "--all")
}
