package escape

import (
	"regexp"
	"slices"
	"strings"
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
	pieces := all[0].of.pieces.FindAllString(text, -1)
	for _, s := range all {
		for _, piece := range pieces {
			s.before = s.of.step(s.before, piece)
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
	pieces *regexp.Regexp
	step   func(s state, piece string) state
	start  state
}

var scanners = map[string]*scanner{
	"php":    {regexp.MustCompile(`(?s)<\?php|\?>|/\*|\*/|//|<<<|\\.|.`), stepPHP, state{mode: inOutside}},
	"nginx":  {regexp.MustCompile(`(?s)\\.|.`), stepNginx, state{blank: true}},
	"apache": {regexp.MustCompile(`(?s)\\.|.`), stepApache, state{blank: true}},
	"pool":   {regexp.MustCompile(`(?s).`), stepPool, state{blank: true}},
	"json":   {regexp.MustCompile(`(?s)\\.|.`), stepJSON, state{}},
	"hosts":  {regexp.MustCompile(`(?s).`), stepHosts, state{blank: true}},
	"conf":   {regexp.MustCompile(`(?s).`), stepWords, state{blank: true}},
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
