package mariadb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants/mediawiki"
)

// Definitions are the tables of a database as in SHOW CREATE TABLE, by name.
type Definitions map[string]string

// selfContained matches the engines whose tables store their rows in their own database,
// and elsewhere the options that make a table of such an engine read from another place.
var (
	selfContained = regexp.MustCompile(`\n\) ENGINE=(?:InnoDB|Aria|MyISAM|MEMORY)\b`)
	elsewhere     = regexp.MustCompile(`(?i)\b(?:DATA|INDEX) DIRECTORY=|\bCONNECTION=`)
)

// plainDefinitions sets how SHOW CREATE TABLE writes, so that a dump and Definitions have
// the same texts whatever the server's own settings are.
const plainDefinitions = "sql_mode = '', sql_quote_show_create = 1"

// Definitions reads the definitions of all tables of a database in two round trips.
func (s *Server) Definitions(ctx context.Context, database string) (Definitions, error) {
	names, err := s.Tables(ctx, database)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var asks []string
	for _, name := range names {
		asks = append(asks, "SHOW CREATE TABLE "+Quote(name))
	}
	d := Definitions{}
	err = s.work(ctx, database, true, func(conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, "SET SESSION "+plainDefinitions); err != nil {
			return err
		}
		rows, err := conn.QueryContext(ctx, strings.Join(asks, ";\n"))
		if err != nil {
			return err
		}
		defer rows.Close()
		for more := true; more; more = rows.NextResultSet() {
			for rows.Next() {
				var name, create string
				if err := rows.Scan(&name, &create); err != nil {
					return err
				}
				d[name] = create
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read the definitions of the tables of %q: %w", database, err)
	}
	if len(d) != len(names) {
		return nil, fmt.Errorf("read the definitions of the tables of %q: the server returned %d of %d", database, len(d), len(names))
	}
	return d, nil
}

// WithoutNumbers returns the definitions without the tables' AUTO_INCREMENT values.
func (d Definitions) WithoutNumbers() Definitions {
	plain := make(Definitions, len(d))
	for name, create := range d {
		plain[name] = withoutNumber(create)
	}
	return plain
}

// withoutNumber removes the table option that depends on rows, not on the schema.
func withoutNumber(create string) string {
	const engine, option = "\n) ENGINE=", " AUTO_INCREMENT="
	begin := strings.LastIndex(create, engine)
	if begin < 0 {
		return create
	}
	rest := create[begin+len(engine):]
	name := strings.IndexByte(rest, ' ')
	if name < 0 || !strings.HasPrefix(rest[name:], option) {
		return create
	}
	return create[:begin+len(engine)+name] + strings.TrimLeft(rest[name+len(option):], "0123456789")
}

// Columns reports which of the named columns, such as "page.page_id", the tables have.
func (d Definitions) Columns(names []string) map[string]bool {
	found := map[string]bool{}
	for _, name := range names {
		table, column, _ := strings.Cut(name, ".")
		// Only the first word of a line of two spaces is a name that the line defines.
		if strings.Contains(d[table], "\n  "+Quote(column)+" ") {
			found[name] = true
		}
	}
	return found
}

// ColumnsOf lists the columns of a table, in order.
func (d Definitions) ColumnsOf(table string) (columns []string) {
	for line := range strings.Lines(d[table]) {
		if name, found := strings.CutPrefix(line, "  `"); found {
			name, _, _ = strings.Cut(name, "` ")
			columns = append(columns, strings.ReplaceAll(name, "``", "`"))
		}
	}
	return columns
}

// Level returns the MediaWiki version of the schema.
func (d Definitions) Level() mediawiki.Level {
	have := map[string]bool{}
	for name := range d {
		have[name] = true
	}
	var columns []string
	for _, m := range mediawiki.Markers {
		if m.Column != "" {
			columns = append(columns, m.Table+"."+m.Column)
		}
	}
	maps.Copy(have, d.Columns(columns))
	return mediawiki.LevelOf(have)
}

// Uncopyable returns the name of a table for which a copy in another database would not
// be equivalent, or "": a table that reads or writes outside of its database (engines
// FEDERATED, CONNECT), or that has generated columns, whose values can't be inserted.
func (d Definitions) Uncopyable() string {
	for _, name := range slices.Sorted(maps.Keys(d)) {
		create := d[name]
		options := create[max(strings.LastIndex(create, "\n)"), 0):]
		if !selfContained.MatchString(options) || elsewhere.MatchString(options) || strings.Contains(create, " GENERATED ALWAYS AS ") {
			return name
		}
	}
	return ""
}

// Objects lists the objects of a database other than tables, such as "view v" or "trigger
// t", sorted.
func (s *Server) Objects(ctx context.Context, database string) ([]string, error) {
	found, err := s.objects(ctx, database)
	return slices.Sorted(maps.Keys(found)), err
}

// Fingerprint returns 16 hexadecimal digits that differ for different definitions.
func (d Definitions) Fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(h, "%s\n%s\n", name, d[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Differences describes how got differs from the wanted definitions, one line per table,
// sorted by table.
func (d Definitions) Differences(got Definitions) []string {
	var found []string
	names := maps.Clone(d)
	maps.Copy(names, got)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		want, have := d[name], got[name]
		switch {
		case want == have:
		case want == "":
			found = append(found, fmt.Sprintf("table %s: it should not exist", name))
		case have == "":
			found = append(found, fmt.Sprintf("table %s: it is missing", name))
		default:
			found = append(found, fmt.Sprintf("table %s: %s", name, differingLine(want, have)))
		}
	}
	return found
}

// differingLine describes the first line in which two definitions differ.
func differingLine(want, have string) string {
	a, b := strings.Split(want, "\n"), strings.Split(have, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = strings.TrimSuffix(strings.TrimSpace(a[i]), ",")
		}
		if i < len(b) {
			y = strings.TrimSuffix(strings.TrimSpace(b[i]), ",")
		}
		if x != y {
			return fmt.Sprintf("%q, not %q", y, x)
		}
	}
	return "the order of its lines"
}

// UpdateLog reads the keys of MediaWiki's updatelog, which names the updates that its
// updater has completed. It is empty if the table is missing.
func (s *Server) UpdateLog(ctx context.Context, database string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT ul_key FROM "+Quote(database)+".updatelog ORDER BY 1")
	if isError(err, errNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the updatelog of %q: %w", database, err)
	}
	return Column[string](rows)
}
