package mariadb

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"wikictl/tenants/backup"
)

// direct is a dump that wikictl makes without mariadb-dump, of a database that has only
// plain tables: it starts no program and needs a quarter of the queries. It reads the
// rows and the description over one connection, from one consistent snapshot.
type direct struct {
	backup  *backup.Dump
	conn    *sql.Conn
	tables  []table
	layouts *sync.Map // Server.layouts
	most    int       // maximum bytes of rows per statement
}

// directSession makes a plain session send values unchanged, and wait for a slow disk.
const directSession = `SET SESSION ` + plainDefinitions + `, character_set_results = NULL, lock_wait_timeout = 60, net_write_timeout = 86400;
START TRANSACTION WITH CONSISTENT SNAPSHOT`

// dumpDirect dumps a database and the further ones of its wiki into new files and
// describes them. It writes nothing and returns errOdd if one of them requires
// mariadb-dump.
func (s *Server) dumpDirect(ctx context.Context, b *backup.Dump) error {
	if !s.isMariaDB() {
		return errOdd
	}
	packet, err := s.packet(ctx)
	if err != nil {
		return err
	}
	return s.direct(ctx, b, int(min(max(packet/2, 4096), joined)), func(all []*direct) error {
		for _, d := range all {
			if err := d.use(ctx); err != nil {
				return err
			}
			if err := s.compress(d.backup, halfOf(d.backup), func(w io.Writer) error { return d.write(ctx, s.Version, w) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// direct describes databases and calls write to dump them from the same snapshot.
func (s *Server) direct(ctx context.Context, b *backup.Dump, most int, write func([]*direct) error) error {
	config := s.configured(b.Database, true)
	config.ParseTime = false
	return s.workBy(ctx, b.Database, config, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, directSession); err != nil {
			return err
		}
		var all []*direct
		for _, one := range b.All() {
			d := &direct{backup: one, conn: c, layouts: &s.layouts, most: most}
			if err := d.begin(ctx); err != nil {
				return err
			}
			all = append(all, d)
		}
		for _, d := range all {
			if err := s.describeDirect(ctx, d); err != nil {
				return err
			}
		}
		return write(all)
	})
}

// describeDirect describes a database from the snapshot.
func (s *Server) describeDirect(ctx context.Context, d *direct) error {
	if err := s.describeObjects(ctx, d.backup); err != nil {
		return err
	}
	if len(d.backup.Objects)+len(d.backup.Broken) > 0 {
		return errOdd
	}
	if err := d.use(ctx); err != nil {
		return err
	}
	// Engines without transactions ignore the snapshot.
	d.backup.Snapshot = !slices.ContainsFunc(d.tables, func(t table) bool { return t.engine != innoDB })
	return d.describe(ctx)
}

// use makes the database the connection's current one.
func (d *direct) use(ctx context.Context) error {
	_, err := d.conn.ExecContext(ctx, "USE "+Quote(d.backup.Database))
	return err
}

// begin reads the tables, and prevents changes to their definitions while the snapshot
// exists.
func (d *direct) begin(ctx context.Context) (err error) {
	if err := d.use(ctx); err != nil {
		return err
	}
	if d.tables, err = plainTables(ctx, d.conn); err != nil || len(d.tables) == 0 {
		return err
	}
	if err := hold(ctx, d.conn, d.tables); err != nil {
		return err
	}
	if err := define(ctx, d.conn, d.tables); err != nil {
		return err
	}
	return d.layOut(ctx)
}

// layOut reads the columns of the tables. It asks the server only if a table is defined
// like none before: tables of many wikis are defined alike, and the query makes the
// server write the columns of all tables into a temporary one.
func (d *direct) layOut(ctx context.Context) error {
	for i, t := range d.tables {
		known, ok := d.layouts.Load(withoutNumber(t.create))
		if !ok {
			return d.askLayouts(ctx)
		}
		d.tables[i].layout = known.(layout)
	}
	return nil
}

func (d *direct) askLayouts(ctx context.Context) error {
	if err := readLayouts(ctx, d.conn, d.tables); err != nil {
		return err
	}
	for _, t := range d.tables {
		d.layouts.Store(withoutNumber(t.create), t.layout)
	}
	return nil
}

// describe reads the checksums of the tables, as Contents does. writeRows counts the
// rows.
func (d *direct) describe(ctx context.Context) error {
	d.backup.Tables = map[string]backup.Contents{}
	if len(d.tables) == 0 {
		return nil
	}
	if err := describeAuthors(ctx, d.conn, d.backup); err != nil {
		return err
	}
	full, inexact := make([]string, len(d.tables)), map[relation][]string{}
	for i, t := range d.tables {
		full[i] = Quote(t.name)
		if t.inexact {
			inexact[relation{name: t.name}] = t.all
		}
	}
	err := pairs(ctx, d.conn, d.backup.Database, "CHECKSUM TABLE "+strings.Join(full, ", "), func(name string, n int64) {
		d.backup.Tables[strings.TrimPrefix(name, d.backup.Database+".")] = backup.Contents{Checksum: n}
	})
	if err != nil {
		return err
	}
	return checksumTexts(ctx, d.conn, d.backup.Database, inexact, d.backup.Tables)
}

// directHead makes the server accept the rows unchanged, even those that it would refuse
// in a new INSERT.
const directHead = `-- Dump by wikictl, of server version %s
SET NAMES utf8mb4;
SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', sql_notes = 0,
	foreign_key_checks = 0, unique_checks = 0, check_constraint_checks = 0, innodb_strict_mode = 0;
`

// write writes the statements that create the tables and their rows.
func (d *direct) write(ctx context.Context, version string, w io.Writer) error {
	b := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintf(b, directHead, version)
	d.writeTables(b)
	for _, t := range d.tables {
		rows, err := d.writeRows(ctx, b, t)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		d.backup.Tables[t.name] = backup.Contents{Rows: rows, Checksum: d.backup.Tables[t.name].Checksum}
	}
	fmt.Fprintln(b, backup.DumpEnd)
	return b.Flush()
}

// writeTables writes the definitions of all tables.
func (d *direct) writeTables(b *bufio.Writer) {
	if len(d.tables) == 0 {
		return
	}
	d.backup.Definitions = make(map[string]string, len(d.tables))
	for _, t := range d.tables {
		d.backup.Definitions[t.name] = t.create
		fmt.Fprintf(b, "DROP TABLE IF EXISTS %s;\n%s;\n", Quote(t.name), t.create)
	}
}

// writeRows writes and counts the rows of a table, joined into statements of a limited
// size.
func (d *direct) writeRows(ctx context.Context, b *bufio.Writer, t table) (n int64, err error) {
	if t.empty {
		return 0, nil
	}
	keys := "/*!40000 ALTER TABLE " + Quote(t.name) + " %s KEYS */;\n"
	if t.engine != innoDB { // building indexes once after all rows is faster
		fmt.Fprintf(b, keys, "DISABLE")
		defer fmt.Fprintf(b, keys, "ENABLE")
	}
	insert := "INSERT INTO " + Quote(t.name) + " (" + t.names() + ") VALUES\n"
	size, row := 0, []byte{}
	err = eachRow(ctx, d.conn, t.query(), func(fields []sql.RawBytes) error {
		row = t.appendRow(row[:0], fields)
		switch {
		case size == 0 || size+len(row) > d.most:
			if size > 0 {
				b.WriteString(";\n")
			}
			b.WriteString(insert)
			size = len(insert)
		default:
			b.WriteString(",\n")
		}
		n++
		size += len(row) + 2
		_, err := b.Write(row)
		return err
	})
	if size > 0 {
		b.WriteString(";\n")
	}
	return n, err
}

// appendRow appends a row as one list of VALUES.
func (t table) appendRow(b []byte, fields []sql.RawBytes) []byte {
	b = append(b, '(')
	for i, c := range t.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, c.kind, fields[i])
	}
	return append(b, ')')
}
