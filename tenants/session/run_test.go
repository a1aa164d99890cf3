package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

type unobserved struct{ Observer }

func (unobserved) Finished(Outcome) {}

// A query that the loss of the locks cancelled says no more than "context canceled".
func TestOutcomeTellsLostLocks(t *testing.T) {
	lost := &mariadb.LostError{Server: "main", Why: errors.New("no answer")}
	for _, c := range []struct {
		name string
		err  error
		lost error
		want int // times that the loss is told
	}{
		{"cancelled by the loss", fmt.Errorf("read the ledger: %w", context.Canceled), lost, 1},
		{"told already", errors.Join(context.Canceled, lost), lost, 1},
		{"cancelled otherwise", context.Canceled, nil, 0},
		{"another failure", errors.New("disk full"), lost, 0},
		{"none", nil, lost, 0},
	} {
		r := &Run{observer: unobserved{}, lost: func(*tenants.Tenant) error { return c.lost }}
		o := r.Finish(Outcome{Tenant: &tenants.Tenant{Name: "w0"}, Err: c.err})
		if got := strings.Count(fmt.Sprint(o.Err), "locks of this run were lost"); got != c.want || (o.Err == nil) != (c.err == nil) {
			t.Errorf("%s: got %v", c.name, o.Err)
		}
	}
}
