package mask

import (
	"regexp"
	"strings"
)

// token matches a piece of PHP: a comment, a heredoc, a string, a variable, a word, a
// number, or an operator. Blanks are skipped.
var token = regexp.MustCompile(`(?s)^(?:(#[^\[\n][^\n]*|#\n?|//[^\n]*|/\*.*?(?:\*/|$))|('(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?)|(\$[A-Za-z_]\w*)|([A-Za-z_\\][\w\\]*)|([0-9][\w.]*)|(=>|\?->|->|::|\?\?=|[.+|]=|[=!<>]=+|.))`)

var heredoc = regexp.MustCompile(`^<<<[ \t]*['"]?([A-Za-z_]\w*)['"]?\r?\n`)

// span is a literal of a PHP text, by byte positions.
type span struct {
	from, to int
	value    string // its value
	secret   bool
}

// frame is an open bracket, or the whole text, with the names above its values.
type frame struct {
	subscript bool     // it contains a key, such as ['key'] of a variable
	target    []string // a variable and its keys, until "=" or another token
	assigned  bool     // the assigned variable has the name of a secret
	key       bool     // the key before "=>" has
	member    string   // that key
	pair      bool     // a key such as 'name' names the value of the key 'value'
	last      int      // index of its last literal in spans; -1: none
}

// scanner scans a PHP text once.
type scanner struct {
	text   string
	at     int
	before string // the previous token
	frames []frame
	spans  []span
}

// PHP hides secrets in a PHP text: those that Text finds, even if a literal escapes them,
// and all strings and longer numbers below names of secrets, at any depth of arrays. It
// hides the values that it finds by name in the rest of the text, too.
func (m *Masker) PHP(text string) string {
	s := scan(text)
	own := New()
	own.known = append(own.known, m.known...)
	own.add(s.values()...)
	var b strings.Builder
	done := 0
	for _, l := range s.spans {
		raw := text[l.from:l.to]
		switch {
		case l.secret:
		case own.Text(raw) == raw && own.Text(l.value) != l.value: // escaped
		default:
			continue
		}
		quote := raw[:1]
		if quote != `"` {
			quote = "'"
		}
		b.WriteString(own.Text(text[done:l.from]) + quote + shown + quote)
		done = l.to
	}
	b.WriteString(own.Text(text[done:]))
	return b.String()
}

// Found returns the secrets in PHP texts that their names reveal.
func Found(texts ...string) []string {
	var all []string
	for _, text := range texts {
		s := scan(text)
		all = append(all, s.values()...)
	}
	return all
}

// literals returns the strings of a PHP expression.
func literals(code string) []string {
	s := scan(code)
	var all []string
	for _, l := range s.spans {
		if Telling(l.value) {
			all = append(all, l.value)
		}
	}
	return all
}

func (s *scanner) values() []string {
	var all []string
	for _, l := range s.spans {
		if l.secret {
			all = append(all, l.value)
		}
	}
	return all
}

func scan(text string) *scanner {
	s := &scanner{text: text, frames: []frame{{last: -1}}}
	for s.at < len(text) {
		rest := text[s.at:]
		if m := heredoc.FindStringSubmatch(rest); m != nil {
			s.heredoc(m)
			continue
		}
		m := token.FindStringSubmatch(rest)
		if m == nil { // an invalid byte
			s.at++
			continue
		}
		from := s.at
		s.at += len(m[0])
		switch {
		case strings.TrimSpace(m[0]) == "":
			continue
		case m[1] != "":
			s.comment(from, m[1])
			continue
		case m[2] != "":
			s.literal(from, s.at, unquote(m[2]))
		case m[5] != "":
			s.literal(from, s.at, m[5])
		case m[3] != "":
			s.top().target = []string{m[3][1:]}
		case m[4] != "":
			if s.before == "->" || s.before == "?->" || s.before == "::" {
				s.top().target = append(s.top().target, m[4])
			}
		default:
			s.operator(m[6])
		}
		s.before = m[0]
	}
	return s
}

func (s *scanner) top() *frame { return &s.frames[len(s.frames)-1] }

// secret reports whether the next value is below the name of a secret.
func (s *scanner) secret() bool {
	for _, f := range s.frames {
		if f.assigned || f.key || f.pair && f.member == "value" {
			return true
		}
	}
	return false
}

// literal records a string or a number, unless it is a key.
func (s *scanner) literal(from, to int, value string) {
	f := s.top()
	if f.subscript {
		outer := &s.frames[len(s.frames)-2]
		outer.target = append(outer.target, value)
		return
	}
	if f.member == "name" || f.member == "key" {
		f.pair = Name(value)
	}
	f.last = len(s.spans)
	s.spans = append(s.spans, span{from, to, value, s.secret() && Telling(value)})
}

// operator opens and closes brackets, and tracks the names above values.
func (s *scanner) operator(o string) {
	f := s.top()
	switch o {
	case "(", "[", "{":
		member := o == "[" && len(f.target) > 0 && (s.before == "]" || strings.HasPrefix(s.before, "$") || s.before == f.target[len(f.target)-1])
		s.frames = append(s.frames, frame{subscript: member, last: -1})
		return
	case ")", "]", "}":
		if len(s.frames) > 1 {
			member := f.subscript
			s.frames = s.frames[:len(s.frames)-1]
			if f = s.top(); !member {
				f.target = nil
			}
			if o == "}" {
				f.assigned, f.key = false, false
			}
		}
		return
	case "->", "?->", "::":
		return // the name of a member follows
	case "=", "??=", ".=", "+=":
		f.assigned = f.assigned || anyName(f.target)
	case ":": // a named argument
		f.key = f.key || Name(s.before)
	case "=>":
		f.member = s.before
		if f.last >= 0 {
			f.member, s.spans[f.last].secret = s.spans[f.last].value, false
		}
		f.key = Name(f.member)
		f.last = -1
	case ",":
		// In define( 'DB_PASSWORD', '…' ) the name precedes the value.
		f.key = f.last >= 0 && s.before != "]" && Name(s.spans[f.last].value) && s.called()
		f.last, f.member = -1, ""
	case ";":
		f.assigned, f.key, f.pair, f.member, f.last = false, false, false, "", -1
	}
	f.target = nil
}

// called reports whether the innermost bracket holds a function's arguments.
func (s *scanner) called() bool {
	depth := 0
	for i := s.at - 1; i >= 0; i-- {
		switch s.text[i] {
		case ')', ']':
			depth++
		case '(':
			if depth--; depth < 0 {
				return true
			}
		case '[', ';', '{':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return false
}

func anyName(names []string) bool {
	for _, name := range names {
		if Name(name) {
			return true
		}
	}
	return false
}

// named matches a name followed by a value, as in a line that was commented out.
var named = regexp.MustCompile(`([A-Za-z_][\w-]*)['"\]]*\s*(?:=>|=|:)\s*(\S.*)$`)

// comment records the values after names of secrets in each line of a comment.
func (s *scanner) comment(from int, text string) {
	for _, line := range strings.SplitAfter(text, "\n") {
		if m := named.FindStringSubmatchIndex(strings.TrimRight(line, "\n")); m != nil && commentNames(line[:m[4]]) && !strings.HasPrefix(line[m[4]:], "$wg") {
			s.spans = append(s.spans, span{from + m[4], from + m[5], "", true})
		}
		from += len(line)
	}
}

// nameWord matches a word that may be a name.
var nameWord = regexp.MustCompile(`[A-Za-z_][\w-]*`)

// commentNames reports whether a text contains the name of a secret.
func commentNames(text string) bool {
	return anyName(nameWord.FindAllString(text, -1))
}

// heredoc records a string from <<<X to the line that begins with X.
func (s *scanner) heredoc(m []string) {
	from := s.at
	body := s.text[from+len(m[0]):]
	end := regexp.MustCompile(`(?m)^[ \t]*` + m[1] + `\b`).FindStringIndex(body)
	if end == nil {
		end = []int{len(body), len(body)}
	}
	s.at = from + len(m[0]) + end[1]
	s.literal(from, s.at, strings.TrimSuffix(body[:end[0]], "\n"))
	s.before = m[0]
}

// unquote returns the value of a quoted string, as far as masking requires.
func unquote(literal string) string {
	quote := literal[:1]
	text := strings.TrimSuffix(literal[1:], quote)
	if !strings.Contains(text, `\`) {
		return text
	}
	if quote == "'" {
		return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(text)
	}
	return escapes.ReplaceAllStringFunc(text, unescape)
}
