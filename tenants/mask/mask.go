// Package mask hides secrets in texts for people: all known secrets in each form that
// programs write them, and the values of names such as "password". It does not know where
// texts come from or go to.
package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// shown replaces a secret.
const shown = "[secret]"

// least is the minimum length in bytes of a secret that is hidden everywhere: shorter
// ones occur in ordinary words, and hiding those would reveal them.
const least = 6

// Masker hides a set of secrets. The zero Masker knows no secrets, and hides only the
// values of telling names.
type Masker struct{ known []string }

// New returns a Masker of secrets, such as a tenant's passwords and keys.
func New(secrets ...string) *Masker {
	m := &Masker{}
	m.add(secrets...)
	return m
}

// add adds secrets in all their forms, longest first.
func (m *Masker) add(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) >= least {
			m.known = append(m.known, forms(secret)...)
		}
	}
	slices.SortFunc(m.known, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	m.known = slices.Compact(m.known)
}

// forms returns a secret as it is and as programs write it: escaped, and encoded alone or
// as a part of a longer text.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret) // strings can't fail
	all := []string{
		secret, strings.Trim(string(quoted), `"`), html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for before := range 3 {
		all = append(all, inBase64(base64.RawStdEncoding, secret, before), inBase64(base64.RawURLEncoding, secret, before))
	}
	return slices.DeleteFunc(all, func(form string) bool { return len(form) < least })
}

// inBase64 returns the base64 digits of a secret that begins before bytes after a
// multiple of three, without the digits that depend on adjacent bytes.
func inBase64(encoding *base64.Encoding, secret string, before int) string {
	digits := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	first := []int{0, 2, 3}[before]
	whole := (before + len(secret)) / 3 * 4
	return digits[first:max(first, whole)]
}

// Patterns of secrets in any text: the password of a URL or a DSN, the value after a name
// and "=" or in an authorization header, private keys, and tokens with well-known
// prefixes.
var (
	inKey     = regexp.MustCompile(`(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)(?:[A-Za-z0-9+/=\s]|\\[rn])+`)
	aToken    = regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}|[rs]k_(?:live|test)_\w{8,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)`)
	inAddress = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'"]*:)[^\s'"/]+@`)
	inDSN     = regexp.MustCompile(`([A-Za-z0-9_.-]+:)[^\s'"]+@((?:tcp|udp|unix)?\()`)
	inPair    = regexp.MustCompile(`(?i)(\b[\w-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key)[\w-]*=)[^\s&;'",)\]]+`)
	inHeader  = regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}`)
)

// Text hides the known secrets in a text, and passwords in URLs.
func (m *Masker) Text(text string) string {
	for _, secret := range m.known {
		text = strings.ReplaceAll(text, secret, shown)
	}
	text = inAddress.ReplaceAllString(text, "${1}"+shown+"@")
	text = inDSN.ReplaceAllString(text, "${1}"+shown+"@${2}")
	text = inKey.ReplaceAllString(text, "${1}"+shown)
	text = aToken.ReplaceAllString(text, shown)
	text = inPair.ReplaceAllString(text, "${1}"+shown)
	return inHeader.ReplaceAllString(text, "${1}"+shown)
}

// Error returns an error with the text of err masked, which wraps the same errors.
func (m *Masker) Error(err error) error {
	if err == nil || m.Text(err.Error()) == err.Error() {
		return err
	}
	return &maskedError{m.Text(err.Error()), err}
}

type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

// Expression hides all strings of a PHP expression whose name is unknown.
func Expression(code string) string {
	const name = "$secret="
	return strings.TrimPrefix(new(Masker).PHP(name+code), name)
}

// Values returns the strings in settings below names of secrets, at any depth.
func Values(settings map[string]tenants.Value) []string {
	var found []string
	for name, v := range settings {
		found = append(found, valuesOf(v, Name(name))...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func valuesOf(v tenants.Value, secret bool) (found []string) {
	switch data := v.Data.(type) {
	case string:
		if secret && Telling(data) {
			return []string{data}
		}
	case tenants.PHP:
		if secret {
			return literals(string(data))
		}
	case []tenants.Value:
		for _, element := range data {
			found = append(found, valuesOf(element, secret)...)
		}
	case map[string]tenants.Value:
		for name, member := range data {
			found = append(found, valuesOf(member, secret || Name(name))...)
		}
	case *tenants.Hidden:
		if text := data.Known(); text != "" {
			return []string{text}
		}
	case *tenants.Operation:
		for _, v := range data.Values() {
			found = append(found, valuesOf(v, secret)...)
		}
	}
	return found
}

// Telling reports whether a value below such a name can be a secret, other than a switch
// or a small number.
func Telling(value string) bool {
	return value != "" && (len(value) > 3 || strings.Trim(value, "0123456789") != "")
}
