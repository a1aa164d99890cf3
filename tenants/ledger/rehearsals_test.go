package ledger

import (
	"fmt"
	"slices"
	"testing"
)

// Rehearsals that were not used for long go, and of too many those that were used first.
func TestRehearsalsExpire(t *testing.T) {
	l := open(t)
	keep := func(name, set string) { must(t, l.KeepRehearsal(t.Context(), name, set, "run", []byte(`{"x":1}`))) }
	keep("old", "s1")
	keep("unused", "s2")
	for i := range mostRehearsed {
		_, err := l.db.ExecContext(t.Context(), `INSERT INTO rehearsal (fingerprint, new_set, result, run, used) VALUES (?, 's3', '{}', 'run', UTC_TIMESTAMP(3) - INTERVAL ? DAY)`, fmt.Sprint("k", i), 1+i/10)
		must(t, err)
	}
	_, err := l.db.ExecContext(t.Context(), `UPDATE rehearsal SET used = UTC_TIMESTAMP(3) - INTERVAL 100 DAY WHERE fingerprint IN ('old', 'unused')`)
	must(t, err)
	if data, err := l.Rehearsal(t.Context(), "old"); err != nil || string(data) != `{"x":1}` {
		t.Fatalf("%s, %v", data, err)
	}
	keep("new", "s4")
	var n int
	must(t, l.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM rehearsal`).Scan(&n))
	sets, err := l.RehearsedSets(t.Context())
	must(t, err)
	slices.Sort(sets)
	if n != mostRehearsed || !slices.Equal(sets, []string{"s1", "s3", "s4"}) {
		t.Errorf("%d are kept, for %v", n, sets)
	}
	must(t, l.DropRehearsal(t.Context(), "new"))
	if data, err := l.Rehearsal(t.Context(), "new"); err != nil || data != nil {
		t.Errorf("%s, %v", data, err)
	}
}

// A scratch copy is noted until nothing is left of it.
func TestScratchesAreNoted(t *testing.T) {
	l := open(t)
	one := Scratch{"golden-1", "main", "f1"}
	must(t, l.NoteScratch(t.Context(), one, "run1"))
	must(t, l.NoteScratch(t.Context(), one, "run2"))
	found, err := l.Scratches(t.Context())
	must(t, err)
	if !slices.Equal(found, []Scratch{one}) {
		t.Errorf("%v", found)
	}
	must(t, l.ForgetScratch(t.Context(), one.Name))
	if found, err := l.Scratches(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}
