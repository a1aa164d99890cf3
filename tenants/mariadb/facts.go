package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mariadb/schema"
	"wikictl/tenants/mediawiki"
)

// Facts are what an upgrade has to know of one database before it begins.
type Facts struct {
	Level   mediawiki.Level
	Bytes   int64 // of its files; 0 when the server does not tell
	HasJobs bool  // it has a table job, as every MediaWiki

	names map[string]bool // of what a SELECT can read
}

// Has reports whether the database has a table or view of that name.
func (f Facts) Has(table string) bool { return f.names[table] }

// place is a column of a table; column is empty for the table itself.
type place struct{ database, table, column string }

// factQueries read the names of InnoDB's tables and of the markers' columns, and the
// sizes. MariaDB reads its dictionary for these; information_schema.COLUMNS would
// open every table.
func (s *Server) factQueries() (tables, columns, sizes string) {
	prefix := s.dictionaryPrefix()
	var wanted []string
	for _, m := range mediawiki.Markers {
		if m.Column != "" {
			wanted = append(wanted, literal(m.Column))
		}
	}
	return "SELECT NAME, '' FROM " + prefix + "TABLES",
		"SELECT t.NAME, c.NAME FROM " + prefix + "TABLES t JOIN " + prefix + "COLUMNS c ON c.TABLE_ID = t.TABLE_ID WHERE c.NAME IN (" + strings.Join(wanted, ", ") + ")",
		"SELECT SUBSTRING_INDEX(NAME, '/', 1), CAST(SUM(FILE_SIZE) AS SIGNED) FROM " + prefix + "TABLESPACES GROUP BY 1"
}

// Facts looks at every database of a server by a fixed number of queries, however
// many there are. Databases without tables have no entry. Tables of other engines
// than InnoDB count as well: the few that matter are asked for by name.
func (s *Server) Facts(ctx context.Context) (map[string]Facts, error) {
	tables, columns, sizes := s.factQueries()
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
		for _, m := range mediawiki.Markers {
			if m.Table == o.table && m.Column != "" {
				ask = append(ask, place{o.database, m.Table, m.Column})
			}
		}
	}
	found, err := s.otherColumns(ctx, ask)
	if err != nil {
		return nil, err
	}
	facts := map[string]Facts{}
	for database, have := range names {
		for _, m := range mediawiki.Markers {
			if at := (place{database, m.Table, m.Column}); m.Column != "" && (known[at] || found[at]) {
				have[m.Table+"."+m.Column] = true
			}
		}
		facts[database] = Facts{Level: mediawiki.LevelOf(have), HasJobs: have["job"], names: have}
	}
	if err := s.sizes(ctx, sizes, facts); err != nil {
		return nil, err
	}
	return facts, s.addOtherSizes(ctx, others, facts)
}

// names lists what a SELECT can read, by database. Asked for names only, the server
// lists folders and opens no table.
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

// innoPlaces are the tables and columns that queries on InnoDB's dictionary find.
func (s *Server) innoPlaces(ctx context.Context, queries ...string) (map[place]bool, error) {
	found := map[place]bool{}
	for _, query := range queries {
		err := s.records(ctx, query, func(_ []string, f []sql.RawBytes) error {
			database, table, _ := strings.Cut(string(f[0]), "/")
			table, _, _ = strings.Cut(table, "#") // of a partition: the table
			found[place{schema.DecodeName(database), schema.DecodeName(table), string(f[1])}] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// otherColumns says which of some columns are there. Each part of the query names
// its table, or the server would open all of them.
func (s *Server) otherColumns(ctx context.Context, places []place) (map[place]bool, error) {
	found := map[place]bool{}
	for some := range slices.Chunk(places, perQuery) {
		parts := make([]string, len(some))
		for i, p := range some {
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

func (s *Server) sizes(ctx context.Context, query string, facts map[string]Facts) error {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("server %s: read the sizes of databases: %w", s.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var bytes int64
		if err := rows.Scan(&name, &bytes); err != nil {
			return err
		}
		name = schema.DecodeName(name)
		if f, ok := facts[name]; ok {
			f.Bytes += bytes
			facts[name] = f
		}
	}
	return rows.Err()
}

// addOtherSizes adds the sizes of tables that are not InnoDB's. MediaWiki's
// searchindex, which every wiki has, is left out: it is small and made anew.
func (s *Server) addOtherSizes(ctx context.Context, others []place, facts map[string]Facts) error {
	others = slices.DeleteFunc(others, func(p place) bool { return p.table == "searchindex" })
	for some := range slices.Chunk(others, perQuery) {
		parts := make([]string, len(some))
		for i, p := range some {
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
