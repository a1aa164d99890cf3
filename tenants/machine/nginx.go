package machine

import (
	"fmt"
	"strings"
)

// parseNginx parses the directives of an nginx configuration file (nginx: Beginner's
// Guide, Configuration File's Structure). A block is also a directive of its enclosing
// block.
func parseNginx(file, text string, block []string) ([]Directive, error) {
	var all []Directive
	var words []string
	line, begin, depth := 1, 1, 0
	blocks := append([]string{}, block...)
	add := func() {
		all = append(all, Directive{Name: words[0], Args: words[1:], File: file, Line: begin, Block: append([]string{}, blocks...)})
	}
	for rest := text; ; {
		word, kind, lines, after := nextNginx(rest)
		line += lines
		rest = after
		switch {
		case kind == nginxEnd && (len(words) > 0 || depth > 0):
			return nil, fmt.Errorf("%s:%d: the file ends within a directive or a block", file, line)
		case kind == nginxEnd:
			return all, nil
		case kind == nginxWord:
			if len(words) == 0 {
				begin = line
			}
			words = append(words, word)
		case word == ";" && len(words) > 0:
			add()
			words = nil
		case word == "{" && len(words) > 0:
			add()
			blocks = append(blocks, words[0])
			depth++
			words = nil
		case word == "}" && depth > 0 && len(words) == 0:
			blocks = blocks[:len(blocks)-1]
			depth--
		default:
			return nil, fmt.Errorf("%s:%d: unexpected %q", file, line, word)
		}
	}
}

// Kinds of tokens.
const (
	nginxEnd = iota
	nginxWord
	nginxMark // one of ; { }
)

// nextNginx splits the next token off a text, and counts the line ends before and in it.
func nextNginx(text string) (word string, kind, lines int, rest string) {
	for text != "" {
		switch c := text[0]; {
		case c == '\n':
			lines++
			text = text[1:]
		case strings.IndexByte(" \t\r", c) >= 0:
			text = text[1:]
		case c == '#':
			end := strings.IndexByte(text, '\n')
			if end < 0 {
				return "", nginxEnd, lines, ""
			}
			text = text[end:]
		case strings.IndexByte(";{}", c) >= 0:
			return text[:1], nginxMark, lines, text[1:]
		case c == '"' || c == '\'':
			word, rest = quotedNginx(text)
			return word, nginxWord, lines + strings.Count(word, "\n"), rest
		default:
			word, rest = plainNginx(text)
			return word, nginxWord, lines, rest
		}
	}
	return "", nginxEnd, lines, ""
}

// quotedNginx splits a quoted word off a text.
func quotedNginx(text string) (word, rest string) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] == text[0]:
			return b.String(), text[i+1:]
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), ""
}

// plainNginx splits an unquoted word off a text. A variable may be written ${name}.
func plainNginx(text string) (word, rest string) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '{' && i > 0 && text[i-1] == '$':
			if end := strings.IndexByte(text[i:], '}'); end > 0 {
				i += end
			}
		case strings.IndexByte(" \t\r\n;{", text[i]) >= 0:
			return text[:i], text[i:]
		}
	}
	return text, ""
}
