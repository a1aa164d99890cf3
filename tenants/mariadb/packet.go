package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// mostPacket is the highest value of max_allowed_packet, in MariaDB and MySQL.
const mostPacket = 1 << 30

// packet is the server's max_allowed_packet for new connections, in bytes.
func (s *Server) packet(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.max_allowed_packet").Scan(&n)
	return n, err
}

// packetFor is the max_allowed_packet that a statement of so many bytes takes. The
// server rounds it down to 1,024.
func packetFor(statement int64) int64 { return (statement+1024)/1024*1024 + 1024 }

// mayRaise says whether the administrator's account may set max_allowed_packet: it
// sets the value that it has.
func (s *Server) mayRaise(ctx context.Context) bool {
	_, err := s.db.ExecContext(ctx, "SET GLOBAL max_allowed_packet = @@GLOBAL.max_allowed_packet")
	return err == nil
}

// takes says why the server would not take a statement of so many bytes; nil if it
// would, or may be made to.
func (s *Server) takes(ctx context.Context, statement int64) error {
	have, err := s.packet(ctx)
	if err != nil {
		return err
	}
	need := packetFor(statement)
	switch {
	case need <= have:
		return nil
	case need > mostPacket:
		return fmt.Errorf("its largest row makes a statement of %d MB, and MariaDB takes none above %d MB (max_allowed_packet)", need>>20, mostPacket>>20)
	case s.mayRaise(ctx):
		return nil
	}
	return fmt.Errorf("its largest row makes a statement of %d bytes, and server %s takes %d bytes at most (max_allowed_packet), so that a dump could not be restored: "+
		"set max_allowed_packet = %d there, or give the account %s the right to (GRANT SUPER ON *.*)", statement, s.Name, have, need, s.config.User)
}

// raised does something that sends statements of so many bytes, and has the server
// take them meanwhile. One such thing is done on a server at a time, so that the
// setting is put back to what it was; after a kill it stays raised until the server
// starts again.
func (s *Server) raised(ctx context.Context, statement int64, do func() error) error {
	have, err := s.packet(ctx)
	need := packetFor(statement)
	if err != nil || need <= have {
		return join(err, do)
	}
	return s.work(ctx, "", false, func(c *sql.Conn) error {
		var got sql.NullInt64
		if err := c.QueryRowContext(ctx, "SELECT GET_LOCK('wikictl max_allowed_packet', 86400)").Scan(&got); err != nil {
			return err
		}
		if have, err = s.packet(ctx); err != nil || need <= have {
			return join(err, do)
		}
		if _, err := c.ExecContext(ctx, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", need)); err != nil {
			return fmt.Errorf("raise max_allowed_packet of server %s from %d to %d bytes: %w", s.Name, have, need, err)
		}
		defer s.lower(ctx, have)
		return do()
	})
}

func join(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

// lower puts max_allowed_packet back. If it can't, the server takes longer
// statements than before, which harms nothing.
func (s *Server) lower(ctx context.Context, to int64) {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, _ = s.db.ExecContext(after, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", to))
}
