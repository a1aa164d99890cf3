package definitions

import (
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"

	"wikictl/tenants"
)

// parsePlain parses TOML in one pass over its syntax tree. ok is false for a text with a
// mistake, and for one with anything that it does not decode itself: arrays of tables, floats,
// dates, unusual integers, and keys or tables that follow each other unusually. It never accepts
// what the decoder refuses, which names the mistake.
func parsePlain(file string, data []byte) (root map[string]tenants.Value, ok bool) {
	parser := parsers.Get().(*unstable.Parser)
	defer parsers.Put(parser)
	parser.Reset(data)
	p := plainParser{walker: walker{parser: parser, file: file, data: data}}
	top := newPlainTable(headed)
	table := top
	for parser.NextExpression() {
		switch n := parser.Expression(); n.Kind {
		case unstable.Table:
			table = p.header(n, top)
		case unstable.KeyValue:
			p.keyValue(n, table, 0)
		default:
			return nil, false
		}
		if p.unusual {
			return nil, false
		}
	}
	return top.values, parser.Error() == nil
}

// plainParser builds the values of a document.
type plainParser struct {
	walker
	unusual bool // the document is not plain
}

// plainTable is a table to which keys may be added.
type plainTable struct {
	values map[string]tenants.Value
	tables map[string]*plainTable // the tables among the values, except inline tables
	made   tableKind
}

// tableKind tells how a table came to be, which determines where keys may be added.
type tableKind int

const (
	implied tableKind = iota // by the header of a table below it
	headed                   // by its own header
	dotted                   // by a dotted key
)

func newPlainTable(made tableKind) *plainTable {
	return &plainTable{values: map[string]tenants.Value{}, made: made}
}

// table returns a table below another one, and makes it if there is none.
func (p *plainParser) table(key *unstable.Node, above *plainTable, made tableKind) *plainTable {
	if found := above.tables[string(key.Data)]; found != nil {
		return found
	}
	below := newPlainTable(made)
	p.set(key, above, tenants.Value{Data: below.values, Position: p.at(key)})
	if above.tables == nil {
		above.tables = map[string]*plainTable{}
	}
	above.tables[string(key.Data)] = below
	return below
}

// set adds a value to a table. A second value for a key is a mistake.
func (p *plainParser) set(key *unstable.Node, table *plainTable, v tenants.Value) {
	name := string(key.Data)
	if _, twice := table.values[name]; twice {
		p.unusual = true
	}
	table.values[name] = v
}

func (p *plainParser) at(n *unstable.Node) tenants.Position { return p.position(int(n.Raw.Offset)) }

// header returns the table of [a.b].
func (p *plainParser) header(n *unstable.Node, table *plainTable) *plainTable {
	for keys := n.Key(); keys.Next(); {
		table = p.table(keys.Node(), table, implied)
		p.unusual = p.unusual || table.made == dotted || keys.IsLast() && table.made != implied
	}
	table.made = headed
	return table
}

// keyValue adds one key and its value.
func (p *plainParser) keyValue(n *unstable.Node, table *plainTable, depth int) {
	for keys := n.Key(); keys.Next(); {
		key := keys.Node()
		if keys.IsLast() {
			at := p.at(key)
			p.set(key, table, tenants.Value{Data: p.value(n.Value(), at, depth+1), Position: at})
			return
		}
		table = p.table(key, table, dotted)
		p.unusual = p.unusual || table.made != dotted
	}
}

// value decodes a value; at is its place, or that of what it is in.
func (p *plainParser) value(n *unstable.Node, at tenants.Position, depth int) any {
	switch {
	case depth > maxNesting:
	case n.Kind == unstable.String:
		return string(n.Data)
	case n.Kind == unstable.Bool:
		return n.Data[0] == 't'
	case n.Kind == unstable.Integer && isPlainInteger(n.Data):
		number, err := strconv.ParseInt(string(n.Data), 10, 64)
		p.unusual = p.unusual || err != nil
		return number
	case n.Kind == unstable.Array:
		return p.array(n, at, depth)
	case n.Kind == unstable.InlineTable:
		table := newPlainTable(headed)
		for members := n.Children(); members.Next(); {
			p.keyValue(members.Node(), table, depth)
		}
		return table.values
	}
	p.unusual = true
	return nil
}

func (p *plainParser) array(n *unstable.Node, at tenants.Position, depth int) []tenants.Value {
	list := []tenants.Value{}
	for elements := n.Children(); elements.Next(); {
		element, place := elements.Node(), at
		if element.Raw.Length > 0 {
			place = p.at(element)
		}
		list = append(list, tenants.Value{Data: p.value(element, place, depth+1), Position: place})
	}
	return list
}

// isPlainInteger reports whether an integer is decimal, without a plus sign, underscores or
// leading zeros.
func isPlainInteger(text []byte) bool {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(digits) == 1 || len(digits) > 1 && digits[0] != '0'
}
