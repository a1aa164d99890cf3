package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// table is a table as a dump by wikictl itself needs it.
type table struct {
	name   string
	engine string
	empty  bool
	create string // its CREATE TABLE statement
	layout
}

// layout describes the columns of a table.
type layout struct {
	inexact bool     // CHECKSUM TABLE is not enough
	all     []string // names of all columns
	columns []column // without generated columns, which can't be set
}

// column is a column whose values a dump contains.
type column struct {
	name string
	kind kind
}

// kind determines how a dump reads and writes the values of a column.
type kind int

const (
	numeric   kind = iota // as the server prints it
	floating              // with all digits, quoted: unquoted, -0 is the integer 0
	moment                // a date or time, quoted
	choice                // ENUM and SET, by number
	opaque                // bytes other than text, in hexadecimal
	texts                 // bytes in a character set that includes ASCII
	widetexts             // bytes in another character set
)

// kindOf maps information_schema.COLUMNS.DATA_TYPE to kinds. Tables with columns of other
// types, such as INET6, require mariadb-dump.
var kindOf = map[string]kind{
	"tinyint": numeric, "smallint": numeric, "mediumint": numeric, "int": numeric, "bigint": numeric, "decimal": numeric, "year": numeric,
	"float": floating, "double": floating,
	"date": moment, "time": moment, "datetime": moment, "timestamp": moment,
	"enum": choice, "set": choice,
	"bit": opaque, "geometry": opaque, "point": opaque, "linestring": opaque, "polygon": opaque,
	"multipoint": opaque, "multilinestring": opaque, "multipolygon": opaque, "geometrycollection": opaque,
	"binary": texts, "varbinary": texts, "tinyblob": texts, "blob": texts, "mediumblob": texts, "longblob": texts,
	"char": texts, "varchar": texts, "tinytext": texts, "text": texts, "mediumtext": texts, "longtext": texts,
}

// ascii lists the character sets in which the bytes below 128 are ASCII.
var ascii = []string{"", "binary", "ascii", "latin1", "utf8", "utf8mb3", "utf8mb4"}

// plainEngines lists the engines whose tables store exactly their rows.
var plainEngines = []string{innoDB, "MyISAM", "Aria"}

const innoDB = "InnoDB"

// errOdd reports that only mariadb-dump can dump a database.
var errOdd = errors.New("mariadb-dump is needed")

// plainTables lists the tables of the connection's database. It returns errOdd for any
// other object, such as a view, and for a table with history or of another engine.
func plainTables(ctx context.Context, c *sql.Conn) ([]table, error) {
	var tables []table
	err := eachRow(ctx, c, "SELECT TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME", func(f []sql.RawBytes) error {
		if string(f[1]) != "BASE TABLE" || !slices.Contains(plainEngines, string(f[2])) {
			return errOdd
		}
		tables = append(tables, table{name: string(f[0]), engine: string(f[2])})
		return nil
	})
	return tables, err
}

// hold finds out which tables are empty. Having been read in the transaction, no table's
// definition can change until it ends.
func hold(ctx context.Context, c *sql.Conn, tables []table) error {
	asks := make([]string, len(tables))
	for i, t := range tables {
		asks[i] = fmt.Sprintf("SELECT %d, EXISTS (SELECT 1 FROM %s)", i, Quote(t.name))
	}
	i := 0
	return eachRow(ctx, c, strings.Join(asks, " UNION ALL "), func(f []sql.RawBytes) error {
		tables[i].empty = string(f[1]) == "0"
		i++
		return nil
	})
}

// define reads the definitions of tables, by one query.
func define(ctx context.Context, c *sql.Conn, tables []table) error {
	asks := make([]string, len(tables))
	for i, t := range tables {
		asks[i] = "SHOW CREATE TABLE " + Quote(t.name)
	}
	rows, err := c.QueryContext(ctx, strings.Join(asks, ";"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, t := range tables {
		if i > 0 && !rows.NextResultSet() {
			return errors.Join(fmt.Errorf("the server did not return the definition of table %s", t.name), rows.Err())
		}
		err := scanEach(rows, func(f []sql.RawBytes) error {
			if !utf8.Valid(f[1]) {
				return errOdd
			}
			tables[i].create = string(f[1])
			return nil
		})
		if err != nil {
			return err
		}
	}
	return rows.Close()
}

// readLayouts reads the columns of tables after hold.
func readLayouts(ctx context.Context, c *sql.Conn, tables []table) error {
	at := map[string]int{}
	for i, t := range tables {
		at[t.name], tables[i].layout = i, layout{}
	}
	return eachRow(ctx, c, `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, EXTRA FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`, func(f []sql.RawBytes) error {
		i, known := at[string(f[0])]
		if !known {
			return fmt.Errorf("the table %s was created during the dump", f[0])
		}
		kind, known := kindOf[string(f[2])]
		if !known {
			return errOdd
		}
		if kind == texts && !slices.Contains(ascii, string(f[3])) {
			kind = widetexts
		}
		generated := strings.Contains(string(f[4]), " GENERATED")
		tables[i].inexact = tables[i].inexact || generated || string(f[2]) == "float"
		tables[i].all = append(tables[i].all, string(f[1]))
		if !generated {
			tables[i].columns = append(tables[i].columns, column{string(f[1]), kind})
		}
		return nil
	})
}

// eachRow calls each for every row of a query, with its raw fields.
func eachRow(ctx context.Context, c *sql.Conn, query string, each func([]sql.RawBytes) error) error {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	return scanEach(rows, each)
}

// scanEach calls each for every row of a result.
func scanEach(rows *sql.Rows, each func([]sql.RawBytes) error) error {
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	fields, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range fields {
		into[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(fields); err != nil {
			return err
		}
	}
	return rows.Err()
}
