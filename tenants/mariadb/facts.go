package mariadb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mariadb/schema"
	"wikictl/tenants/mediawiki"
)

// Facts describe a database for an upgrade, before it begins.
type Facts struct {
	Level   mediawiki.Level
	Bytes   int64 // size of its files; 0 if the server does not report it
	HasJobs bool  // the table job exists, as in every MediaWiki

	names map[string]bool // tables, views and sequences
}

// Has reports whether the database has a table or view of that name, or a column that was
// asked for, as "table.column".
func (f Facts) Has(name string) bool { return f.names[name] }

// Shape returns 16 hexadecimal digits that differ for databases with other tables or of
// another level. Databases of the same shape may still differ in columns and indexes.
func (f Facts) Shape() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q", f.Level, slices.Sorted(maps.Keys(f.names)))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// place is a column of a table, or the table itself if column is empty.
type place struct{ database, table, column string }

// columnsOf returns the columns that tell levels, those of markers and others, without a
// database.
func columnsOf(more []string) (all []place) {
	for _, m := range mediawiki.Markers {
		if m.Column != "" {
			all = append(all, place{"", m.Table, m.Column})
		}
	}
	for _, name := range more {
		table, column, _ := strings.Cut(name, ".")
		all = append(all, place{"", table, column})
	}
	return all
}

// factQueries returns the queries for the names of InnoDB's tables, the columns that are
// asked for, and the sizes. MariaDB answers them from its dictionary;
// information_schema.COLUMNS would open every table.
func (s *Server) factQueries(asked []place) (tables, columns, sizes string) {
	prefix := s.dictionaryPrefix()
	wanted := []string{"''"}
	for _, p := range asked {
		wanted = append(wanted, literal(p.column))
	}
	return "SELECT NAME, '' FROM " + prefix + "TABLES",
		"SELECT t.NAME, c.NAME FROM " + prefix + "TABLES t JOIN " + prefix + "COLUMNS c ON c.TABLE_ID = t.TABLE_ID WHERE c.NAME IN (" + strings.Join(wanted, ", ") + ")",
		"SELECT SUBSTRING_INDEX(NAME, '/', 1), CAST(SUM(FILE_SIZE) AS SIGNED) FROM " + prefix + "TABLESPACES GROUP BY 1"
}

// Facts inspects all databases of a server by a fixed number of queries. Databases
// without tables have no entry. Tables of other engines than InnoDB are included; the few
// that matter are read by name. Facts.Has knows more columns, named "table.column".
func (s *Server) Facts(ctx context.Context, more ...string) (map[string]Facts, error) {
	asked := columnsOf(more)
	tables, columns, _ := s.factQueries(asked)
	known, err := s.innoPlaces(ctx, tables, columns)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var others, ask []place
	for database, tables := range names {
		for table := range tables {
			if !known[place{database, table, ""}] {
				others = append(others, place{database, table, ""})
			}
		}
	}
	for _, o := range others {
		for _, p := range asked {
			if p.table == o.table {
				ask = append(ask, place{o.database, p.table, p.column})
			}
		}
	}
	found, err := s.otherColumns(ctx, ask)
	if err != nil {
		return nil, err
	}
	facts := map[string]Facts{}
	for database, have := range names {
		for _, p := range asked {
			if at := (place{database, p.table, p.column}); known[at] || found[at] {
				have[p.table+"."+p.column] = true
			}
		}
		facts[database] = Facts{Level: mediawiki.LevelOf(have), HasJobs: have["job"], names: have}
	}
	sizes, err := s.Sizes(ctx)
	if err != nil {
		return nil, err
	}
	for database, bytes := range sizes {
		if f, has := facts[database]; has {
			f.Bytes += bytes
			facts[database] = f
		}
	}
	return facts, s.addOtherSizes(ctx, others, facts)
}

// names lists the tables, views and sequences by database. A query for names only makes
// the server list folders without opening a table.
func (s *Server) names(ctx context.Context) (map[string]map[string]bool, error) {
	names := map[string]map[string]bool{}
	err := s.records(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES", func(_ []string, f []sql.RawBytes) error {
		database := string(f[0])
		if tenants.ServerOwns(database) {
			return nil
		}
		if names[database] == nil {
			names[database] = map[string]bool{}
		}
		names[database][string(f[1])] = true
		return nil
	})
	return names, err
}

// innoPlaces returns the tables and columns that queries on InnoDB's dictionary find.
func (s *Server) innoPlaces(ctx context.Context, queries ...string) (map[place]bool, error) {
	found := map[place]bool{}
	for _, query := range queries {
		err := s.records(ctx, query, func(_ []string, f []sql.RawBytes) error {
			database, table, _ := strings.Cut(string(f[0]), "/")
			table, _, _ = strings.Cut(table, "#") // a partition: use the table
			found[place{schema.DecodeName(database), schema.DecodeName(table), string(f[1])}] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// otherColumns reports which of the columns exist. Each part of the query names its
// table, or the server would open all tables.
func (s *Server) otherColumns(ctx context.Context, places []place) (map[place]bool, error) {
	found := map[place]bool{}
	for chunk := range slices.Chunk(places, perQuery) {
		parts := make([]string, len(chunk))
		for i, p := range chunk {
			parts[i] = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = " + literal(p.database) +
				" AND TABLE_NAME = " + literal(p.table) + " AND COLUMN_NAME = " + literal(p.column)
		}
		err := s.records(ctx, strings.Join(parts, " UNION ALL "), func(_ []string, f []sql.RawBytes) error {
			found[place{string(f[0]), string(f[1]), string(f[2])}] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Sizes returns the size of the InnoDB files of each database of a server, in bytes, by
// one query.
func (s *Server) Sizes(ctx context.Context) (map[string]int64, error) {
	_, _, query := s.factQueries(nil)
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("server %s: read the sizes of databases: %w", s.Name, err)
	}
	defer rows.Close()
	sizes := map[string]int64{}
	for rows.Next() {
		var name string
		var bytes int64
		if err := rows.Scan(&name, &bytes); err != nil {
			return nil, err
		}
		sizes[schema.DecodeName(name)] += bytes
	}
	return sizes, rows.Err()
}

// addOtherSizes adds the sizes of tables of other engines than InnoDB, except MediaWiki's
// searchindex, which every wiki has: it is small and can be rebuilt.
func (s *Server) addOtherSizes(ctx context.Context, others []place, facts map[string]Facts) error {
	others = slices.DeleteFunc(others, func(p place) bool { return p.table == "searchindex" })
	for chunk := range slices.Chunk(others, perQuery) {
		parts := make([]string, len(chunk))
		for i, p := range chunk {
			parts[i] = "SELECT TABLE_SCHEMA, COALESCE(DATA_LENGTH + INDEX_LENGTH, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA = " + literal(p.database) +
				" AND TABLE_NAME = " + literal(p.table)
		}
		err := s.records(ctx, strings.Join(parts, " UNION ALL "), func(_ []string, fields []sql.RawBytes) error {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if f, ok := facts[string(fields[0])]; ok {
				f.Bytes += n
				facts[string(fields[0])] = f
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
