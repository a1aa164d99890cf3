package escape

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Spot is a place in a file of one kind, at which a template may write a value.
type Spot struct {
	of     *scanner
	before state
}

// Spots are the places at which a template may be, by the paths through it. No two are
// equal.
type Spots []Spot

// Begin returns the beginning of a file of a kind: php, nginx, apache, pool, json, hosts
// or conf.
func Begin(kind string) Spots {
	of := scanners[kind]
	return Spots{{of, of.start}}
}

// Join returns all spots of both.
func (all Spots) Join(more Spots) Spots {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Over returns the spots behind a text.
func (all Spots) Over(text string) (after Spots) {
	if len(all) == 0 {
		return nil
	}
	for _, s := range all {
		for rest := text; rest != ""; {
			piece := rest[:s.of.piece(rest)]
			s.before, rest = s.of.step(s.before, piece), rest[len(piece):]
		}
		after = after.Join(Spots{s})
	}
	return after
}

// Written returns the spots behind a value.
func (all Spots) Written() (after Spots) {
	for _, s := range all {
		after = after.Join(Spots{{s.of, state{mode: s.before.mode, started: s.before.started}}})
	}
	return after
}

// Unknown returns the spot behind a text that can't be read.
func (all Spots) Unknown() Spots {
	if len(all) == 0 {
		return nil
	}
	return Spots{{all[0].of, state{mode: inOutside}}}
}

// Takes reports whether an escaper's result is safe here; otherwise hint says what
// to write.
func (s Spot) Takes(escaper string) (hint string, ok bool) {
	switch escaper {
	case "comment":
		return "comment is for comments", s.before.mode == inLine || s.before.mode == inBlock
	case "php", "assign":
		return "it brings its own quotes: write it as PHP code, outside of comments and strings", s.before.mode == inCode
	case "apachePlain", "apacheTarget", "nginxPlain":
		return "write it behind a directive's name", s.before.started && s.before.mode != inLine
	case "json":
		return "it brings its own quotes: write it outside of strings", s.before.mode == inCode
	case "word":
		return "write it outside of comments", s.before.mode == inCode
	case "fpm":
		return "write it behind an =, without quotes", s.before.mode == inCode && s.before.started && s.before.blank
	}
	return "it brings its own quotes: write it as a word of its own behind a directive's name", s.before.mode == inCode && s.before.started && s.before.blank
}

// mode is the syntactic context of an action.
type mode int

const (
	inCode    mode = iota // PHP, or directives
	inLine                // a comment to the end of the line
	inBlock               // a comment of PHP between /* and */
	inSingle              // single quotes
	inDouble              // double quotes
	inOutside             // before <?php, or not known
)

// state is what precedes a place in a file, as far as escapers depend on it.
type state struct {
	mode    mode
	started bool // the directive has a name, or the line of a pool an =
	blank   bool // after a blank or a bracket
}

// scanner moves a state over the text of one kind of file.
type scanner struct {
	piece func(text string) int // length of the first piece of a text, which is not empty
	step  func(s state, piece string) state
	start state
}

var scanners = map[string]*scanner{
	"php":    {piecePHP, stepPHP, state{mode: inOutside}},
	"nginx":  {escaped, stepNginx, state{blank: true}},
	"apache": {escaped, stepApache, state{blank: true}},
	"pool":   {character, stepPool, state{blank: true}},
	"json":   {escaped, stepJSON, state{}},
	"hosts":  {character, stepHosts, state{blank: true}},
	"conf":   {character, stepWords, state{blank: true}},
}

// character returns the length of the first character.
func character(text string) int {
	_, size := utf8.DecodeRuneInString(text)
	return size
}

// escaped is character, but takes a backslash and the next character as one.
func escaped(text string) int {
	if text[0] == '\\' && len(text) > 1 {
		return 1 + character(text[1:])
	}
	return character(text)
}

// signsPHP are the signs that lead out of PHP code, or into it.
var signsPHP = []string{"<?php", "?>", "/*", "*/", "//", "<<<"}

// piecePHP is escaped, but takes a sign of PHP as one.
func piecePHP(text string) int {
	for _, sign := range signsPHP {
		if strings.HasPrefix(text, sign) {
			return len(sign)
		}
	}
	return escaped(text)
}

func stepPHP(s state, piece string) state {
	switch {
	case s.mode == inOutside && piece == "<?php":
		return state{mode: inCode}
	case s.mode == inOutside:
	case piece == "?>" && (s.mode == inCode || s.mode == inLine):
		return state{mode: inOutside}
	case s.mode == inLine && piece == "\n", s.mode == inBlock && piece == "*/", s.mode == inSingle && piece == "'", s.mode == inDouble && piece == `"`:
		return state{mode: inCode}
	case s.mode != inCode:
	case piece == "#" || piece == "//":
		return state{mode: inLine}
	case piece == "/*":
		return state{mode: inBlock}
	case piece == "'":
		return state{mode: inSingle}
	case piece == `"`:
		return state{mode: inDouble}
	case piece == "<<<" || piece == "`": // a heredoc or a command: its end is not searched
		return state{mode: inOutside}
	}
	return s
}

// stepQuoted is the common part of nginx and Apache: quotes at the beginning of a word.
func stepQuoted(s state, piece string) (state, bool) {
	switch {
	case s.mode == inLine:
		return s, true
	case s.mode == inSingle && piece == "'", s.mode == inDouble && piece == `"`:
		return state{started: s.started}, true
	case s.mode != inCode:
		return s, true
	case s.blank && piece == "'":
		return state{mode: inSingle, started: s.started}, true
	case s.blank && piece == `"`:
		return state{mode: inDouble, started: s.started}, true
	}
	return s, false
}

func stepNginx(s state, piece string) state {
	if s.mode == inLine && piece == "\n" {
		return state{started: s.started, blank: true}
	}
	if next, done := stepQuoted(s, piece); done {
		return next
	}
	switch {
	case s.blank && piece == "#":
		return state{mode: inLine, started: s.started}
	case piece == ";" || piece == "{" || piece == "}":
		return state{blank: true}
	case strings.TrimSpace(piece) == "":
		return state{started: s.started, blank: true}
	}
	return state{started: true}
}

func stepApache(s state, piece string) state {
	if piece == "\n" {
		return state{blank: true}
	}
	if next, done := stepQuoted(s, piece); done {
		return next
	}
	switch {
	case s.blank && !s.started && piece == "#":
		return state{mode: inLine}
	case strings.TrimSpace(piece) == "":
		return state{started: s.started, blank: true}
	}
	return state{started: true}
}

func stepPool(s state, piece string) state {
	switch {
	case piece == "\n":
		return state{blank: true}
	case s.mode == inLine:
		return s
	case s.mode == inDouble && piece == `"`, s.mode == inSingle && piece == "'":
		return state{started: s.started}
	case s.mode != inCode:
		return s
	case piece == ";" || piece == "#" && !s.started && s.blank:
		return state{mode: inLine}
	case piece == `"`:
		return state{mode: inDouble, started: s.started}
	case piece == "'":
		return state{mode: inSingle, started: s.started}
	case piece == "=", piece == "[" && s.blank && !s.started:
		return state{started: true, blank: true}
	case strings.TrimSpace(piece) == "":
		return state{started: s.started, blank: s.blank}
	}
	return state{started: s.started}
}

// stepJSON tracks strings.
func stepJSON(s state, piece string) state {
	switch {
	case piece != `"`:
		return s
	case s.mode == inDouble:
		return state{mode: inCode}
	}
	return state{mode: inDouble}
}

// stepHosts tracks comments, which may also follow names (hosts(5)).
func stepHosts(s state, piece string) state {
	if s.mode == inCode && piece == "#" {
		return state{mode: inLine}
	}
	return stepWords(s, piece)
}

// stepWords tracks comments at the beginning of lines.
func stepWords(s state, piece string) state {
	switch {
	case piece == "\n":
		return state{blank: true}
	case s.mode == inLine:
		return s
	case s.blank && piece == "#":
		return state{mode: inLine}
	case strings.TrimSpace(piece) == "":
		return s
	}
	return state{started: true}
}
