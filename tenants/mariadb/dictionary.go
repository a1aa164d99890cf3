package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mariadb/schema"
)

// Schemas reads the schemas of all databases by six queries. The INNODB_SYS_ views read
// the dictionary; information_schema.COLUMNS would open every table. A schema that
// changes meanwhile may be read partially.
func (s *Server) Schemas(ctx context.Context) (schemas, error) {
	d := schema.NewDictionary()
	p, collations := s.dictionaryPrefix(), "SELECT ID, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL"
	if s.isMariaDB() && s.atLeast(10, 10) { // where collations of several character sets have a number for each
		collations = "SELECT ID, FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IS NOT NULL"
	}
	for _, q := range []struct {
		text string
		each func(id uint64, fields []sql.RawBytes)
	}{
		{collations, func(id uint64, f []sql.RawBytes) { d.Collation(id, f[1]) }},
		{"SELECT TABLE_ID, NAME FROM " + p + "TABLES", func(id uint64, f []sql.RawBytes) { d.Table(id, f[1]) }},
		{"SELECT TABLE_ID, CONCAT_WS(' ', MTYPE, PRTYPE, LEN, NAME) FROM " + p + "COLUMNS", func(id uint64, f []sql.RawBytes) { d.Column(id, f[1]) }},
		{"SELECT INDEX_ID, NAME FROM " + p + "FIELDS ORDER BY INDEX_ID, POS", func(id uint64, f []sql.RawBytes) { d.Field(id, f[1]) }},
		{"SELECT TABLE_ID, INDEX_ID, TYPE, NAME FROM " + p + "INDEXES", func(id uint64, f []sql.RawBytes) { d.Index(id, f[1], f[2], f[3]) }},
	} {
		if err := s.rows(ctx, q.text, q.each); err != nil {
			return nil, err
		}
	}
	found := d.Schemas()
	return found, s.addUnknown(ctx, found)
}

// schemas are a server's schemas by database.
type schemas map[string]schema.Schema

// dictionaryPrefix returns the prefix of the views of InnoDB's dictionary: MySQL 8 has
// the same views, without SYS in their names.
func (s *Server) dictionaryPrefix() string {
	if s.isMariaDB() {
		return "information_schema.INNODB_SYS_"
	}
	return "information_schema.INNODB_"
}

func (s *Server) isMariaDB() bool { return strings.Contains(s.Version, "MariaDB") }

// atLeast reports whether the server's version is that or a later one.
func (s *Server) atLeast(major, minor int) bool {
	var have, below int
	_, err := fmt.Sscanf(s.Version, "%d.%d", &have, &below)
	return err == nil && (have > major || have == major && below >= minor)
}

// rows calls each for every row of a query whose first field is a number. The fields are
// valid until each returns.
func (s *Server) rows(ctx context.Context, query string, each func(id uint64, fields []sql.RawBytes)) error {
	return s.records(ctx, query, func(_ []string, fields []sql.RawBytes) error {
		id, err := strconv.ParseUint(string(fields[0]), 10, 64)
		each(id, fields)
		return err
	})
}

// records calls each for every row of a query, with the names of its columns.
func (s *Server) records(ctx context.Context, query string, each func(names []string, fields []sql.RawBytes) error) error {
	fail := func(err error) error { return fmt.Errorf("server %s: inspect: %w", s.Name, err) }
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return fail(err)
	}
	fields, into := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range fields {
		into[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fail(err)
		}
		if err := each(names, fields); err != nil {
			return fail(err)
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return nil
}

// addUnknown adds the tables of other engines than InnoDB. A query for names only makes
// the server list folders without opening a table.
func (s *Server) addUnknown(ctx context.Context, schemas map[string]schema.Schema) error {
	return s.records(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES", func(_ []string, f []sql.RawBytes) error {
		if tenants.ServerOwns(string(f[0])) {
			return nil
		}
		tables := schemas[string(f[0])]
		if tables == nil {
			tables = schema.Schema{}
			schemas[string(f[0])] = tables
		}
		if _, known := tables[string(f[1])]; !known {
			tables[strings.Clone(string(f[1]))] = schema.Unknown
		}
		return nil
	})
}
