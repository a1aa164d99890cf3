package mariadb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// GoldenPrefix begins the names of databases that goldens are made in.
const GoldenPrefix = "wikictl_golden_"

// GoldenDatabase is the database in which a farm makes a golden, by the golden's key.
func GoldenDatabase(farm, key string) string {
	sum := sha256.Sum256([]byte(farm + "\n" + key))
	return GoldenPrefix + hex.EncodeToString(sum[:8])
}

// Golden is a small database as the statements that make another like it:
// tables first, then rows. It is for schemas with little data, not for backups.
type Golden struct {
	Tables []string       // CREATE TABLE …
	Rows   []string       // INSERT INTO …
	Counts map[string]int // rows by table; a table without rows may be missing
}

// TakeGolden reads every table of a database. Rows of skip, such as caches, are
// left out.
func (s *Server) TakeGolden(ctx context.Context, database string, skip ...string) (*Golden, error) {
	names, err := s.Tables(ctx, database)
	if err != nil {
		return nil, err
	}
	g := &Golden{Counts: map[string]int{}}
	err = s.work(ctx, database, false, func(conn *sql.Conn) error {
		for _, name := range names {
			if err := g.take(ctx, conn, name, slices.Contains(skip, name)); err != nil {
				return fmt.Errorf("read table %s of %q: %w", name, database, err)
			}
		}
		return nil
	})
	return g, err
}

func (g *Golden) take(ctx context.Context, conn *sql.Conn, table string, empty bool) error {
	var name, create string
	if err := conn.QueryRowContext(ctx, "SHOW CREATE TABLE "+Quote(table)).Scan(&name, &create); err != nil {
		return err
	}
	g.Tables = append(g.Tables, create)
	if empty {
		return nil
	}
	rows, err := conn.QueryContext(ctx, "SELECT * FROM "+Quote(table))
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
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		tuples = append(tuples, tuple(values))
	}
	if len(tuples) > 0 {
		g.Counts[table] = len(tuples)
		g.Rows = append(g.Rows, "INSERT INTO "+Quote(table)+" VALUES "+strings.Join(tuples, ","))
	}
	return rows.Err()
}

// tuple writes one row, in hexadecimal so that no byte has a meaning.
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

// Encode writes a golden as JSON under zstd, whose frame has a checksum.
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

// DecodeGolden reads what Encode wrote and fails when a bit of it changed.
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
		return nil, fmt.Errorf("more follows than a golden: %v", err)
	}
	if len(g.Tables) == 0 {
		return nil, fmt.Errorf("the golden has no tables")
	}
	return g, nil
}

// Load makes the tables and rows of a golden in an empty database, in two round
// trips. A table that exists is an error: what a killed run left has to be discarded
// first.
func (s *Server) Load(ctx context.Context, database string, g *Golden) error {
	return s.work(ctx, database, true, func(conn *sql.Conn) error {
		// Without unique_checks=0, by which MariaDB fills an empty table in bulk (InnoDB:
		// bulk insert): for a few rows of each that takes seven times as long.
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
