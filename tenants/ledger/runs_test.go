package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wikictl/tenants/mariadb"
	"wikictl/tenants/process"
)

// A table that another client holds stops neither a run nor what it records; steps
// that could not be written are written later, many statements' worth of them.
func TestRecorderIsNotHeldUp(t *testing.T) {
	l := open(t)
	conn, err := shared.Dedicated(t.Context(), mariadb.LedgerDatabase, false)
	must(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "LOCK TABLES step WRITE")
	must(t, err)
	const many = 2*recordRows + 10_923
	r := l.Recorder(t.Context(), "held-up")
	for i := range many {
		text := "short"
		if i%1000 == 0 {
			text = strings.Repeat("ä\xff", 40_000)
		}
		r.Record(Step{Tenant: "a", Step: "b", Err: errors.New(text), Ended: time.Now()})
	}
	must(t, process.Pause(t.Context(), 2*recordEvery))
	closing := l.Recorder(t.Context(), "held-up-2")
	closing.Record(Step{Tenant: "a", Step: "b", Ended: time.Now()})
	start := time.Now()
	if err := closing.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of run held-up-2") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 3*recordLimit {
		t.Errorf("it held the run up for %s", took)
	}
	_, err = conn.ExecContext(t.Context(), "UNLOCK TABLES")
	must(t, err)
	must(t, r.Close(t.Context()))
	var n int
	must(t, l.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM wikictl.step WHERE run = 'held-up'").Scan(&n))
	if n != many {
		t.Errorf("%d of %d steps are in the ledger", n, many)
	}
	must(t, exec1(t, shared, "DELETE FROM wikictl.step"))
}
