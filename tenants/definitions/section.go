package definitions

import (
	"fmt"
	"slices"

	"wikictl/tenants"
)

// section reads one table of a definition by name and type; end reports keys that are not
// in the table of keys.
type section struct {
	path     string // dotted, with a trailing dot unless empty
	table    map[string]tenants.Value
	keys     []Key // allowed; nil: any
	problems *tenants.Problems
}

func newSection(keys []Key, path string, table map[string]tenants.Value, problems *tenants.Problems) *section {
	return &section{path: path, table: table, keys: keys, problems: problems}
}

// text is a string with the place that set it; the zero place means not set.
type text struct {
	value string
	at    tenants.Position
	wrong bool // it exists, and a problem was reported
}

func (t text) set() bool { return t.at.File != "" }

func (s *section) report(at tenants.Position, key, hint, format string, args ...any) {
	*s.problems = append(*s.problems, tenants.Problem{
		Position: at, Key: s.path + key, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// get returns the value of key if it exists and has type T.
func get[T any](s *section, key, want string) (v T, at tenants.Position, ok bool) {
	value, found := s.table[key]
	if !found {
		return v, at, false
	}
	v, ok = value.Data.(T)
	if !ok {
		s.report(value.Position, key, "", "is %s, want %s", kind(value.Data), want)
	}
	return v, value.Position, ok
}

// text reads a string that must not be blank. It marks a reported value as wrong, so that
// it is not also reported as missing.
func (s *section) text(key string) text {
	v, at, ok := get[string](s, key, "a string")
	if ok {
		if t := s.checked(key, v, at); t.set() {
			return t
		}
	}
	_, found := s.table[key]
	return text{wrong: found}
}

// checked refuses characters that no name, path or address can contain.
func (s *section) checked(key, v string, at tenants.Position) text {
	if v == "" {
		s.report(at, key, "give a value or remove the line", "is blank")
		return text{}
	}
	for _, r := range v {
		if r < ' ' || r == 0x7f {
			s.report(at, key, "", "holds the control character %U", r)
			return text{}
		}
		// MediaWiki replaces some of these by U+FFFD, which would make two names equal.
		if r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef {
			s.report(at, key, "", "holds %U, which is not a character", r)
			return text{}
		}
	}
	return text{value: v, at: at}
}

func (s *section) bool(key string) (v bool, at tenants.Position) {
	v, at, _ = get[bool](s, key, "true or false")
	return v, at
}

// texts reads a list of strings that must not be blank.
func (s *section) texts(key string) []text {
	list, _, ok := get[[]tenants.Value](s, key, "a list of strings")
	if !ok {
		return nil
	}
	out := make([]text, 0, len(list))
	for _, item := range list {
		v, ok := item.Data.(string)
		if !ok {
			s.report(item.Position, key, "", "holds %s, want strings only", kind(item.Data))
			continue
		}
		if t := s.checked(key, v, item.Position); t.set() {
			out = append(out, t)
		}
	}
	return out
}

// oneOrTexts reads a list of strings, which may be written as one string; example is one.
func (s *section) oneOrTexts(key, example string) []text {
	v, found := s.table[key]
	if one, is := v.Data.(string); is {
		return []text{s.checked(key, one, v.Position)}
	}
	if _, is := v.Data.([]tenants.Value); is {
		return s.texts(key)
	}
	if found {
		s.report(v.Position, key, fmt.Sprintf("such as %q", example), "is %s, want a string or a list of strings", kind(v.Data))
	}
	return nil
}

// sorted returns the keys of a table in their order.
func sorted(table map[string]tenants.Value) []string {
	keys := make([]string, 0, len(table))
	for key := range table {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sub reads the table below key; it is empty if the key is missing.
func (s *section) sub(key string) *section {
	table, _, _ := get[map[string]tenants.Value](s, key, "a table")
	return newSection(s.below(key), s.path+key+".", table, s.problems)
}

// each calls do for every table below key, by name.
func (s *section) each(key string, do func(name string, at tenants.Position, sub *section)) {
	group := s.sub(key)
	for _, name := range sorted(group.table) {
		sub := group.sub(name)
		sub.keys = group.keys
		if sub.table != nil {
			do(name, group.table[name].Position, sub)
		}
	}
}

// list calls do for every table of the array of tables below key.
func (s *section) list(key string, do func(at tenants.Position, sub *section)) {
	items, _, _ := get[[]tenants.Value](s, key, "an array of tables, [["+s.path+key+"]]")
	for _, item := range items {
		table, ok := item.Data.(map[string]tenants.Value)
		if !ok {
			s.report(item.Position, key, "", "holds %s, want tables", kind(item.Data))
			continue
		}
		do(item.Position, newSection(s.below(key), s.path+key+".", table, s.problems))
	}
}

// below lists the keys of the table of a key.
func (s *section) below(key string) []Key {
	if k := find(s.keys, key); k != nil {
		return k.Keys
	}
	return nil
}

// end reports every key that is not in the table of keys. The schemas for editors and the
// manual use the same table: a key that it lacks is refused in every file.
func (s *section) end() {
	for _, key := range sorted(s.table) {
		if find(s.keys, key) == nil {
			names := func(yield func(string) bool) {
				for _, k := range s.keys {
					if !yield(k.Name) {
						return
					}
				}
			}
			s.report(s.table[key].Position, key, tenants.Suggest(key, names), "is not a key that wikictl knows here")
		}
	}
}

// kind names the type of a value for a user.
func kind(data any) string {
	switch data.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case []tenants.Value:
		return "a list"
	case map[string]tenants.Value:
		return "a table"
	}
	return "something else"
}
