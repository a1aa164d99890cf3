package mariadb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"wikictl/tenants/process"
)

// A lock session pings its server every keepAlive, and counts as lost without an answer
// within answerWithin, so that a network that drops packets is noticed within ten
// seconds.
const (
	keepAlive    = 3 * time.Second
	answerWithin = 4 * time.Second
)

// LockedError reports that another run holds a lock.
type LockedError struct {
	Name   string // of the lock: the tenant's name, or that of another locked object
	Holder string // "user@host pid N, run ID", or a connection's id
}

// Error names the lock and its holder.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked by %s", e.Name, e.Holder)
}

// LostError reports that a run has lost its locks: the connection to their server broke,
// and the server has released them or will.
type LostError struct {
	Server string
	Why    error
}

// Error says that another run may have taken the locks.
func (e *LostError) Error() string {
	return fmt.Sprintf("server %s: the locks of this run were lost (%v): another run may have taken them; check wikictl status, then run this again", e.Server, e.Why)
}

// Unwrap returns the reason for the loss.
func (e *LostError) Unwrap() error { return e.Why }

// Sessions records the holder of a connection's locks; the ledger implements it.
type Sessions interface {
	PutSession(ctx context.Context, server string, connection int64, holder string) error
	Session(ctx context.Context, server string, connection int64) (holder string, err error)
}

// Locks holds the locks of one run on one server: names of GET_LOCK on one connection,
// which the server releases when the connection ends.
type Locks struct {
	server   *Server
	sessions Sessions
	mu       sync.Mutex // the connection takes one statement at a time
	conn     Connection
	stop     context.CancelFunc
	wait     sync.WaitGroup
	none     error // why no session could be opened

	losing sync.Mutex
	lost   *LostError                        // nil: the session is alive
	ends   map[*context.CancelCauseFunc]bool // of the work under the locks
}

// NoLocks stands for a session that could not be opened because of err: every lock fails
// with it.
func NoLocks(err error) *Locks { return &Locks{none: err} }

// Locks opens a session for locks and records its holder. Work under the locks must stop
// when the session is lost; run it with the context of While.
func (s *Server) Locks(ctx context.Context, sessions Sessions, holder string) (*Locks, error) {
	config := s.config.Clone()
	config.ReadTimeout, config.WriteTimeout = answerWithin, answerWithin
	conn, err := s.connect(ctx, config)
	if err != nil {
		return nil, err
	}
	alive, stop := context.WithCancel(ctx)
	l := &Locks{server: s, sessions: sessions, conn: conn, stop: stop, ends: map[*context.CancelCauseFunc]bool{}}
	if err := l.register(ctx, holder); err != nil {
		stop()
		conn.Close()
		return nil, err
	}
	l.wait.Go(func() { l.keep(alive) })
	return l, nil
}

// While returns a context for work under these locks. It is cancelled with a *LostError
// if they are lost. Call done after the work.
func (l *Locks) While(ctx context.Context) (held context.Context, done context.CancelFunc) {
	held, end := context.WithCancelCause(ctx)
	l.losing.Lock()
	defer l.losing.Unlock()
	if l.lost != nil {
		end(l.lost)
	}
	if l.ends != nil {
		l.ends[&end] = true
	}
	return held, func() {
		l.losing.Lock()
		defer l.losing.Unlock()
		delete(l.ends, &end)
		end(nil)
	}
}

// Lost returns the *LostError if the locks were lost, otherwise nil.
func (l *Locks) Lost() error {
	l.losing.Lock()
	defer l.losing.Unlock()
	if l.lost == nil {
		return nil
	}
	return l.lost
}

// lose cancels all work under these locks.
func (l *Locks) lose(why *LostError) {
	l.losing.Lock()
	defer l.losing.Unlock()
	if l.lost == nil {
		l.lost = why
	}
	for end := range l.ends {
		(*end)(why)
	}
}

func (l *Locks) register(ctx context.Context, holder string) error {
	var id int64
	if err := l.ask(ctx, &id, "SELECT CONNECTION_ID()"); err != nil {
		return err
	}
	return l.sessions.PutSession(ctx, l.server.Name, id, holder)
}

// keep pings the server until ctx ends or the session is lost.
func (l *Locks) keep(ctx context.Context) {
	var one int64
	for process.Pause(ctx, keepAlive) == nil && l.ask(ctx, &one, "SELECT 1") == nil {
	}
}

// ask runs a query of one value on the session. It treats every error as the loss of the
// session. The end of ctx does not interrupt the query: the driver would close the
// connection, and the server would release the locks.
func (l *Locks) ask(ctx context.Context, into any, query string, args ...any) error {
	if l.none != nil {
		return l.none
	}
	if err := l.Lost(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	err := l.conn.QueryRowContext(limited, query, args...).Scan(into)
	if err == nil {
		return nil
	}
	lost := &LostError{Server: l.server.Name, Why: cmp.Or(limited.Err(), err)}
	l.lose(lost)
	return lost
}

// Acquire takes a lock, or returns *LockedError without waiting.
func (l *Locks) Acquire(ctx context.Context, name string) error {
	var got sql.NullInt64
	if err := l.ask(ctx, &got, "SELECT GET_LOCK(?, 0)", lockName(name)); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if got.Int64 == 1 {
		return nil
	}
	return &LockedError{Name: name, Holder: l.holder(ctx, name)}
}

// lockBatch is the number of locks per query.
const lockBatch = 200

// AcquireAll takes many locks, lockBatch per query, and returns the errors of those that
// it could not take, by name.
func (l *Locks) AcquireAll(ctx context.Context, names []string) map[string]error {
	refused := map[string]error{}
	for batch := range slices.Chunk(names, lockBatch) {
		args := make([]any, len(batch))
		for i, name := range batch {
			args[i] = lockName(name)
		}
		var got string
		query := "SELECT CONCAT(" + strings.TrimSuffix(strings.Repeat("COALESCE(GET_LOCK(?, 0), 0), ", len(batch)), ", ") + ")"
		err := l.ask(ctx, &got, query, args...)
		for i, name := range batch {
			switch {
			case err != nil:
				refused[name] = fmt.Errorf("lock %s: %w", name, err)
			case got[i] != '1':
				refused[name] = &LockedError{Name: name, Holder: l.holder(ctx, name)}
			}
		}
	}
	return refused
}

// Verify asks the server whether this session still holds a lock. Call it before an
// irreversible step. It returns ctx's cause if ctx has ended, and a *LostError if the
// lock is not held.
func (l *Locks) Verify(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var own sql.NullBool
	if err := l.ask(ctx, &own, "SELECT IS_USED_LOCK(?) = CONNECTION_ID()", lockName(name)); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if own.Bool {
		return nil
	}
	return &LostError{Server: l.server.Name, Why: fmt.Errorf("%s is held by %s", name, l.holder(ctx, name))}
}

// holder describes the holder of a lock.
func (l *Locks) holder(ctx context.Context, name string) string {
	var id sql.NullInt64
	if err := l.ask(ctx, &id, "SELECT IS_USED_LOCK(?)", lockName(name)); err != nil || !id.Valid {
		return "another run, which has just ended"
	}
	holder, err := l.sessions.Session(ctx, l.server.Name, id.Int64)
	if err != nil {
		return fmt.Sprintf("connection %d of server %s", id.Int64, l.server.Name)
	}
	return holder
}

// Release releases a lock.
func (l *Locks) Release(ctx context.Context, name string) error {
	var ok sql.NullInt64
	return l.ask(ctx, &ok, "SELECT RELEASE_LOCK(?)", lockName(name))
}

// Close ends the session and releases all its locks.
func (l *Locks) Close() error {
	if l.none != nil {
		return nil
	}
	l.stop()
	l.wait.Wait()
	return l.conn.Close()
}

// lockName shortens a name to the 64 characters that GET_LOCK accepts.
func lockName(name string) string {
	full := "wikictl/" + name
	if len(full) <= 64 {
		return full
	}
	sum := sha256.Sum256([]byte(name))
	return "wikictl/" + hex.EncodeToString(sum[:])[:56]
}
