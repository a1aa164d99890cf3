package mariadb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// answerLimit bounds how long a replica may take to answer: one that hangs is down.
const answerLimit = 10 * time.Second

// Link is the state of a server as a replica, by SHOW SLAVE STATUS, which MediaWiki reads,
// too.
type Link struct {
	Source   string // host and port of the server that it replicates; empty: it replicates none
	SourceID int64  // that server's server_id; 0: it has not connected to it yet
	Running  bool   // it receives and applies changes
	Error    string // why it is not Running
	Lag      int64  // seconds; meaningless unless Running
	ReadOnly bool   // it refuses writes
}

// Link reads the server's state as a replica. Like MediaWiki, it does not detect replication
// by a named connection.
func (s *Server) Link(ctx context.Context) (l Link, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if err := s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&l.ReadOnly); err != nil {
		return l, fmt.Errorf("server %s: %w", s.Name, err)
	}
	err = s.table(ctx, "SHOW SLAVE STATUS", func(r record) {
		l.Source = r["Master_Host"] + ":" + r["Master_Port"]
		l.SourceID, _ = strconv.ParseInt(r["Master_Server_Id"], 10, 64)
		l.Running = r["Slave_IO_Running"] == "Yes" && r["Slave_SQL_Running"] == "Yes"
		if l.Error = r["Last_SQL_Error"]; l.Error == "" {
			l.Error = r["Last_IO_Error"]
		}
		lag, err := strconv.ParseInt(r["Seconds_Behind_Master"], 10, 64)
		l.Lag, l.Running = lag, l.Running && err == nil
	})
	if err != nil {
		err = fmt.Errorf("server %s: read its state as a replica: %w", s.Name, err)
	}
	return l, err
}

// Position is a place in the log of a primary.
type Position struct {
	ID   int64  // server_id
	GTID string // of MariaDB's gtid_binlog_pos; empty: it writes no log
}

// Position returns the end of the server's log, of its own domain alone. Its log may name others,
// such as that of an earlier primary or of its own, which a replica never has in its position.
func (s *Server) Position(ctx context.Context) (p Position, err error) {
	if !s.isMariaDB() {
		return p, fmt.Errorf("server %s: it is not MariaDB, and wikictl can wait only for replicas of MariaDB; remove replicas from its definition", s.Name)
	}
	var all, domain string
	err = s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.server_id, @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_domain_id").Scan(&p.ID, &all, &domain)
	if err != nil {
		return p, fmt.Errorf("server %s: read the end of its log: %w", s.Name, err)
	}
	for gtid := range strings.SplitSeq(all, ",") {
		if strings.HasPrefix(gtid, domain+"-") {
			p.GTID = gtid
		}
	}
	return p, nil
}

// Replica is the observed state of a replica.
type Replica struct {
	Err error // why its state is unknown; the other fields are empty then
	Link
	Position Position // of its primary, read before Link
}

// InspectReplica reads the state of a replica and the position of its primary.
func (s *Server) InspectReplica(ctx context.Context, primary *Server) (r Replica) {
	if r.Position, r.Err = primary.Position(ctx); r.Err == nil {
		r.Link, r.Err = s.Link(ctx)
	}
	return r
}

// Fault returns why MediaWiki can't read from the replica, or "".
func (r Replica) Fault() string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.Source == "":
		return "it replicates no server"
	case r.SourceID != 0 && r.SourceID != r.Position.ID:
		return "it replicates another server, " + r.Source
	case !r.Running && r.Error != "":
		return "it does not replicate: " + r.Error
	case !r.Running:
		return "it does not replicate: START SLAVE was not run, or it can't connect to " + r.Source
	}
	return ""
}

// Hidden reports whether MediaWiki may read from the replica although it has a Fault: it refuses
// only wikictl, such as for a wrong password, or it replicates another server, which MediaWiki
// does not detect.
func (r Replica) Hidden() bool {
	if r.Err != nil {
		return !IsDown(r.Err)
	}
	return r.Running && r.SourceID != 0 && r.SourceID != r.Position.ID
}

// Full reports whether a server is up and has no connection left. Those that it has are the
// wikis', so they do read from it.
func (r Replica) Full() bool { return isError(r.Err, errTooMany) || isError(r.Err, errNoThread) }

// Effect returns the effect of a Fault on readers, to follow the replica's name in a sentence.
func (r Replica) Effect() string {
	if r.Hidden() {
		return "may be read from, and wikictl can't wait for it"
	}
	return "is not read from"
}

// IsDown reports whether an error comes from the connection, or is a server's answer that it ends
// or takes no connections from this machine, which wikis get, too.
func IsDown(err error) bool {
	var network net.Error // also of a time limit
	return isError(err, errShutdown) || isError(err, errHostBlocked) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}

// Reached waits until the replica has applied its primary's log up to a place, at most for
// limit. It returns early if it does not replicate any more.
func (s *Server) Reached(ctx context.Context, p Position, limit time.Duration) (bool, error) {
	const turn = 5 * time.Second
	for deadline := time.Now().Add(limit); ; {
		reached, err := s.reached(ctx, p, min(turn, max(time.Until(deadline), 0)))
		if err != nil || reached || time.Now().After(deadline) {
			return reached, err
		}
		if l, err := s.Link(ctx); err != nil || !l.Running {
			return false, err
		}
	}
}

// reached waits like Reached, once, for at most turn (MariaDB: MASTER_GTID_WAIT).
func (s *Server) reached(ctx context.Context, p Position, turn time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, turn+answerLimit)
	defer cancel()
	var answer sql.NullInt64
	if err := s.db.QueryRowContext(ctx, "SELECT MASTER_GTID_WAIT(?, ?)", p.GTID, turn.Seconds()).Scan(&answer); err != nil {
		return false, fmt.Errorf("server %s: wait for the changes of its primary: %w", s.Name, err)
	}
	return answer.Valid && answer.Int64 == 0, nil
}
