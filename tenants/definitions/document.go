package definitions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// maxDocument is the maximum size of a definition file, in bytes.
const maxDocument = 8 << 20

// maxNesting is the maximum nesting depth of tables and arrays in a definition.
const maxNesting = 128

// document is one TOML file as a tree of values with their places.
type document struct {
	file string // relative to the farm's folder
	root map[string]tenants.Value
}

// readDocument reads and parses the file at dir/name.
func readDocument(dir, name string) (document, tenants.Problems) {
	d := document{file: name}
	data, problem := readSmall(filepath.Join(dir, name))
	if problem != nil {
		problem.Position.File = name
		return d, tenants.Problems{*problem}
	}
	root, problems := parseDocument(name, data)
	d.root = root
	return d, problems
}

// readSmall reads a file of at most maxDocument bytes, or returns the reason why it
// can't.
func readSmall(path string) ([]byte, *tenants.Problem) {
	f, err := disk.Open(path)
	if target, broken := disk.BrokenLink(path, err); broken {
		return nil, &tenants.Problem{Message: "is a symbolic link to " + target + ", which does not exist", Hint: "remove it or put the file there"}
	}
	switch {
	case errors.Is(err, syscall.EISDIR):
		return nil, &tenants.Problem{Message: "is a folder, not a file"}
	case errors.Is(err, disk.ErrIrregular):
		return nil, &tenants.Problem{Message: disk.Reason(err), Hint: "a FIFO, a device or a socket is never read"}
	case err != nil:
		return nil, &tenants.Problem{Message: disk.Reason(err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	switch {
	case err != nil:
		return nil, &tenants.Problem{Message: disk.Reason(err)}
	case len(data) > maxDocument:
		return nil, &tenants.Problem{Message: fmt.Sprintf("larger than %d MiB", maxDocument>>20), Hint: "is it a definition file?"}
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &tenants.Problem{Message: "is empty", Hint: "remove it or write a definition"}
	}
	return data, nil
}

// parseDocument parses TOML into values with places.
func parseDocument(file string, data []byte) (map[string]tenants.Value, tenants.Problems) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark, which some editors write
	if at := invalidUTF8(data); at >= 0 {
		return nil, tenants.Problems{{Position: positionAt(file, data, at), Message: "is not UTF-8"}}
	}
	if root, ok := parsePlain(file, data); ok {
		return root, nil
	}
	return decodeDocument(file, data)
}

// decodeDocument parses any TOML into values with places, or names its mistakes.
func decodeDocument(file string, data []byte) (map[string]tenants.Value, tenants.Problems) {
	var raw map[string]any
	if err := toml.Unmarshal(data, &raw); err != nil {
		return nil, tenants.Problems{syntaxProblem(file, err)}
	}
	places, problem := findPlaces(file, data)
	if problem != nil {
		return nil, tenants.Problems{*problem}
	}
	c := converter{}
	root, _ := c.convert(raw, places, tenants.Position{File: file}, 0).(map[string]tenants.Value)
	if c.tooDeep {
		root = nil
	}
	return root, c.problems
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func positionAt(file string, data []byte, offset int) tenants.Position {
	before := data[:offset]
	line := bytes.Count(before, []byte("\n"))
	return tenants.Position{File: file, Line: line + 1, Column: offset - bytes.LastIndexByte(before, '\n')}
}

func syntaxProblem(file string, err error) tenants.Problem {
	p := tenants.Problem{Position: tenants.Position{File: file}, Message: err.Error()}
	var decode *toml.DecodeError
	if unknown := new(toml.StrictMissingError); errors.As(err, &unknown) {
		decode = &unknown.Errors[0]
	} else {
		errors.As(err, &decode)
	}
	if decode != nil {
		p.Position.Line, p.Position.Column = decode.Position()
		p.Message = decode.Error()
	}
	return p
}

// place is the position of a key or an element, with those of its members.
type place struct {
	at       tenants.Position // zero: unknown
	members  map[string]*place
	elements []*place
	tables   int // number of elements of an array of tables so far
}

// member returns the place of a key below p.
func (p *place) member(key string) *place {
	if found := p.members[key]; found != nil {
		return found
	}
	if p.members == nil {
		p.members = map[string]*place{}
	}
	below := new(place)
	p.members[key] = below
	return below
}

// element returns the place of an element below p.
func (p *place) element(i int) *place {
	for len(p.elements) <= i {
		p.elements = append(p.elements, new(place))
	}
	return p.elements[i]
}

// findPlaces walks the syntax tree, because the decoder's values have no places. It returns
// the place of the root.
func findPlaces(file string, data []byte) (*place, *tenants.Problem) {
	parser := parsers.Get().(*unstable.Parser)
	defer parsers.Put(parser)
	parser.Reset(data)
	root := new(place)
	w := walker{parser: parser, file: file, data: data}
	table := root
	for w.parser.NextExpression() {
		switch n := w.parser.Expression(); n.Kind {
		case unstable.Table:
			table = w.header(n, root, false)
		case unstable.ArrayTable:
			table = w.header(n, root, true)
		case unstable.KeyValue:
			w.keyValue(n, table, 0)
		}
	}
	if err := w.parser.Error(); err != nil {
		return nil, &tenants.Problem{Position: tenants.Position{File: file}, Message: err.Error()}
	}
	return root, nil
}

// parsers are reused, together with their memory.
var parsers = sync.Pool{New: func() any { return new(unstable.Parser) }}

type walker struct {
	parser *unstable.Parser
	file   string
	data   []byte
	// The last requested place: places are requested in order, and counting from the
	// start of the text or of a long line each time would be quadratic.
	lineStart, line, last int
}

// position converts an offset to line and column.
func (w *walker) position(offset int) tenants.Position {
	if offset < w.last {
		w.lineStart, w.line, w.last = 0, 0, 0
	}
	between := w.data[w.last:offset]
	if newline := bytes.LastIndexByte(between, '\n'); newline >= 0 {
		w.line += bytes.Count(between, []byte("\n"))
		w.lineStart = w.last + newline + 1
	}
	w.last = offset
	return tenants.Position{File: w.file, Line: w.line + 1, Column: offset - w.lineStart + 1}
}

// see records where a key or an element is, when it is first seen.
func (w *walker) see(p *place, n *unstable.Node) {
	if p.at.File == "" {
		p.at = w.position(int(n.Raw.Offset))
	}
}

// header records the keys of [a.b] or [[a.b]] and returns the place of the table.
func (w *walker) header(n *unstable.Node, at *place, array bool) *place {
	for keys := n.Key(); keys.Next(); {
		key := keys.Node()
		at = at.member(string(key.Data))
		w.see(at, key)
		if array && keys.IsLast() {
			at.tables++
		}
		if at.tables > 0 {
			at = at.element(at.tables - 1)
			w.see(at, key)
		}
	}
	return at
}

// keyValue records one key and everything inside its value.
func (w *walker) keyValue(n *unstable.Node, at *place, depth int) {
	for keys := n.Key(); keys.Next(); {
		at = at.member(string(keys.Node().Data))
		w.see(at, keys.Node())
	}
	w.value(n.Value(), at, depth)
}

func (w *walker) value(n *unstable.Node, at *place, depth int) {
	if depth > maxNesting {
		return // the converter reports it
	}
	switch n.Kind {
	case unstable.InlineTable:
		for members := n.Children(); members.Next(); {
			w.keyValue(members.Node(), at, depth+1)
		}
	case unstable.Array:
		i := 0
		for elements := n.Children(); elements.Next(); i++ {
			element := at.element(i)
			if elements.Node().Raw.Length > 0 {
				w.see(element, elements.Node())
			}
			w.value(elements.Node(), element, depth+1)
		}
	}
}

// converter converts decoded TOML to values with places.
type converter struct {
	problems tenants.Problems
	tooDeep  bool
	nowhere  place // of values with unknown places
}

// convert converts a value at a place, which may be nil; at is the position of the value or of the
// table or array that contains it.
func (c *converter) convert(raw any, p *place, at tenants.Position, depth int) any {
	if depth > maxNesting {
		if !c.tooDeep {
			c.problems = append(c.problems, tenants.Problem{Position: at, Message: fmt.Sprintf("nested more than %d deep", maxNesting)})
		}
		c.tooDeep = true
		return nil
	}
	if p == nil {
		p = &c.nowhere
	}
	switch v := raw.(type) {
	case map[string]any:
		table := make(map[string]tenants.Value, len(v))
		for key, member := range v {
			table[key] = c.child(member, p.members[key], at, depth)
		}
		return table
	case []any:
		list := make([]tenants.Value, len(v))
		for i, element := range v {
			var below *place
			if i < len(p.elements) {
				below = p.elements[i]
			}
			list[i] = c.child(element, below, at, depth)
		}
		return list
	case time.Time, toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		c.problems = append(c.problems, tenants.Problem{Position: at, Message: "is a date or a time, which no key accepts", Hint: "put a text in quotes"})
		return ""
	}
	return raw
}

func (c *converter) child(raw any, p *place, parent tenants.Position, depth int) tenants.Value {
	at := parent
	if p != nil && p.at.File != "" {
		at = p.at
	}
	return tenants.Value{Data: c.convert(raw, p, at, depth+1), Position: at}
}
