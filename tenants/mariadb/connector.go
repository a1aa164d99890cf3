package mariadb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// connectLimit bounds the time until a server has accepted a connection. The driver's own
// limit ends when the network has connected: a server that is stopped or stuck accepts
// connections and never answers.
const connectLimit = 10 * time.Second

// silentError reports a server that accepted a connection and then did not answer.
type silentError struct{ address string }

// Error names the address and what to check.
func (e *silentError) Error() string {
	return fmt.Sprintf("%s did not answer within %s (check that the database server runs and is not overloaded)", e.address, connectLimit)
}

// Timeout reports whether the error is a timeout, as net.Error has it.
func (e *silentError) Timeout() bool { return true }

// bounded opens connections within connectLimit.
type bounded struct {
	driver.Connector
	address string
}

// Connect opens a connection and makes its session plain. If ctx has not ended, a late
// answer is a *silentError.
func (b bounded) Connect(ctx context.Context) (driver.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	conn, err := b.plain(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, &silentError{b.address}
	}
	return conn, err
}

func (b bounded) plain(ctx context.Context) (driver.Conn, error) {
	conn, err := b.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := makePlain(ctx, conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// openPool returns a pool of connections by a driver configuration. It does not connect
// yet.
func openPool(c *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(bounded{connector, c.Addr}), nil
}
