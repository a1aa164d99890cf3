package machine

import (
	"strings"
)

// parseApache parses the directives of an Apache configuration file (Apache:
// Configuration Files). It treats <If…> blocks as true, and omits them from Block.
func parseApache(file, text string, block []string) ([]Directive, error) {
	var all []Directive
	blocks := append([]string{}, block...)
	number := 0
	for rest := text; rest != ""; {
		var line string
		number++
		begin := number
		line, rest, _ = strings.Cut(rest, "\n")
		for strings.HasSuffix(strings.TrimRight(line, "\r"), `\`) && rest != "" {
			var next string
			next, rest, _ = strings.Cut(rest, "\n")
			line = strings.TrimSuffix(strings.TrimRight(line, "\r"), `\`) + " " + next
			number++
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "</"):
			if name := strings.ToLower(strings.Trim(line, "</> \t")); len(blocks) > len(block) && !conditional(name) {
				blocks = blocks[:len(blocks)-1]
			}
		case line[0] == '<':
			words := apacheWords(strings.TrimSuffix(strings.TrimPrefix(line, "<"), ">"))
			if len(words) == 0 {
				continue
			}
			all = append(all, Directive{Name: words[0], Args: words[1:], File: file, Line: begin, Block: append([]string{}, blocks...)})
			if name := strings.ToLower(words[0]); !conditional(name) {
				blocks = append(blocks, name)
			}
		default:
			words := apacheWords(line)
			all = append(all, Directive{Name: words[0], Args: words[1:], File: file, Line: begin, Block: append([]string{}, blocks...)})
		}
	}
	return all, nil
}

// conditional reports whether a block only makes its directives conditional.
func conditional(name string) bool {
	switch name {
	case "ifmodule", "ifdefine", "ifversion", "ifdirective", "iffile", "ifsection":
		return true
	}
	return false
}

// apacheWords splits a line at blanks outside of quotes.
func apacheWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if q := line[0]; q == '"' || q == '\'' {
			if end := strings.IndexByte(line[1:], q); end >= 0 {
				words = append(words, line[1:1+end])
				line = line[end+2:]
				continue
			}
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
	return words
}
