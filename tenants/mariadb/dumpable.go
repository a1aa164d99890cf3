package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants/mariadb/schema"
)

// Dumpable returns the reasons why a dump could not restore a database completely, and
// further remarks on such a dump. It changes nothing.
func (s *Server) Dumpable(ctx context.Context, database string) (problems, remarks []string, err error) {
	for _, find := range []func(context.Context, string) ([]string, error){s.unreadable, s.lostHistory, s.active, s.tooLarge} {
		found, err := find(ctx, database)
		if err != nil {
			return nil, nil, fmt.Errorf("check whether %q can be dumped: %w", database, err)
		}
		problems = append(problems, found...)
	}
	objects, err := s.objects(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	broken, err := s.brokenViews(ctx, database, objects)
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		remarks = append(remarks, fmt.Sprintf("its view %s can't be used (a table that it reads is missing, or its definer lacks a privilege); the dump's description keeps its definition", name))
	}
	return problems, remarks, err
}

// unreadable lists the tables that the server can't open, such as crashed ones. It skips
// InnoDB's tables: a server with damaged InnoDB files does not start.
func (s *Server) unreadable(ctx context.Context, database string) ([]string, error) {
	suspects, err := s.texts(ctx, `SELECT TABLE_NAME FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'VIEW' AND COALESCE(ENGINE, '') <> 'InnoDB' ORDER BY TABLE_NAME`, database)
	if err != nil || len(suspects) == 0 {
		return nil, err
	}
	full := make([]string, len(suspects))
	for i, name := range suspects {
		full[i] = Quote(database) + "." + Quote(name)
	}
	problems, err := s.checkTables(ctx, full)
	var bad []string
	for _, table := range suspects {
		if text := problems[database+"."+table]; text != "" {
			bad = append(bad, fmt.Sprintf("its table %s can't be read: %s", table, text))
		}
	}
	return bad, err
}

// checkTables returns the errors of tables by "database.table". It waits at most two
// seconds for a locked table.
func (s *Server) checkTables(ctx context.Context, full []string) (map[string]string, error) {
	problems := map[string]string{}
	err := s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 2"); err != nil {
			return err
		}
		rows, err := c.QueryContext(ctx, "CHECK TABLE "+strings.Join(full, ", ")+" FAST QUICK")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, op, kind, text string
			if err := rows.Scan(&table, &op, &kind, &text); err != nil {
				return err
			}
			if strings.EqualFold(kind, "error") {
				problems[table] = text
			}
		}
		return rows.Err()
	})
	return problems, err
}

// flagVersioned are the bits of PRTYPE in InnoDB's dictionary that mark the columns of a
// row's start and end time, DATA_VERS_START and DATA_VERS_END (data0type.h).
const flagVersioned = 1<<14 | 1<<15

// Unusual returns those of the databases for which Dumpable may find something, by a
// fixed number of queries. Most have only InnoDB tables and a sound searchindex. It
// returns all databases if a long row could prevent a restore.
func (s *Server) Unusual(ctx context.Context, databases []string) ([]string, error) {
	if !s.mayRaise(ctx) {
		return databases, nil
	}
	tables, _, _ := s.factQueries(nil)
	known, err := s.innoPlaces(ctx, tables)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	unusual, search := map[string]bool{}, []string{}
	for _, database := range databases {
		for table := range names[database] {
			switch {
			case known[place{database, table, ""}]:
			case table == "searchindex":
				search = append(search, Quote(database)+".searchindex")
			default:
				unusual[database] = true
			}
		}
	}
	for _, query := range []string{
		"SELECT DISTINCT SUBSTRING_INDEX(t.NAME, '/', 1) FROM " + s.dictionaryPrefix() + "TABLES t JOIN " + s.dictionaryPrefix() + "COLUMNS c ON c.TABLE_ID = t.TABLE_ID WHERE c.PRTYPE & " + fmt.Sprint(flagVersioned),
		"SELECT DISTINCT EVENT_SCHEMA FROM information_schema.EVENTS",
	} {
		found, err := s.set(ctx, query)
		if err != nil {
			return nil, err
		}
		for name := range found {
			unusual[schema.DecodeName(name)] = true
		}
	}
	for chunk := range slices.Chunk(search, perQuery) {
		problems, err := s.checkTables(ctx, chunk)
		if err != nil {
			return databases, nil // such as a lock: Dumpable checks each
		}
		for table := range problems {
			unusual[strings.TrimSuffix(table, ".searchindex")] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(databases), func(name string) bool { return !unusual[name] }), nil
}

// versioned lists the tables with system versioning.
func (s *Server) versioned(ctx context.Context, database string) ([]string, error) {
	return s.texts(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = '"+typeVersioned+"' ORDER BY TABLE_NAME", database)
}

// historySince is the first MariaDB 10 release that can restore the history of a table,
// and whose mariadb-dump writes it (system_versioning_insert_history).
const historySince = 11

// lostHistory describes the tables whose history a dump would lose.
func (s *Server) lostHistory(ctx context.Context, database string) ([]string, error) {
	tables, err := s.versioned(ctx, database)
	if err != nil {
		return nil, err
	}
	var major, minor int
	fmt.Sscanf(s.Version, "%d.%d", &major, &minor)
	var lost []string
	for _, table := range tables {
		var name, create string
		if err := s.db.QueryRowContext(ctx, "SHOW CREATE TABLE "+Quote(database)+"."+Quote(table)).Scan(&name, &create); err != nil {
			return nil, err
		}
		switch {
		case major == 10 && minor < historySince:
			lost = append(lost, fmt.Sprintf("its table %s keeps its history (SYSTEM VERSIONING), which only MariaDB 10.%d or newer can restore from a dump", table, historySince))
		case strings.Contains(create, "unsigned GENERATED ALWAYS AS ROW START"):
			lost = append(lost, fmt.Sprintf("its table %s keeps its history by transactions, which no dump has; remove it, or back it up another way (--backup command)", table))
		}
	}
	return lost, nil
}

// active describes the events that may write while the database is dumped.
func (s *Server) active(ctx context.Context, database string) ([]string, error) {
	return s.texts(ctx, `SELECT CONCAT('its event ', EVENT_NAME, ' may write while it is read-only: ALTER EVENT `+"`"+`', EVENT_SCHEMA, '`+"`.`"+`', EVENT_NAME, '`+"`"+` DISABLE') FROM information_schema.EVENTS
		WHERE EVENT_SCHEMA = ? AND STATUS = 'ENABLED' AND @@GLOBAL.event_scheduler = 'ON' ORDER BY EVENT_NAME`, database)
}

// tooLarge describes the rows that are too long for the server to read back. It reads
// nothing if the administrator's account may raise the limit.
func (s *Server) tooLarge(ctx context.Context, database string) ([]string, error) {
	packet, err := s.packet(ctx)
	if err != nil || s.mayRaise(ctx) {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
		WHERE c.TABLE_SCHEMA = ? AND t.TABLE_TYPE <> 'VIEW' AND t.DATA_LENGTH > ? AND c.CHARACTER_OCTET_LENGTH > 0`, database, packet/4)
	if err != nil {
		return nil, err
	}
	columns, err := columnsByTable(rows)
	if err != nil {
		return nil, err
	}
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		var sizes []string
		for _, column := range columns[table] {
			sizes = append(sizes, "2 * COALESCE(LENGTH("+Quote(column)+"), 0)")
		}
		var most sql.NullInt64
		longest := "SELECT MAX(" + strings.Join(sizes, " + ") + ") FROM " + Quote(database) + "." + Quote(table)
		if err := s.db.QueryRowContext(ctx, longest).Scan(&most); err != nil {
			return nil, err
		}
		if err := s.takes(ctx, most.Int64); err != nil {
			return []string{"table " + table + ": " + err.Error()}, nil
		}
	}
	return nil, nil
}

// texts returns the only column of a query's rows.
func (s *Server) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return Column[string](rows)
}
