// Package escape writes values into files of PHP, nginx, Apache, php-fpm and others so that
// each is read back as the same value and nothing in it acts. A value that a kind of file
// can't hold is refused with its place; secrets are written for PHP only. Spots tell where
// in a file each escaper may stand.
package escape

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikictl/tenants"
)

// Error is the error for a value that can't be written in a kind of file.
type Error struct {
	Value string
	Why   string
	At    tenants.Position // of the value, if it is known
}

// Error names the value, shortened.
func (e *Error) Error() string {
	value := e.Value
	if len(value) > 60 {
		value = strings.ToValidUTF8(value[:60], "") + "…"
	}
	return fmt.Sprintf("%q %s", value, e.Why)
}

// plainText returns the string argument of an escaper. Secrets are allowed in
// LocalSettings.php only.
func plainText(value any) (string, tenants.Position, error) {
	switch v := value.(type) {
	case string:
		return v, tenants.Position{}, nil
	case int, int64:
		return fmt.Sprint(v), tenants.Position{}, nil
	case tenants.Value:
		s, _, err := plainText(v.Data)
		if unfit, ok := err.(*Error); ok {
			unfit.At = v.Position
		}
		return s, v.Position, err
	}
	return "", tenants.Position{}, &Error{Value: fmt.Sprint(value), Why: fmt.Sprintf("is a %T, want a string or an integer", value)}
}

// Comment makes text safe after a # in every kind of file: it can end neither the line
// nor PHP, and a \ at its end does not continue the line in Apache.
func Comment(value any) (string, error) {
	s, _, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = commentEnds.Replace(s)
	if strings.HasSuffix(s, `\`) {
		s += " ."
	}
	return s, nil
}

var commentEnds = strings.NewReplacer("?>", "? >", "*/", "* /")

// plain reports whether text can be written without quotes in every kind of file.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/':
		case i > 0 && strings.IndexByte("._:@+-", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// quoted writes a value as it is if it needs no quotes, or in quotes. It refuses characters that a
// program expands even inside of them.
func quoted(value any, expands, program string) (string, error) {
	s, at, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	return quote(s), refuse(s, at, expands, program)
}

// only writes a value that matches allowed, and refuses others for the reason why.
func only(value any, allowed *regexp.Regexp, why string) (string, error) {
	s, at, err := plainText(value)
	if err == nil && !allowed.MatchString(s) {
		err = &Error{Value: s, At: at, Why: why}
	}
	return s, err
}

// refuse returns an error for characters that a value of a configuration file can't
// contain.
func refuse(s string, at tenants.Position, characters, program string) error {
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			return &Error{Value: s, At: at, Why: fmt.Sprintf("holds %U, which %s can't read", r, program)}
		case strings.ContainsRune(characters, r):
			return &Error{Value: s, At: at, Why: fmt.Sprintf("holds %c, which %s would expand and can't quote", r, program)}
		}
	}
	if !utf8.ValidString(s) {
		return &Error{Value: s, At: at, Why: "is not UTF-8"}
	}
	return nil
}

var doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + doubleQuoted.Replace(s) + `"` }
