package mariadb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// GoldenPrefix is the prefix of the databases in which goldens are made.
const GoldenPrefix = "wikictl_golden_"

// GoldenDatabase returns the database in which a farm makes the golden with a key.
func GoldenDatabase(farm, key string) string {
	sum := sha256.Sum256([]byte(farm + "\n" + key))
	return GoldenPrefix + hex.EncodeToString(sum[:8])
}

// Golden is a small database as the statements that recreate it: tables first, then rows.
// It is for schemas with little data, not for backups.
type Golden struct {
	Tables []string       // CREATE TABLE …
	Rows   []string       // INSERT INTO …
	Counts map[string]int // rows by table; a table without rows may be absent
}

// TakeGolden reads all tables of a database, without the rows of skip, such as caches.
func (s *Server) TakeGolden(ctx context.Context, database string, skip ...string) (*Golden, error) {
	names, err := s.Tables(ctx, database)
	if err != nil {
		return nil, err
	}
	return s.take(ctx, database, names, func(table string) int {
		if slices.Contains(skip, table) {
			return 0
		}
		return math.MaxInt
	})
}

// TakeSample reads all tables of a database with a few rows of each, and all rows of the
// tables in whole. It omits the rows of skip, and very long rows.
func (s *Server) TakeSample(ctx context.Context, database string, rows int, whole string, skip ...string) (*Golden, error) {
	names, err := s.Tables(ctx, database)
	if err != nil {
		return nil, err
	}
	return s.take(ctx, database, names, func(table string) int {
		switch {
		case slices.Contains(skip, table):
			return 0
		case table == whole:
			return math.MaxInt
		}
		return rows
	})
}

// Only returns the golden with the rows of a single table.
func (g *Golden) Only(table string) *Golden {
	only := &Golden{Tables: g.Tables, Counts: map[string]int{table: g.Counts[table]}}
	for _, rows := range g.Rows {
		if strings.HasPrefix(rows, insertInto(table)) {
			only.Rows = append(only.Rows, rows)
		}
	}
	return only
}

func insertInto(table string) string { return "INSERT INTO " + Quote(table) + " VALUES " }

// take reads tables with up to limit rows each.
func (s *Server) take(ctx context.Context, database string, names []string, limit func(table string) int) (*Golden, error) {
	g := &Golden{Counts: map[string]int{}}
	err := s.work(ctx, database, false, func(conn *sql.Conn) error {
		for _, name := range names {
			if err := g.take(ctx, conn, name, limit(name)); err != nil {
				return fmt.Errorf("read table %s of %q: %w", name, database, err)
			}
		}
		return nil
	})
	return g, err
}

// Limits of a table's part in a sample, in bytes of the statement that inserts its rows.
// A hundred such tables fit into a packet of 16 MB, MariaDB's default max_allowed_packet.
const (
	sampleBytes = 128 << 10
	sampleRow   = 64 << 10
)

func (g *Golden) take(ctx context.Context, conn *sql.Conn, table string, limit int) error {
	var name, create string
	if err := conn.QueryRowContext(ctx, "SHOW CREATE TABLE "+Quote(table)).Scan(&name, &create); err != nil {
		return err
	}
	g.Tables = append(g.Tables, create)
	if limit == 0 {
		return nil
	}
	rows, err := conn.QueryContext(ctx, "SELECT * FROM "+Quote(table)+" LIMIT "+strconv.Itoa(limit))
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var tuples []string
	values := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	bytes, whole := 0, limit == math.MaxInt
	for rows.Next() && (whole || bytes < sampleBytes) {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if row := tuple(values); whole || len(row) <= sampleRow {
			tuples = append(tuples, row)
			bytes += len(row)
		}
	}
	if len(tuples) > 0 {
		g.Counts[table] = len(tuples)
		g.Rows = append(g.Rows, insertInto(table)+strings.Join(tuples, ","))
	}
	return rows.Err()
}

// tuple writes a row as VALUES, in hexadecimal so that no byte needs escaping.
func tuple(values []sql.RawBytes) string {
	fields := make([]string, len(values))
	for i, v := range values {
		switch {
		case v == nil:
			fields[i] = "NULL"
		case len(v) == 0:
			fields[i] = "''"
		default:
			fields[i] = "x'" + hex.EncodeToString(v) + "'"
		}
	}
	return "(" + strings.Join(fields, ",") + ")"
}

// Encode returns a golden as JSON compressed with zstd, whose frame has a checksum.
func (g *Golden) Encode() ([]byte, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(g); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// DecodeGolden decodes what Encode returned. It fails if a bit has changed.
func DecodeGolden(data []byte) (*Golden, error) {
	z, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	g := &Golden{}
	d := json.NewDecoder(z)
	if err := d.Decode(g); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err == nil || err.Error() != "EOF" {
		return nil, fmt.Errorf("data follows the golden: %v", err)
	}
	if len(g.Tables) == 0 {
		return nil, fmt.Errorf("the golden has no tables")
	}
	return g, nil
}

// Load creates a golden's tables and rows in an empty database, in two round trips. An
// existing table is an error: the caller first discards what an interrupted run made.
func (s *Server) Load(ctx context.Context, database string, g *Golden) error {
	return s.work(ctx, database, true, func(conn *sql.Conn) error {
		// Without unique_checks=0, with which MariaDB fills an empty table in bulk
		// (InnoDB bulk insert): for a few rows per table that takes seven times as long.
		const before = "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', foreign_key_checks=0, sql_notes=0;\n"
		if _, err := conn.ExecContext(ctx, before+strings.Join(g.Tables, ";\n")); err != nil {
			return fmt.Errorf("create the tables of %q: %w", database, err)
		}
		if len(g.Rows) == 0 {
			return nil
		}
		rows := "START TRANSACTION;\n" + strings.Join(g.Rows, ";\n") + ";\nCOMMIT"
		if _, err := conn.ExecContext(ctx, rows); err != nil {
			return fmt.Errorf("fill the tables of %q: %w", database, err)
		}
		return nil
	})
}
