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
)

// Definitions are the tables of a database as SHOW CREATE TABLE writes them, by name.
type Definitions map[string]string

// nextNumber is the table option by which a definition depends on rows, not on the schema.
var nextNumber = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`)

// selfContained matches the engine of a table whose rows are in its own database, and
// elsewhere the options by which a table of such an engine reads from other places.
var (
	selfContained = regexp.MustCompile(`\n\) ENGINE=(?:InnoDB|Aria|MyISAM|MEMORY)\b`)
	elsewhere     = regexp.MustCompile(`(?i)\b(?:DATA|INDEX) DIRECTORY=|\bCONNECTION=`)
)

// Definitions reads how every table of a database is defined, by two round trips.
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
		return nil, fmt.Errorf("read the definitions of the tables of %q: %d of %d were answered", database, len(d), len(names))
	}
	return d, nil
}

// WithoutNumbers returns the definitions without the next number that each table gives
// (AUTO_INCREMENT).
func (d Definitions) WithoutNumbers() Definitions {
	plain := make(Definitions, len(d))
	for name, create := range d {
		plain[name] = nextNumber.ReplaceAllString(create, "")
	}
	return plain
}

// Uncopyable names a table that a copy elsewhere could not stand for: it would read or write
// outside of its own database (engines FEDERATED, CONNECT), or its rows can't be written as
// they are read (generated columns). It is empty when there is none.
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

// Objects reads what a database has besides tables, such as "view v" or "trigger t", sorted.
func (s *Server) Objects(ctx context.Context, database string) ([]string, error) {
	found, err := s.objects(ctx, database)
	return slices.Sorted(maps.Keys(found)), err
}

// Fingerprint is 16 hexadecimal digits that differ where two databases do.
func (d Definitions) Fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(h, "%s\n%s\n", name, d[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Differences says in a line each in what tables differ from those that are wanted,
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
			found = append(found, fmt.Sprintf("table %s: it should not be there", name))
		case have == "":
			found = append(found, fmt.Sprintf("table %s: it is missing", name))
		default:
			found = append(found, fmt.Sprintf("table %s: %s", name, differingLine(want, have)))
		}
	}
	return found
}

// differingLine is the first line by which two definitions differ.
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

// UpdateLog reads the keys of MediaWiki's updatelog, which name the updates that its updater
// has made. It is empty where the table is missing.
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
