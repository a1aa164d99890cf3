package ui

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"wikictl/tenants/mariadb"
)

// Answers is a table of the rows that one statement returned for many tenants; its first
// column is the tenant. If the columns differ between tenants it has all of them.
type Answers struct {
	Columns []string `json:"columns"`
	Rows    [][]Cell `json:"rows"`

	places map[string]int // of columns
}

// Cell is one value of Answers. In JSON it is null, a number or text; bytes other than
// text are 0x and hexadecimal digits.
type Cell struct {
	Value  *string // nil for NULL
	Number bool
}

// String returns the value as text; empty for NULL.
func (c Cell) String() string {
	switch {
	case c.Value == nil:
		return ""
	case utf8.ValidString(*c.Value):
		return *c.Value
	}
	return "0x" + hex.EncodeToString([]byte(*c.Value))
}

// MarshalJSON returns null, a number or text.
func (c Cell) MarshalJSON() ([]byte, error) {
	switch {
	case c.Value == nil:
		return []byte("null"), nil
	case c.Number && json.Valid([]byte(*c.Value)):
		return []byte(*c.Value), nil
	}
	return json.Marshal(c.String())
}

// NewAnswers returns a table without rows.
func NewAnswers() *Answers {
	return &Answers{Columns: []string{"tenant"}, Rows: [][]Cell{}, places: map[string]int{}}
}

// changed is the column with the number of rows that a statement without a result
// changed.
const changed = "changed"

// Add adds the rows of a tenant.
func (a *Answers) Add(tenant string, r mariadb.Rows) {
	if len(r.Columns) == 0 {
		r.Columns, r.Numbers = []string{changed}, []bool{true}
		n := fmt.Sprint(r.Changed)
		r.Rows = [][]*string{{&n}}
	}
	seen, places := map[string]int{}, make([]int, len(r.Columns))
	for i, name := range r.Columns {
		seen[name]++ // column names may repeat
		places[i] = a.place(name, seen[name])
	}
	for _, row := range r.Rows {
		cells := make([]Cell, len(a.Columns))
		cells[0] = Cell{Value: &tenant}
		for i, value := range row {
			cells[places[i]] = Cell{value, r.Numbers[i]}
		}
		a.Rows = append(a.Rows, cells)
	}
}

// place returns the index of the nth column of a name.
func (a *Answers) place(name string, n int) int {
	key := fmt.Sprint(n, " ", name)
	if _, found := a.places[key]; !found {
		a.places[key] = len(a.Columns)
		a.Columns = append(a.Columns, name)
	}
	return a.places[key]
}

// level adds empty cells for later columns to earlier rows.
func (a *Answers) level() {
	for i, row := range a.Rows {
		a.Rows[i] = append(row, make([]Cell, len(a.Columns)-len(row))...)
	}
}

// WriteCSV writes a header and the rows (RFC 4180). NULL is an empty field.
func (a *Answers) WriteCSV(out io.Writer) error {
	a.level()
	w := csv.NewWriter(out)
	if err := w.Write(a.Columns); err != nil {
		return err
	}
	for _, row := range a.Rows {
		fields := make([]string, len(row))
		for i, cell := range row {
			fields[i] = cell.String()
		}
		if err := w.Write(fields); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// oneLine replaces line breaks by SQL's escapes.
var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

// WriteTable writes the rows in aligned columns.
func (a *Answers) WriteTable(out io.Writer) {
	a.level()
	header := make([]any, len(a.Columns))
	for i, name := range a.Columns {
		header[i] = Clean(oneLine.Replace(name))
	}
	rows := make([][]any, len(a.Rows))
	for i, row := range a.Rows {
		rows[i] = make([]any, len(row))
		for j, cell := range row {
			rows[i][j] = Clean(oneLine.Replace(cell.String()))
			if cell.Value == nil {
				rows[i][j] = "NULL"
			}
		}
	}
	Table(out, header, rows)
}

// WriteAnswers writes the rows and the tenants' results as one document.
func WriteAnswers(out io.Writer, a *Answers, d Document) error {
	a.level()
	return WriteJSON(out, struct {
		Document
		*Answers
	}{d, a})
}
