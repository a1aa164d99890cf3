package mariadb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// keepAlive is how often a lock session makes sure that it still lives.
const keepAlive = 5 * time.Second

// LockedError says that another run works on a tenant.
type LockedError struct {
	Name   string // of the lock: the tenant's name, or what else is locked
	Holder string // "user@host pid N, run ID", or a connection's number
}

// Error names the holder.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked by %s", e.Name, e.Holder)
}

// Locks holds the locks of one run on one server: names of GET_LOCK on one
// connection, which the server frees by itself when the connection ends.
type Locks struct {
	server *Server
	ledger *Ledger
	mu     sync.Mutex // the connection takes one statement at a time
	conn   single
	lost   context.CancelCauseFunc
	stop   context.CancelFunc
	wait   sync.WaitGroup
}

// Locks opens a session for locks and writes its holder into the ledger. The
// context that it returns ends when the session is lost: nothing may be done
// under its locks then.
func (s *Server) Locks(ctx context.Context, ledger *Ledger, holder string) (*Locks, context.Context, error) {
	conn, err := s.alone(ctx, "", false)
	if err != nil {
		return nil, nil, err
	}
	held, lost := context.WithCancelCause(ctx)
	alive, stop := context.WithCancel(held)
	l := &Locks{server: s, ledger: ledger, conn: conn, lost: lost, stop: stop}
	if err := l.register(ctx, holder); err != nil {
		stop()
		conn.Close()
		return nil, nil, err
	}
	l.wait.Go(func() { l.keep(alive) })
	return l, held, nil
}

func (l *Locks) register(ctx context.Context, holder string) error {
	var id int64
	if err := l.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		return fmt.Errorf("server %s: %w", l.server.Name, err)
	}
	return l.ledger.putSession(ctx, l.server.Name, id, holder)
}

// keep asks the server now and then whether the session lives.
func (l *Locks) keep(ctx context.Context) {
	for pause(ctx, keepAlive) == nil {
		l.mu.Lock()
		err := l.conn.PingContext(ctx)
		l.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			l.lost(fmt.Errorf("server %s: the session that holds the locks was lost: %w", l.server.Name, err))
			return
		}
	}
}

// Acquire takes the lock of that name or returns *LockedError at once.
func (l *Locks) Acquire(ctx context.Context, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var got sql.NullInt64
	if err := l.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, 0)", lockName(name)).Scan(&got); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if got.Int64 == 1 {
		return nil
	}
	return &LockedError{Name: name, Holder: l.holder(ctx, name)}
}

// holder finds out who has a lock.
func (l *Locks) holder(ctx context.Context, name string) string {
	var id sql.NullInt64
	if err := l.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK(?)", lockName(name)).Scan(&id); err != nil || !id.Valid {
		return "another run, which has just ended"
	}
	holder, err := l.ledger.session(ctx, l.server.Name, id.Int64)
	if err != nil {
		return fmt.Sprintf("connection %d of server %s", id.Int64, l.server.Name)
	}
	return holder
}

// Release frees the lock of that name.
func (l *Locks) Release(ctx context.Context, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ok sql.NullInt64
	return l.conn.QueryRowContext(ctx, "SELECT RELEASE_LOCK(?)", lockName(name)).Scan(&ok)
}

// Close ends the session and with it every lock.
func (l *Locks) Close() error {
	l.stop()
	l.wait.Wait()
	return l.conn.Close()
}

// lockName fits a name into the 64 characters that GET_LOCK takes.
func lockName(name string) string {
	full := "wikictl/" + name
	if len(full) <= 64 {
		return full
	}
	sum := sha256.Sum256([]byte(name))
	return "wikictl/" + hex.EncodeToString(sum[:])[:56]
}
