package templates

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikictl/tenants"
)

// unfitError is the error for a value that can't be written in a kind of file.
type unfitError struct {
	value string
	why   string
	at    tenants.Position // of the value, if it is known
}

// Error names the value, shortened.
func (e *unfitError) Error() string {
	value := e.value
	if len(value) > 60 {
		value = strings.ToValidUTF8(value[:60], "") + "…"
	}
	return fmt.Sprintf("%q %s", value, e.why)
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
		if unfit, ok := err.(*unfitError); ok {
			unfit.at = v.Position
		}
		return s, v.Position, err
	}
	return "", tenants.Position{}, &unfitError{value: fmt.Sprint(value), why: fmt.Sprintf("is a %T, want a string or an integer", value)}
}

// comment makes text safe after a # in every kind of file: it can end neither the line
// nor PHP, and a \ at its end does not continue the line in Apache.
func comment(value any) (string, error) {
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

// refuse returns an error for characters that a value of a configuration file can't
// contain.
func refuse(s string, at tenants.Position, characters, program string) error {
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			return &unfitError{value: s, at: at, why: fmt.Sprintf("holds %U, which %s can't read", r, program)}
		case strings.ContainsRune(characters, r):
			return &unfitError{value: s, at: at, why: fmt.Sprintf("holds %c, which %s would expand and can't quote", r, program)}
		}
	}
	if !utf8.ValidString(s) {
		return &unfitError{value: s, at: at, why: "is not UTF-8"}
	}
	return nil
}

var doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + doubleQuoted.Replace(s) + `"` }

// nginxValue writes one parameter of an nginx directive. nginx expands $ even inside
// quotes and has no escape for it.
func nginxValue(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	return quote(s), refuse(s, at, "$", "nginx")
}

// plainInNginx matches text without a special meaning for nginx in any part of a word.
var plainInNginx = regexp.MustCompile(`^[A-Za-z0-9_.:/-]+$`)

// nginxPlain writes a part of a word or of a variable's name.
func nginxPlain(value any) (string, error) {
	s, at, err := plainText(value)
	if err == nil && !plainInNginx.MatchString(s) {
		err = &unfitError{value: s, at: at, why: "holds other characters than letters, digits and ._:/-, which nginx can't take here"}
	}
	return s, err
}

// nginxWords writes the parameters of a directive such as listen, separated by spaces.
func nginxWords(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return "", &unfitError{value: s, at: at, why: "is blank"}
	}
	for i, word := range words {
		if words[i], err = nginxValue(word); err != nil {
			return "", err
		}
	}
	return strings.Join(words, " "), nil
}

// apacheValue writes one argument of an Apache directive. Apache expands ${…} when it
// reads the file, and mod_rewrite and expressions expand $ and %.
func apacheValue(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	return quote(s), refuse(s, at, "$%", "Apache")
}

// plainInApache matches text without a special meaning within quotes, expressions and
// flags.
var plainInApache = regexp.MustCompile(`^[A-Za-z0-9._:/|@-]+$`)

// apachePlain writes a part of an argument, such as a path in an expression, and refuses
// text that would need quotes there.
func apachePlain(value any) (string, error) {
	s, at, err := plainText(value)
	if err == nil && !plainInApache.MatchString(s) {
		err = &unfitError{value: s, at: at, why: "holds other characters than letters, digits and ._:/|@-, which Apache can't take here"}
	}
	return s, err
}

// plainInAddress matches the characters allowed in the target of a RewriteRule.
var plainInAddress = regexp.MustCompile(`^[A-Za-z0-9._~&+,;=:@/?#!()%-]+$`)

// apacheTarget writes a part of the target of a RewriteRule, between quotes: in
// mod_rewrite % starts a reference unless a backslash precedes it.
func apacheTarget(value any) (string, error) {
	s, at, err := plainText(value)
	if err == nil && !plainInAddress.MatchString(s) {
		err = &unfitError{value: s, at: at, why: "is no address that mod_rewrite can lead to"}
	}
	return strings.ReplaceAll(s, "%", `\%`), err
}

// apachePattern writes the pattern of a RewriteCond. mod_rewrite keeps a backslash, so a
// quote can't be written.
func apachePattern(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	return `"` + s + `"`, refuse(s, at, `$"\`, "Apache")
}

// listenAddress matches the address that is the first parameter of nginx's listen.
var listenAddress = regexp.MustCompile(`^(?:(\*|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):)?([0-9]{1,5})$`)

// apacheAddress writes the address of a <VirtualHost>, which allows no quotes.
func apacheAddress(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	address, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	m := listenAddress.FindStringSubmatch(address)
	if m == nil {
		return "", &unfitError{value: s, at: at, why: `is no address for Apache, such as "80" or "127.0.0.1:8080"`}
	}
	if m[1] == "" {
		return "*:" + m[2], nil
	}
	return address, nil
}

// fpmValue writes a value of a php-fpm pool. Its parser (PHP's for ini files) expands
// ${…} and has no escape for a quote.
func fpmValue(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	return `"` + s + `"`, refuse(s, at, "$\"\\", "php-fpm")
}
