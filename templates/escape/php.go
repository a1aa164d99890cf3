package escape

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// wide is the maximum length of a list on one line, in bytes; longer lists have one
// element a line.
const wide = 80

// PHP writes a value as a PHP literal of its type.
func PHP(value any) (string, error) {
	if s, ok := value.(string); ok && plain(s) {
		return "'" + s + "'", nil
	}
	var w Code
	err := w.Value(value, 0)
	return w.b.String(), err
}

// IsPHPName reports whether a text is a valid name of a variable in PHP, in ASCII.
func IsPHPName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return name != ""
}

// Code is PHP code that is being written. The zero value is empty.
type Code struct{ b strings.Builder }

// String returns the code.
func (w *Code) String() string { return w.b.String() }

// Add appends code unchanged.
func (w *Code) Add(code string) { w.b.WriteString(code) }

// Assign appends statements that assign a value to a variable, one per line. A table is
// assigned leaf by leaf unless whole is set, so that MediaWiki's other defaults stay.
func (w *Code) Assign(target string, v tenants.Value, whole bool) error {
	table, ok := v.Data.(map[string]tenants.Value)
	if !ok || whole || len(table) == 0 {
		w.b.WriteString(target + " = ")
		if err := w.Value(v, 0); err != nil {
			return err
		}
		w.b.WriteString(";\n")
		return nil
	}
	for _, key := range slices.SortedFunc(maps.Keys(table), ComparePHPKeys) {
		if err := w.Assign(target+"["+PHPKey(key)+"]", table[key], false); err != nil {
			return err
		}
	}
	return nil
}

// Value appends the literal of any value of settings or templates. depth is the indentation
// of its end, in tabs.
func (w *Code) Value(value any, depth int) error {
	switch v := value.(type) {
	case tenants.Value:
		err := w.Value(v.Data, depth)
		if unfit, ok := err.(*Error); ok && unfit.At.File == "" {
			unfit.At = v.Position
		}
		return err
	case string:
		w.text(v)
	case secrets.Secret:
		w.text(v.Reveal())
	case *tenants.Hidden:
		text, err := v.Read()
		if err != nil {
			return &Error{Value: v.String(), Why: "can't be read: " + err.Error()}
		}
		w.text(text)
	case tenants.PHP:
		return w.expression(string(v))
	case bool:
		w.b.WriteString(strconv.FormatBool(v))
	case int:
		w.integer(int64(v))
	case int64:
		w.integer(v)
	case float64:
		w.float(v)
	case *big.Int:
		return w.bigInteger(v)
	case []string:
		return writeList(w, v, depth)
	case []tenants.Value:
		return writeList(w, v, depth)
	case map[string]tenants.Value:
		return w.table(v, depth)
	default:
		return &Error{Value: fmt.Sprint(value), Why: fmt.Sprintf("is a %T, which has no literal in PHP", value)}
	}
	return nil
}

// integer writes an integer. PHP reads the digits of the smallest one as a float.
func (w *Code) integer(i int64) {
	if i == math.MinInt64 {
		w.b.WriteString("PHP_INT_MIN")
		return
	}
	w.b.WriteString(strconv.FormatInt(i, 10))
}

func (w *Code) bigInteger(i *big.Int) error {
	if !i.IsInt64() {
		return &Error{Value: i.String(), Why: "is larger than PHP's integers"}
	}
	w.integer(i.Int64())
	return nil
}

// float writes the shortest digits that read back as the same number.
func (w *Code) float(f float64) {
	switch {
	case math.IsNaN(f):
		w.b.WriteString("NAN")
	case math.IsInf(f, 1):
		w.b.WriteString("INF")
	case math.IsInf(f, -1):
		w.b.WriteString("-INF")
	default:
		digits := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(digits, ".e") {
			digits += ".0"
		}
		w.b.WriteString(digits)
	}
}

// writeList writes a list, on one line if it is short.
func writeList[T any](w *Code, list []T, depth int) error {
	if len(list) == 0 {
		w.b.WriteString("[]")
		return nil
	}
	left := wide
	oneLine := fits(list, &left)
	w.open(oneLine)
	for i, element := range list {
		w.before(i, oneLine, depth+1)
		if err := w.Value(element, depth+1); err != nil {
			return err
		}
	}
	w.close(oneLine, depth)
	return nil
}

// table writes an array with keys, one member per line.
func (w *Code) table(table map[string]tenants.Value, depth int) error {
	if len(table) == 0 {
		w.b.WriteString("[]")
		return nil
	}
	w.open(false)
	for i, key := range slices.SortedFunc(maps.Keys(table), ComparePHPKeys) {
		w.before(i, false, depth+1)
		w.b.WriteString(PHPKey(key) + " => ")
		if err := w.Value(table[key], depth+1); err != nil {
			return err
		}
	}
	w.close(false, depth)
	return nil
}

func (w *Code) open(oneLine bool) {
	w.b.WriteByte('[')
	if oneLine {
		w.b.WriteByte(' ')
	}
}

func (w *Code) before(i int, oneLine bool, depth int) {
	switch {
	case !oneLine && i > 0:
		w.b.WriteString(",\n" + strings.Repeat("\t", depth))
	case !oneLine:
		w.b.WriteString("\n" + strings.Repeat("\t", depth))
	case i > 0:
		w.b.WriteString(", ")
	}
}

func (w *Code) close(oneLine bool, depth int) {
	if oneLine {
		w.b.WriteString(" ]")
		return
	}
	w.b.WriteString(",\n" + strings.Repeat("\t", depth) + "]")
}

// fits reports whether a value fits on one line; left is the remaining space.
func fits(value any, left *int) bool {
	*left -= 2
	switch v := value.(type) {
	case tenants.Value:
		return fits(v.Data, left)
	case string:
		*left -= len(v)
	case tenants.PHP:
		*left -= len(v)
	case []string:
		for _, element := range v {
			if !fits(element, left) {
				return false
			}
		}
	case []tenants.Value:
		for _, element := range v {
			if !fits(element, left) {
				return false
			}
		}
	case map[string]tenants.Value:
		return len(v) == 0
	default:
		*left -= 6
	}
	return *left >= 0
}

// decimal reports whether PHP converts a string to an integer when it is a key. PHP
// converts very long ones itself.
func decimal(key string) bool {
	digits := strings.TrimPrefix(key, "-")
	if digits == "" || len(digits) > 15 || digits[0] == '0' && key != "0" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// PHPKey returns the key of an array as PHP has it: an integer if PHP would convert it.
func PHPKey(key string) string {
	if decimal(key) {
		return key
	}
	var w Code
	w.text(key)
	return w.b.String()
}

// ComparePHPKeys sorts numbers by value, before all other keys.
func ComparePHPKeys(a, b string) int {
	aNumber, bNumber := decimal(a), decimal(b)
	switch {
	case aNumber && bNumber:
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	case aNumber:
		return -1
	case bNumber:
		return 1
	}
	return strings.Compare(a, b)
}

// text writes a string in single quotes, where PHP expands nothing, or in double quotes
// if it contains characters that an editor does not show.
func (w *Code) text(s string) {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		w.b.WriteByte('\'')
		singleQuoted.WriteString(&w.b, s)
		w.b.WriteByte('\'')
		return
	}
	w.b.Grow(len(s) + 16)
	w.b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&w.b, `\x%02X`, s[i])
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '"', r == '\\', r == '$':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r < utf8.RuneSelf && hidden(r):
			fmt.Fprintf(&w.b, `\x%02X`, r)
		case hidden(r):
			fmt.Fprintf(&w.b, `\u{%X}`, r)
		default:
			w.b.WriteRune(r)
		}
		i += size
	}
	w.b.WriteByte('"')
}

var singleQuoted = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// hidden reports whether a character is invisible, or changes how others are displayed.
func hidden(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// PHPString returns a text as PHP's literal, even if it looks like a number.
func PHPString(text string) string {
	var w Code
	w.text(text)
	return w.b.String()
}

// PHPStrings returns texts as PHP's literals, separated by commas.
func PHPStrings(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = PHPString(name)
	}
	return strings.Join(all, ", ")
}
