package tenants

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ErrSelect is wrapped by every error of Select: the caller's words are wrong.
var ErrSelect = errors.New("no such selection")

// ErrNone means that an expression is right and chooses no tenant. It wraps ErrSelect.
var ErrNone error = selectError("no tenant matches")

// selectError wraps ErrSelect and says no more than what is wrong.
type selectError string

// Error describes the mistake in the words.
func (e selectError) Error() string { return string(e) }

// Unwrap is ErrSelect.
func (e selectError) Unwrap() error { return ErrSelect }

// Selectf is an error that wraps ErrSelect.
func Selectf(format string, args ...any) error { return selectError(fmt.Sprintf(format, args...)) }

// maxParentheses bounds how deep a where expression may nest.
const maxParentheses = 128

// Select returns the tenants that any of names (names or globs) and where
// choose, in the farm's order. No names means every tenant that where chooses;
// neither is an error, and so is a name or a whole selection that matches
// nothing.
func Select(f *Farm, names []string, where string) ([]*Tenant, error) {
	if len(names) == 0 && where == "" {
		return nil, WithHint(Selectf("no tenants given"), "name them, or use --where or --all")
	}
	match := func(*Tenant) bool { return true }
	if where != "" {
		m, err := parseWhere(where)
		if err != nil {
			return nil, err
		}
		match = m
	}
	for _, pattern := range names {
		if err := someName(f, pattern); err != nil {
			return nil, err
		}
	}
	var chosen []*Tenant
	for _, t := range f.Tenants {
		named := len(names) == 0 || slices.ContainsFunc(names, func(p string) bool { return glob(p, t.Name) })
		if named && match(t) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return nil, WithHint(fmt.Errorf("%w %s", ErrNone, strings.TrimSpace(strings.Join(append(names, where), " "))), "wikictl list lists all")
	}
	return chosen, nil
}

// someName refuses a name or glob that matches no tenant.
func someName(f *Farm, pattern string) error {
	all := map[string]bool{}
	for _, t := range f.Tenants {
		if glob(pattern, t.Name) {
			return nil
		}
		all[t.Name] = true
	}
	if hint := Suggest(pattern, maps.Keys(all)); hint != "" {
		return WithHint(Selectf("there is no tenant %q", pattern), hint)
	}
	return WithHint(Selectf("there is no tenant %q", pattern), "wikictl list lists them")
}

func glob(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// matcher decides on one tenant.
type matcher func(*Tenant) bool

// whereFields are the fields of an expression and their values, of which any
// may match.
var whereFields = map[string]func(*Tenant) []string{
	"name":      func(t *Tenant) []string { return []string{t.Name} },
	"class":     func(t *Tenant) []string { return t.Classes },
	"state":     func(t *Tenant) []string { return []string{string(t.State)} },
	"codebase":  func(t *Tenant) []string { return []string{t.Codebase.Name} },
	"server":    func(t *Tenant) []string { return []string{t.Server.Name} },
	"database":  func(t *Tenant) []string { return []string{t.Database} },
	"language":  func(t *Tenant) []string { return []string{t.Language} },
	"host":      func(t *Tenant) []string { return t.Hosts },
	"extension": func(t *Tenant) []string { return t.Extensions },
	"skin":      func(t *Tenant) []string { return t.Skins },
}

// Match reads a --where expression as a question about one tenant.
func Match(where string) (func(*Tenant) bool, error) { return parseWhere(where) }

// parseWhere reads an expression such as
// "class=kernel and not (extension=Echo or name=test-*)". Values are globs;
// != is "none of its values matches".
func parseWhere(where string) (matcher, error) {
	p := whereParser{tokens: whereTokens(where), text: where}
	m, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = p.fail("%q is left over", p.tokens[p.at])
	}
	return m, err
}

func whereTokens(where string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(where))
}

type whereParser struct {
	tokens []string
	at     int
	depth  int
	text   string
}

func (p *whereParser) fail(format string, args ...any) error {
	return Selectf("--where %q: %s", p.text, fmt.Sprintf(format, args...))
}

func (p *whereParser) take(word string) bool {
	if p.at < len(p.tokens) && strings.EqualFold(p.tokens[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *whereParser) or() (matcher, error) {
	return p.joined("or", p.and, func(a, b matcher) matcher { return func(t *Tenant) bool { return a(t) || b(t) } })
}

func (p *whereParser) and() (matcher, error) {
	return p.joined("and", p.not, func(a, b matcher) matcher { return func(t *Tenant) bool { return a(t) && b(t) } })
}

// joined reads parts that a word joins.
func (p *whereParser) joined(word string, part func() (matcher, error), join func(a, b matcher) matcher) (matcher, error) {
	left, err := part()
	for err == nil && p.take(word) {
		var right matcher
		if right, err = part(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *whereParser) not() (matcher, error) {
	if p.depth++; p.depth > maxParentheses {
		return nil, p.fail("nested more than %d deep", maxParentheses)
	}
	defer func() { p.depth-- }()
	if p.take("not") {
		m, err := p.not()
		return func(t *Tenant) bool { return !m(t) }, err
	}
	if p.take("(") {
		m, err := p.or()
		if err == nil && !p.take(")") {
			err = p.fail("a bracket is not closed")
		}
		return m, err
	}
	return p.comparison()
}

func (p *whereParser) comparison() (matcher, error) {
	if p.at == len(p.tokens) {
		return nil, p.fail("something is missing at the end")
	}
	token := p.tokens[p.at]
	p.at++
	field, value, ok := strings.Cut(token, "=")
	field, negated := strings.CutSuffix(field, "!")
	values := whereFields[field]
	if setting, is := strings.CutPrefix(field, "setting."); is {
		values = func(t *Tenant) []string { return settingText(t, setting) }
	}
	switch {
	case !ok || value == "":
		return nil, p.fail("%q is not field=value", token)
	case values == nil:
		return nil, p.fail("%q is not a field; there are %s and setting.NAME", field, strings.Join(slices.Sorted(maps.Keys(whereFields)), ", "))
	case !doublestar.ValidatePattern(value):
		return nil, p.fail("%q is not a valid glob", value)
	}
	return func(t *Tenant) bool {
		found := slices.ContainsFunc(values(t), func(v string) bool { return glob(value, v) })
		return found != negated
	}, nil
}

// settingText is a scalar setting as it would be written.
func settingText(t *Tenant, name string) []string {
	v, ok := t.Settings[name]
	if !ok {
		return nil
	}
	switch v.Data.(type) {
	case *Operation, *Hidden:
		return nil // the result of an operation is unknown before MediaWiki runs, and secrets are not compared
	}
	return []string{fmt.Sprint(v.Data)}
}
