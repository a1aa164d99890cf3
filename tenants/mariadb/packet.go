package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// mostPacket is the highest value of max_allowed_packet, in MariaDB and MySQL.
const mostPacket = 1 << 30

// packet returns the server's max_allowed_packet for new connections, in bytes.
func (s *Server) packet(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.max_allowed_packet").Scan(&n)
	return n, err
}

// packetFor returns the max_allowed_packet for a statement of so many bytes. The server
// rounds it down to a multiple of 1,024.
func packetFor(statement int64) int64 { return (statement+1024)/1024*1024 + 1024 }

// mayRaise reports whether the administrator's account may set max_allowed_packet. It
// tries by setting the current value.
func (s *Server) mayRaise(ctx context.Context) bool {
	_, err := s.db.ExecContext(ctx, "SET GLOBAL max_allowed_packet = @@GLOBAL.max_allowed_packet")
	return err == nil
}

// takes returns an error if the server would refuse a statement of so many bytes and the
// account can't raise its limit.
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
		return fmt.Errorf("its largest row makes a statement of %d MB, above MariaDB's limit of %d MB (max_allowed_packet)", need>>20, mostPacket>>20)
	case s.mayRaise(ctx):
		return nil
	}
	return fmt.Errorf("its largest row makes a statement of %d bytes, but server %s accepts at most %d (max_allowed_packet), so a dump could not be restored: "+
		"set max_allowed_packet = %d there, or give the account %s the right to (GRANT SUPER ON *.*)", statement, s.Name, have, need, s.config.User)
}

// raised calls do while the server accepts statements of so many bytes. It serialises
// such calls on a server, so that it restores the original setting; after a kill the
// setting stays raised until the server restarts.
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

// lower restores max_allowed_packet. A failure is harmless: the server accepts longer
// statements than before.
func (s *Server) lower(ctx context.Context, to int64) {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, _ = s.db.ExecContext(after, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", to))
}
