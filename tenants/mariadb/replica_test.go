package mariadb

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// A replica that refuses wikictl alone, or that is full with connections of wikis, is read from;
// one that ends, or hangs, is not.
func TestReplicaIsHiddenWhileWikisReadFromIt(t *testing.T) {
	answer := func(number uint16) error { return fmt.Errorf("server r: %w", &mysql.MySQLError{Number: number}) }
	for _, c := range []struct {
		name         string
		state        Replica
		hidden, full bool
	}{
		{name: "wrong password", state: Replica{Err: answer(errAccess)}, hidden: true},
		{name: "too many connections", state: Replica{Err: answer(errTooMany)}, hidden: true, full: true},
		{name: "no thread left", state: Replica{Err: answer(errNoThread)}, hidden: true, full: true},
		{name: "it shuts down", state: Replica{Err: answer(errShutdown)}},
		{name: "it blocks this machine", state: Replica{Err: answer(errHostBlocked)}},
		{name: "it hangs", state: Replica{Err: context.DeadlineExceeded}},
		{name: "it closed the connection", state: Replica{Err: mysql.ErrInvalidConn}},
		{name: "it replicates", state: Replica{Link: Link{Source: "p", SourceID: 1, Running: true}, Position: Position{ID: 1}}},
		{name: "it replicates another", state: Replica{Link: Link{Source: "p", SourceID: 2, Running: true}, Position: Position{ID: 1}}, hidden: true},
	} {
		if c.state.Hidden() != c.hidden || c.state.Full() != c.full {
			t.Errorf("%s: hidden %v, full %v", c.name, c.state.Hidden(), c.state.Full())
		}
	}
}
