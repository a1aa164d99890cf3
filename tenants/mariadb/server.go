// Package mariadb talks to the MariaDB and MySQL servers of a farm: databases, accounts,
// grants, locks, dumps, inspection, and the private server that wikictl runs itself. It
// sends all SQL but the ledger's and the migrations'. It does not know the purpose of a
// run.
package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
	"wikictl/tenants/secrets"
)

// connections is the maximum number of open connections per server, besides those that
// hold locks.
const connections = 32

// Server is an administrator's connection to one server.
type Server struct {
	Name    string
	Version string // as the server reports it, such as "10.11.19-MariaDB-0+deb12u1"

	config   *mysql.Config
	db       *sql.DB
	farm     atomic.Pointer[string] // id of the farm that it works for; nil: none
	encoders sync.Pool              // idle *zstd.Encoder values of earlier dumps: each has megabytes
	layouts  sync.Map               // layout of tables, by their definition without numbers
}

// Open connects to a server as its administrator, and starts a managed server first. A
// non-empty password overrides the password file.
func Open(ctx context.Context, def *tenants.Server, l tenants.Layout, password secrets.Secret) (*Server, error) {
	if def.Managed {
		if err := PrivateOf(def, l).Start(ctx); err != nil {
			return nil, fmt.Errorf("server %s: %w", def.Name, err)
		}
	}
	return Connect(ctx, def, l, password)
}

// Connect connects to a server like Open, but starts nothing.
func Connect(ctx context.Context, def *tenants.Server, l tenants.Layout, password secrets.Secret) (*Server, error) {
	config, err := configFor(def, l, password)
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", def.Name, err)
	}
	s := &Server{Name: def.Name, config: config}
	if s.db, err = openPool(config); err != nil {
		return nil, fmt.Errorf("server %s: dsn: %w", def.Name, err)
	}
	s.db.SetMaxOpenConns(connections)
	s.db.SetMaxIdleConns(connections)
	s.db.SetConnMaxIdleTime(time.Minute)
	if err := s.db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.Version); err != nil {
		s.db.Close()
		if def.Managed && (isError(err, errAccess) || isError(err, errAccessPlugin) || errors.Is(err, fs.ErrPermission)) {
			err = fmt.Errorf("%w\n(a managed server admits only the user that started it: run wikictl as that user, usually root)", err)
		}
		return nil, fmt.Errorf("server %s: %w", def.Name, err)
	}
	return s, nil
}

// Close closes all connections. A managed server keeps running.
func (s *Server) Close() error { return s.db.Close() }

// configFor returns the driver configuration of a server definition.
func configFor(def *tenants.Server, l tenants.Layout, password secrets.Secret) (*mysql.Config, error) {
	if def.Managed {
		return withRequired(PrivateOf(def, l).config()), nil
	}
	config, err := mysql.ParseDSN(def.DSN)
	if err != nil {
		return nil, fmt.Errorf("dsn %q: %w", def.DSN, err)
	}
	config.Passwd = password.Reveal()
	if password == "" && def.PasswordFile != "" {
		text, err := readPassword(def.PasswordFile)
		if err != nil {
			return nil, err
		}
		config.Passwd = text
	}
	return withRequired(config), nil
}

// withRequired sets the driver options that wikictl requires, whatever the DSN has.
func withRequired(c *mysql.Config) *mysql.Config {
	c.Logger = &mysql.NopLogger{} // errors are returned; the driver prints to stderr by itself
	if c.Net == "tcp" {           // the driver adds a port and brackets even to "[::1]"
		c.Addr = strings.NewReplacer("[[", "[", "]]", "]").Replace(c.Addr)
	}
	c.ParseTime = true
	c.Loc = time.UTC
	c.Collation = "utf8mb4_bin"
	c.Timeout = connectLimit
	c.ClientFoundRows = true   // a conditional write checks whether its row exists
	c.InterpolateParams = true // or each query with arguments would be three: prepare, execute, close
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	return c
}

// readPassword reads a password from a file that only its owner may read.
func readPassword(path string) (string, error) {
	if err := disk.CheckPrivate(path); err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	text, err := disk.Read(path)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// Connection is one connection outside of the pool.
type Connection struct {
	*sql.Conn
	db *sql.DB
}

// Close closes the connection.
func (c Connection) Close() error { return errors.Join(c.Conn.Close(), c.db.Close()) }

// Dedicated opens one connection outside of the pool; multi allows several statements per
// query.
func (s *Server) Dedicated(ctx context.Context, database string, multi bool) (Connection, error) {
	return s.connect(ctx, s.configured(database, multi))
}

// configured returns the driver configuration of such a connection.
func (s *Server) configured(database string, multi bool) *mysql.Config {
	config := s.config.Clone()
	config.DBName = database
	config.MultiStatements = multi
	return config
}

// Pool opens a pool of at most n connections to a database. The server ends a statement
// after limit; 0: no limit. It does not connect yet.
func (s *Server) Pool(database string, n int, limit time.Duration) (*sql.DB, error) {
	config := s.config.Clone()
	config.DBName = database
	if limit > 0 {
		config.ReadTimeout, config.WriteTimeout = limit+time.Second, limit+time.Second
		seconds := fmt.Sprint(int(limit.Seconds()))
		config.Params["lock_wait_timeout"], config.Params["innodb_lock_wait_timeout"] = seconds, seconds
	}
	db, err := openPool(config)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	return db, nil
}

// connect opens one connection outside of the pool.
func (s *Server) connect(ctx context.Context, config *mysql.Config) (Connection, error) {
	db, err := openPool(config)
	if err != nil {
		return Connection{}, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return Connection{}, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return Connection{conn, db}, nil
}

// work calls do with a new connection. When ctx is cancelled it kills the statement on
// the server and waits for its end; the driver alone would only close the connection, and
// the server would continue the statement.
func (s *Server) work(ctx context.Context, database string, multi bool, do func(*sql.Conn) error) error {
	return s.workFor(ctx, database, database, multi, do)
}

// workFor is work with a connection that is tagged for a database other than its default,
// so that a later run finds it after a kill.
func (s *Server) workFor(ctx context.Context, tag, database string, multi bool, do func(*sql.Conn) error) error {
	return s.workBy(ctx, tag, s.configured(database, multi), do)
}

// workBy is work with another driver configuration.
func (s *Server) workBy(ctx context.Context, tag string, config *mysql.Config, do func(*sql.Conn) error) error {
	conn, err := s.connect(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	var id int64
	tagging := "TRUE"
	if tag != "" {
		tagging = tagExpression(tag)
	}
	var known bool
	if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID(), "+tagging).Scan(&id, &known); err != nil {
		return fmt.Errorf("server %s: %w", s.Name, err)
	}
	if !known {
		return fmt.Errorf("server %s: %d connections are already working in %q", s.Name, workersPerDatabase, tag)
	}
	err = do(conn.Conn)
	if ctx.Err() == nil {
		return err
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(context.Cause(ctx), s.kill(after, []int64{id}))
}

// kill kills connections and waits until they are closed.
func (s *Server) kill(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		_, err := s.db.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
		if err != nil && !isError(err, errNoSuchThread) {
			return fmt.Errorf("server %s: kill connection %d: %w", s.Name, id, err)
		}
		for {
			open, err := s.connectionsWhere(ctx, listConnections, func(r record) bool { return r["Id"] == strconv.FormatInt(id, 10) })
			if err != nil {
				return fmt.Errorf("wait for connection %d to end: %w", id, err)
			}
			if len(open) == 0 {
				break
			}
			if err := process.Pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// Error numbers ("MariaDB Error Codes" in MariaDB's Knowledge Base).
const (
	errDuplicate    = 1062
	errNoSuchThread = 1094
	errCannotUser   = 1396

	errDatabaseExists = 1007
	errDiskFull       = 1021
	errTooMany        = 1040 // connections
	errAccess         = 1045
	errShutdown       = 1053
	errTableFull      = 1114 // InnoDB's answer to a full disk
	errHostBlocked    = 1129 // after many failed connections from the client's machine
	errNoThread       = 1135 // for a new connection
	errNoSelect       = 1142
	errNoTable        = 1146
	errLockWait       = 1205
	errBrokenView     = 1356
	errDeadlock       = 1213
	errAccessPlugin   = 1698 // the account is reserved for a user of the operating system
)

func isError(err error, number uint16) bool {
	var m *mysql.MySQLError
	return errors.As(err, &m) && m.Number == number
}

// IsDuplicate reports whether a unique key refused a row.
func IsDuplicate(err error) bool { return isError(err, errDuplicate) }

// Column reads the rows of a single column.
func Column[T any](rows *sql.Rows) ([]T, error) {
	return Records(rows, func(v *T) []any { return []any{v} })
}

// Pairs reads rows of two columns into a map from the first to the second.
func Pairs[K comparable, V any](rows *sql.Rows) (map[K]V, error) {
	type pair struct {
		key   K
		value V
	}
	list, err := Records(rows, func(p *pair) []any { return []any{&p.key, &p.value} })
	all := make(map[K]V, len(list))
	for _, p := range list {
		all[p.key] = p.value
	}
	return all, err
}

// Records reads rows, each into a T whose fields are those of the columns, in order.
func Records[T any](rows *sql.Rows, fields func(*T) []any) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		var one T
		if err := rows.Scan(fields(&one)...); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
