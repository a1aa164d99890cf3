package escape

import (
	"regexp"
	"strings"
)

// Apache writes one argument of an Apache directive. Apache expands ${…} when it
// reads the file, and mod_rewrite and expressions expand $ and %.
func Apache(value any) (string, error) {
	return quoted(value, "$%", "Apache")
}

// plainInApache matches text without a special meaning within quotes, expressions and
// flags.
var plainInApache = regexp.MustCompile(`^[A-Za-z0-9._:/|@-]+$`)

// ApachePlain writes a part of an argument, such as a path in an expression, and refuses
// text that would need quotes there.
func ApachePlain(value any) (string, error) {
	return only(value, plainInApache, "holds other characters than letters, digits and ._:/|@-, which Apache can't take here")
}

// plainInAddress matches the characters allowed in the target of a RewriteRule.
var plainInAddress = regexp.MustCompile(`^[A-Za-z0-9._~&+,;=:@/?#!()%-]+$`)

// ApacheTarget writes a part of the target of a RewriteRule, between quotes: in
// mod_rewrite % starts a reference unless a backslash precedes it.
func ApacheTarget(value any) (string, error) {
	s, err := only(value, plainInAddress, "is not an address that mod_rewrite can lead to")
	return strings.ReplaceAll(s, "%", `\%`), err
}

// ApachePattern writes the pattern of a RewriteCond. mod_rewrite keeps a backslash, so a
// quote can't be written.
func ApachePattern(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	return `"` + s + `"`, refuse(s, at, `$"\`, "Apache")
}

// listenAddress matches the address that is the first parameter of nginx's listen.
var listenAddress = regexp.MustCompile(`^(?:(\*|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):)?([0-9]{1,5})$`)

// ApacheAddress writes the address of a <VirtualHost>, which allows no quotes.
func ApacheAddress(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	address, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	m := listenAddress.FindStringSubmatch(address)
	if m == nil {
		return "", &Error{Value: s, At: at, Why: `is not an address for Apache, such as "80" or "127.0.0.1:8080"`}
	}
	if m[1] == "" {
		return "*:" + m[2], nil
	}
	return address, nil
}
