package ledger

import (
	"errors"
	"testing"
	"time"
)

func TestLedgerKeepsTenantsAndRuns(t *testing.T) {
	l := open(t)
	row := Tenant{Name: "a", Server: "main", Database: "wiki_a", Codebase: "1.43", Version: "1.43.9", ComponentSet: "0123456789abcdef", State: Creating, Run: "r1"}
	must(t, l.Claim(t.Context(), row))
	if err := l.Claim(t.Context(), row); !errors.Is(err, ErrStale) {
		t.Errorf("claimed twice: %v", err)
	}
	made := row
	made.State, made.Run = Made, "r2"
	must(t, l.Advance(t.Context(), row, made))
	if err := l.Advance(t.Context(), row, made); !errors.Is(err, ErrStale) {
		t.Errorf("advanced from a row that is not there any more: %v", err)
	}
	failed := l.SetReady(t.Context(), "r2", []string{"a", "unknown"})
	if len(failed) != 1 || !errors.Is(failed["unknown"], ErrStale) {
		t.Errorf("got %v", failed)
	}
	rows, err := l.Tenants(t.Context())
	must(t, err)
	if got := rows["a"]; got.State != Ready || got.Run != "r2" || got.Database != "wiki_a" {
		t.Errorf("got %+v", got)
	}
	must(t, l.StartRun(t.Context(), Run{ID: "r1", Command: "create", Holder: "x"}))
	rec := l.Recorder(t.Context(), "r1")
	rec.Record(Step{Tenant: "a", Step: "schema", Err: errors.New("boom"), Seconds: 1, Ended: time.Now()})
	must(t, rec.Close(t.Context()))
	must(t, l.FinishRun(t.Context(), Run{ID: "r1", Failed: 1}))
	runs, err := l.Runs(t.Context(), 10)
	must(t, err)
	if len(runs) != 1 || runs[0].Failed != 1 || !runs[0].Finished.Valid {
		t.Errorf("got %+v", runs)
	}
}
