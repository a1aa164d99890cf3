package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// ownRules cover the farm's own policies and its ignores.
var ownRules = []rule{
	{Rule: audit.Rule{
		ID: "policy", Severity: audit.Warning,
		What:      "A value breaks a [[policy]] of wikictl.toml; each policy is a rule policy/NAME.",
		Why:       "See the policy's reason.",
		Repair:    "Change the value, or the policy's where.",
		Reference: "wikictl help auditing",
	}, tenant: policies},
	{Rule: audit.Rule{
		ID: "ignore-expired", Severity: audit.Warning,
		What:      "An [[ignore]] has expired.",
		Why:       "Its findings are reported again, as its reason no longer holds.",
		Repair:    "Repair the findings, or give it a new date.",
		Reference: "wikictl help auditing",
	}},
	{Rule: audit.Rule{
		ID: "ignore-unused", Severity: audit.Note,
		What:      "An [[ignore]] suppresses nothing.",
		Why:       "It would hide the same mistake if it were made again.",
		Repair:    "Remove it.",
		Reference: "wikictl help auditing",
	}},
}

// policy is a parsed [[policy]].
type policy struct {
	tenants.Policy
	severity audit.Severity
	applies  map[string]bool // nil: all tenants
	tests    []test
}

// test is one condition; broken describes why a value breaks it, or returns "".
type test struct {
	name   string
	broken func(v tenants.Value) string
}

// readPolicies parses the farm's policies.
func readPolicies(f *tenants.Farm, problems *tenants.Problems) []policy {
	list := make([]policy, 0, len(f.Policies))
	for _, p := range f.Policies {
		report := func(at tenants.Position, key, message string) {
			*problems = append(*problems, tenants.Problem{Position: at, Key: "policy." + key, Message: message})
		}
		made := policy{Policy: p}
		made.severity, _ = audit.ParseSeverity(p.Severity)
		if p.Where != "" {
			made.applies = map[string]bool{}
			chosen, err := tenants.Select(f, nil, p.Where)
			if err != nil && !errors.Is(err, tenants.ErrNone) {
				report(p.Position, "where", err.Error())
			}
			for _, t := range chosen {
				made.applies[t.Name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Test)) {
			broken, err := newTest(name, p.Test[name])
			if err != nil {
				report(p.Test[name].Position, name, err.Error())
				continue
			}
			made.tests = append(made.tests, test{name, broken})
		}
		list = append(list, made)
	}
	return list
}

// newTest returns the test of one condition.
func newTest(name string, want tenants.Value) (func(tenants.Value) string, error) {
	switch name {
	case "must":
		return func(v tenants.Value) string {
			return unless(v.Equal(want), "is %s, must be %s", kind(v), kind(want))
		}, nil
	case "must_not":
		return func(v tenants.Value) string { return unless(!v.Equal(want), "must not be %s", kind(v)) }, nil
	case "one_of":
		list, ok := want.Data.([]tenants.Value)
		if !ok || len(list) == 0 {
			return nil, fmt.Errorf("is %s, want a list of values", kind(want))
		}
		return func(v tenants.Value) string {
			return unless(slices.ContainsFunc(list, v.Equal), "is %s, which is none of those allowed", kind(v))
		}, nil
	case "matches":
		return matching(want)
	}
	return within(want)
}

func unless(fine bool, format string, args ...any) string {
	if fine {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func matching(want tenants.Value) (func(tenants.Value) string, error) {
	text, ok := want.Data.(string)
	if !ok {
		return nil, fmt.Errorf("is %s, want a regular expression", kind(want))
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return func(v tenants.Value) string {
		text, scalar := scalarText(v)
		return unless(scalar && pattern.MatchString(text), "is %s, which does not match %s", kind(v), pattern)
	}, nil
}

// within returns the test of range = [least, most].
func within(want tenants.Value) (func(tenants.Value) string, error) {
	list, _ := want.Data.([]tenants.Value)
	if len(list) != 2 {
		return nil, fmt.Errorf("is %s, want [least, most]", kind(want))
	}
	least, ok1 := number(list[0])
	most, ok2 := number(list[1])
	if !ok1 || !ok2 || least > most {
		return nil, fmt.Errorf("want two numbers, the lesser first")
	}
	return func(v tenants.Value) string {
		n, ok := number(v)
		return unless(ok && n >= least && n <= most, "is %s, which is not from %v to %v", kind(v), least, most)
	}, nil
}

func number(v tenants.Value) (float64, bool) {
	switch data := v.Data.(type) {
	case int64:
		return float64(data), true
	case float64:
		return data, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(data).Float64()
		return f, true
	}
	return 0, false
}

// policies applies the farm's policies to a tenant. A setting that the tenant does not
// set counts with MediaWiki's default.
func policies(s *subject, r *reporter) {
	for _, p := range s.policies {
		if p.applies != nil && !p.applies[s.tenant.Name] {
			continue
		}
		v, found := at(s.tenant.Settings, p.Setting)
		if !found {
			v = s.defaultOf(p.Setting)
			v.Position = s.tenant.Position
		}
		if _, expression := v.Data.(tenants.PHP); expression {
			continue
		}
		for _, t := range p.tests {
			if broken := t.broken(v); broken != "" {
				id := "policy"
				if p.Name != "" {
					id += "/" + p.Name
				}
				r.add(audit.Finding{
					Rule: id, Severity: p.severity, Tenants: []string{s.tenant.Name},
					Position: v.Position, Key: p.Setting, Message: broken, Hint: p.Reason,
				})
			}
		}
	}
}

// defaultOf returns the code's default of a setting.
func (s *subject) defaultOf(path string) tenants.Value {
	name, _, _ := strings.Cut(path, ".")
	declared, _, _ := s.code.Find(s.tenant, name)
	whole, known := s.defaults[string(declared.Default)]
	if !known {
		text := string(declared.Default)
		whole = decodeDefault(text)
		if s.defaults == nil {
			s.defaults = map[string]tenants.Value{}
		}
		s.defaults[text] = whole // most tenants ask for the same
	}
	v, _ := at(map[string]tenants.Value{name: whole}, path)
	return v
}

// decodeDefault returns the zero Value for text that is not JSON.
func decodeDefault(text string) tenants.Value {
	var data any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&data) != nil {
		return tenants.Value{}
	}
	return fromJSON(data)
}

func fromJSON(data any) tenants.Value {
	switch d := data.(type) {
	case json.Number:
		if n, err := d.Int64(); err == nil {
			return tenants.Value{Data: n}
		}
		f, _ := d.Float64()
		return tenants.Value{Data: f}
	case []any:
		list := make([]tenants.Value, len(d))
		for i := range d {
			list[i] = fromJSON(d[i])
		}
		return tenants.Value{Data: list}
	case map[string]any:
		table := make(map[string]tenants.Value, len(d))
		for key := range d {
			table[key] = fromJSON(d[key])
		}
		return tenants.Value{Data: table}
	}
	return tenants.Value{Data: data}
}
