package mariadb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wikictl/tenants"
)

// Schema is the tables of one database, by name.
type Schema map[string]Shape

// Shape is what InnoDB's dictionary knows of a table, in a line for each column
// and index, sorted: equal tables have equal shapes, and the order of columns
// does not count. Defaults, the words of an enum, and how much of a column an
// index takes are not in the dictionary. It is Unknown for a table that is not
// InnoDB's: a view, or MediaWiki's searchindex.
type Shape string

// Unknown is the shape of a table of which only the name is known.
const Unknown Shape = ""

// changing is the shape of a table that was altered while it was looked at.
const changing Shape = "?"

// parts are the columns and indexes of a shape: what each is, by "column `name`"
// and "index `name`".
func (s Shape) parts() map[string]string {
	parts := map[string]string{}
	for line := range strings.Lines(string(s)) {
		name, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "` ")
		parts[name] = what
	}
	return parts
}

// Difference is one thing in which two schemas differ.
type Difference struct {
	Table     string
	Name      string // of the column or index; empty: the table itself
	Index     bool
	Want, Got string // such as "int unsigned not null"; empty: it is not there
}

// String is such as "column page.page_id" or "table page".
func (d Difference) String() string {
	switch {
	case d.Name == "":
		return "table " + d.Table
	case d.Index:
		return "index " + d.Table + "." + d.Name
	}
	return "column " + d.Table + "." + d.Name
}

// Differences says in what a schema differs from the one that is wanted, sorted
// by table. Where one of two shapes is unknown only the other's engine can differ.
func (s Schema) Differences(got Schema) []Difference {
	var all []Difference
	for table, want := range s {
		have, there := got[table]
		switch {
		case have == want && there, have == changing:
		case !there:
			all = append(all, Difference{Table: table, Want: "a table"})
		case have == Unknown:
			all = append(all, Difference{Table: table, Want: "a table of InnoDB", Got: "a view, or of another engine"})
		case want != Unknown:
			all = append(all, want.differences(table, have)...)
		}
	}
	for table := range got {
		if _, wanted := s[table]; !wanted {
			all = append(all, Difference{Table: table, Got: "a table"})
		}
	}
	slices.SortFunc(all, func(a, b Difference) int {
		return strings.Compare(a.Table+"\x00"+a.Name, b.Table+"\x00"+b.Name)
	})
	return all
}

func (s Shape) differences(table string, got Shape) []Difference {
	var all []Difference
	want, have := s.parts(), got.parts()
	names := maps.Clone(want)
	maps.Copy(names, have)
	for part := range names {
		if want[part] != have[part] {
			kind, name, _ := strings.Cut(part, " `")
			all = append(all, Difference{Table: table, Name: name, Index: kind == "index", Want: want[part], Got: have[part]})
		}
	}
	return all
}

// Encode writes a schema as JSON.
func (s Schema) Encode() ([]byte, error) { return json.MarshalIndent(s, "", " ") }

// DecodeSchema reads what Encode wrote.
func DecodeSchema(data []byte) (Schema, error) {
	var s Schema
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if len(s) == 0 {
		return nil, fmt.Errorf("the schema has no tables")
	}
	return s, nil
}

// Common is the schema that most of several have: of the tables that more than
// half have, the shape that more than half agree on, or Unknown.
func Common(schemas []Schema) Schema {
	tables, shapes := map[string]int{}, map[string]map[Shape]int{}
	for _, s := range schemas {
		for table, shape := range s {
			if shapes[table] == nil {
				shapes[table] = map[Shape]int{}
			}
			tables[table]++
			shapes[table][shape]++
		}
	}
	common := Schema{}
	for table, n := range tables {
		if 2*n <= len(schemas) {
			continue
		}
		common[table] = Unknown
		for shape, n := range shapes[table] {
			if 2*n > len(schemas) {
				common[table] = shape
			}
		}
	}
	return common
}

// dictionary gathers the schemas of a whole server. What is the same is kept
// once: a thousand equal wikis have sixty shapes.
type dictionary struct {
	server     *Server
	collations map[string]string   // by number
	same       map[string]string   // strings that were seen
	names      map[uint64]string   // database/table by table id, as InnoDB writes it
	lines      map[uint64][]string // of a table's shape
	fields     map[uint64]string   // columns by index id, such as "(a, b)"
}

// Schemas reads the schema of every database by six queries, however many there
// are. The INNODB_SYS_ views read the dictionary; information_schema.COLUMNS
// would open every table. What changes meanwhile may be read half.
func (s *Server) Schemas(ctx context.Context) (schemas, error) {
	d := &dictionary{
		server: s, collations: map[string]string{}, same: map[string]string{},
		names: map[uint64]string{}, lines: map[uint64][]string{}, fields: map[uint64]string{},
	}
	p := s.dictionaryPrefix()
	for _, q := range []struct {
		text string
		each func(id uint64, fields []sql.RawBytes)
	}{
		{"SELECT ID, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL", func(id uint64, f []sql.RawBytes) {
			d.collations[strconv.FormatUint(id, 10)] = string(f[1])
		}},
		{"SELECT TABLE_ID, NAME FROM " + p + "TABLES", func(id uint64, f []sql.RawBytes) { d.names[id] = string(f[1]) }},
		{"SELECT TABLE_ID, CONCAT_WS(' ', MTYPE, PRTYPE, LEN, NAME) FROM " + p + "COLUMNS", d.column},
		{"SELECT INDEX_ID, NAME FROM " + p + "FIELDS ORDER BY INDEX_ID, POS", d.field},
		{"SELECT TABLE_ID, INDEX_ID, TYPE, NAME FROM " + p + "INDEXES", d.index},
	} {
		if err := s.rows(ctx, q.text, q.each); err != nil {
			return nil, err
		}
	}
	found := d.schemas()
	return found, s.addUnknown(ctx, found)
}

// schemas are the schemas of a server by database.
type schemas map[string]Schema

// dictionaryPrefix begins the names of the views of InnoDB's dictionary: MySQL 8
// has the same ones under names without SYS.
func (s *Server) dictionaryPrefix() string {
	if s.isMariaDB() {
		return "information_schema.INNODB_SYS_"
	}
	return "information_schema.INNODB_"
}

func (s *Server) isMariaDB() bool { return strings.Contains(s.Version, "MariaDB") }

// rows hands on each row of a query whose first field is a number. The fields
// are valid until each returns.
func (s *Server) rows(ctx context.Context, query string, each func(id uint64, fields []sql.RawBytes)) error {
	return s.records(ctx, query, func(_ []string, fields []sql.RawBytes) error {
		id, err := strconv.ParseUint(string(fields[0]), 10, 64)
		each(id, fields)
		return err
	})
}

// records hands on each row of a query with the names of its columns.
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

// keep returns a string that is kept once. made makes it from the text by which
// it is known.
func (d *dictionary) keep(text []byte, made func(text string) string) string {
	if known, ok := d.same[string(text)]; ok {
		return known
	}
	known := string(text)
	d.same[known] = made(known)
	return d.same[known]
}

func (d *dictionary) column(table uint64, f []sql.RawBytes) {
	line := d.keep(f[1], func(text string) string { return columnLine(text, d.collations) })
	if line != "" {
		d.lines[table] = append(d.lines[table], line)
	}
}

func (d *dictionary) field(index uint64, f []sql.RawBytes) {
	columns, more := d.fields[index]
	if more {
		columns += ", "
	}
	d.fields[index] = d.keep(append([]byte(columns), f[1]...), strings.Clone)
}

// Bits of TYPE in INNODB_SYS_INDEXES (dict0mem.h).
const (
	indexUnique   = 2
	indexFullText = 32
	indexSpatial  = 64
)

func (d *dictionary) index(table uint64, f []sql.RawBytes) {
	id, err := strconv.ParseUint(string(f[1]), 10, 64)
	if err != nil || string(f[3]) == "GEN_CLUST_INDEX" || string(f[3]) == "FTS_DOC_ID_INDEX" {
		return // what InnoDB adds by itself
	}
	kind, _ := strconv.Atoi(string(f[2]))
	words := ""
	for bit, word := range map[int]string{indexUnique: "unique ", indexFullText: "fulltext ", indexSpatial: "spatial "} {
		if kind&bit != 0 {
			words += word
		}
	}
	line := "index `" + string(f[3]) + "` " + words + "(" + d.fields[id] + ")\n"
	d.lines[table] = append(d.lines[table], d.keep([]byte(line), strings.Clone))
}

// encoded is a character of a name that InnoDB writes in hexadecimal, as in the
// name of a file ("Mapping of Identifiers to Filenames" in MySQL's manual).
var encoded = regexp.MustCompile(`@[0-9a-f]{4}`)

func decodeName(name string) string {
	return encoded.ReplaceAllStringFunc(name, func(s string) string {
		n, _ := strconv.ParseUint(s[1:], 16, 16)
		return string(rune(n))
	})
}

// schemas puts the tables together.
func (d *dictionary) schemas() map[string]Schema {
	all := map[string]Schema{}
	for id, name := range d.names {
		database, table, ok := strings.Cut(name, "/")
		if !ok || strings.HasPrefix(table, "#sql") || strings.HasPrefix(table, "FTS_0") {
			continue // InnoDB's own
		}
		table, _, _ = strings.Cut(table, "#") // of a partition: the table
		database = d.keep([]byte(database), decodeName)
		if all[database] == nil {
			all[database] = Schema{}
		}
		all[database][d.keep([]byte(table), decodeName)] = d.shape(id)
	}
	return all
}

func (d *dictionary) shape(id uint64) Shape {
	lines := d.lines[id]
	if len(lines) == 0 {
		return changing
	}
	slices.Sort(lines)
	return Shape(d.keep([]byte(strings.Join(lines, "")), strings.Clone))
}

// addUnknown adds the tables that are not InnoDB's. Asked for names only, the
// server lists folders and opens no table.
func (s *Server) addUnknown(ctx context.Context, schemas map[string]Schema) error {
	return s.records(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES", func(_ []string, f []sql.RawBytes) error {
		if tenants.ServerOwns(string(f[0])) {
			return nil
		}
		schema := schemas[string(f[0])]
		if schema == nil {
			schema = Schema{}
			schemas[string(f[0])] = schema
		}
		if _, known := schema[string(f[1])]; !known {
			schema[strings.Clone(string(f[1]))] = Unknown
		}
		return nil
	})
}
