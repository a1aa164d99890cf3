package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Dictionary builds the schemas of a whole server from the rows of InnoDB's views. It
// stores equal strings once: a thousand equal wikis have sixty shapes.
type Dictionary struct {
	collations map[string]string   // by number
	same       map[string]string   // interned strings
	names      map[uint64]string   // database/table by table id, as InnoDB writes it
	lines      map[uint64][]string // of a table's shape, by table id
	fields     map[uint64]string   // columns by index id, such as "(a, b)"
}

// NewDictionary returns an empty dictionary. Add collations before columns, and fields
// before indexes.
func NewDictionary() *Dictionary {
	return &Dictionary{
		collations: map[string]string{}, same: map[string]string{},
		names: map[uint64]string{}, lines: map[uint64][]string{}, fields: map[uint64]string{},
	}
}

// Collation adds a collation by its number.
func (d *Dictionary) Collation(id uint64, name []byte) {
	d.collations[strconv.FormatUint(id, 10)] = string(name)
}

// Table adds a table by its id; name is "database/table" as INNODB_SYS_TABLES has it.
func (d *Dictionary) Table(id uint64, name []byte) { d.names[id] = string(name) }

// Column adds a column of a table; text is "MTYPE PRTYPE LEN NAME" of INNODB_SYS_COLUMNS.
func (d *Dictionary) Column(table uint64, text []byte) {
	line := d.keep(text, func(text string) string { return columnLine(text, d.collations) })
	if line != "" {
		d.lines[table] = append(d.lines[table], line)
	}
}

// Field adds the next column of an index.
func (d *Dictionary) Field(index uint64, name []byte) {
	columns, more := d.fields[index]
	if more {
		columns += ", "
	}
	d.fields[index] = d.keep(append([]byte(columns), name...), strings.Clone)
}

// Bits of TYPE in INNODB_SYS_INDEXES (dict0mem.h).
const (
	indexUnique   = 2
	indexFullText = 32
	indexSpatial  = 64
)

// Index adds an index of a table: its id, TYPE and NAME of INNODB_SYS_INDEXES.
func (d *Dictionary) Index(table uint64, index, bits, name []byte) {
	id, err := strconv.ParseUint(string(index), 10, 64)
	if err != nil || string(name) == "GEN_CLUST_INDEX" || string(name) == "FTS_DOC_ID_INDEX" {
		return // added by InnoDB itself
	}
	kind, _ := strconv.Atoi(string(bits))
	words := ""
	for bit, word := range map[int]string{indexUnique: "unique ", indexFullText: "fulltext ", indexSpatial: "spatial "} {
		if kind&bit != 0 {
			words += word
		}
	}
	line := "index `" + string(name) + "` " + words + "(" + d.fields[id] + ")\n"
	d.lines[table] = append(d.lines[table], d.keep([]byte(line), strings.Clone))
}

// keep interns a string. made makes it from the text, which is its key.
func (d *Dictionary) keep(text []byte, made func(text string) string) string {
	if known, ok := d.same[string(text)]; ok {
		return known
	}
	known := string(text)
	d.same[known] = made(known)
	return d.same[known]
}

// encoded matches a character that InnoDB writes in hexadecimal, as in file names
// ("Mapping of Identifiers to Filenames" in MySQL's manual).
var encoded = regexp.MustCompile(`@[0-9a-f]{4}`)

// DecodeName decodes the name of a database or table from InnoDB's spelling.
func DecodeName(name string) string {
	return encoded.ReplaceAllStringFunc(name, func(s string) string {
		n, _ := strconv.ParseUint(s[1:], 16, 16)
		return string(rune(n))
	})
}

// Schemas returns the schemas by database.
func (d *Dictionary) Schemas() map[string]Schema {
	all := map[string]Schema{}
	for id, name := range d.names {
		database, table, ok := strings.Cut(name, "/")
		if !ok || strings.HasPrefix(table, "#sql") || strings.HasPrefix(table, "FTS_0") {
			continue // InnoDB's own
		}
		table, _, _ = strings.Cut(table, "#") // a partition: use the table
		database = d.keep([]byte(database), DecodeName)
		if all[database] == nil {
			all[database] = Schema{}
		}
		all[database][d.keep([]byte(table), DecodeName)] = d.shape(id)
	}
	return all
}

func (d *Dictionary) shape(id uint64) Shape {
	lines := d.lines[id]
	if len(lines) == 0 {
		return Changing
	}
	slices.Sort(lines)
	return Shape(d.keep([]byte(strings.Join(lines, "")), strings.Clone))
}
