// Package schema describes the tables of databases, compares them, and parses the rows of
// InnoDB's dictionary. It sends no SQL.
package schema

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Schema is the tables of one database, by name.
type Schema map[string]Shape

// Shape describes a table as InnoDB's dictionary does, one sorted line per column and
// index: equal tables have equal shapes, and the order of columns does not matter. The
// dictionary lacks defaults, the values of an enum, and the prefix length of an index. A
// shape is Unknown for tables of other engines: a view, or MediaWiki's searchindex.
type Shape string

// Unknown is the shape of a table of which only the name is known.
const Unknown Shape = ""

// Changing is the shape of a table that was altered while it was read.
const Changing Shape = "?"

// parts returns the columns and indexes of a shape by "column `name`" and "index `name`".
func (s Shape) parts() map[string]string {
	parts := map[string]string{}
	for line := range strings.Lines(string(s)) {
		name, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "` ")
		parts[name] = what
	}
	return parts
}

// Difference is a column, index or table in which two schemas differ.
type Difference struct {
	Table     string
	Name      string // of the column or index; empty: the table itself
	Index     bool
	Want, Got string // such as "int unsigned not null"; empty: absent
}

// String returns a text such as "column page.page_id" or "table page".
func (d Difference) String() string {
	switch {
	case d.Name == "":
		return "table " + d.Table
	case d.Index:
		return "index " + d.Table + "." + d.Name
	}
	return "column " + d.Table + "." + d.Name
}

// Differences lists where got differs from the wanted schema s, sorted by table. A table
// whose wanted shape is Unknown only has to exist.
func (s Schema) Differences(got Schema) []Difference {
	var all []Difference
	for table, want := range s {
		have, found := got[table]
		switch {
		case have == want && found, have == Changing:
		case !found:
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

// Decode decodes a schema from JSON.
func Decode(data []byte) (Schema, error) {
	var s Schema
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if len(s) == 0 {
		return nil, errors.New("the schema has no tables")
	}
	return s, nil
}

// Common returns the schema that most of the schemas share: the tables that more than
// half of them have, each with the shape that more than half agree on, or Unknown.
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

// HasColumn reports whether the shape has a column of that name.
func (s Shape) HasColumn(name string) bool {
	return strings.Contains(string(s), "column `"+name+"` ")
}
