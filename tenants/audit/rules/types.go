package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"wikictl/php"
	"wikictl/tenants"
)

// checker compares a value with its declaration.
type checker struct{ r *reporter }

// moreTypes lists types that MediaWiki's code accepts for a setting besides the declared
// one or that of the default, as comments in MainConfigSchema.php or casts to an array
// show.
var moreTypes = map[string]string{
	"wgAllowExternalImagesFrom":  "array",
	"wgSpamRegex":                "string",
	"wgSummarySpamRegex":         "string",
	"wgSkipSkins":                "string",
	"wgForceUIMsgAsContentMsg":   "string",
	"wgNoFollowDomainExceptions": "string",
	"wgReferrerPolicy":           "array",
}

// typeNames has JSON Schema's types in plain words.
var typeNames = map[string]string{
	"string": "a string", "boolean": "true or false", "integer": "an integer", "number": "a number",
	"array": "a list", "object": "a table", "null": "nothing",
}

// check compares a value and everything inside it with the declared types.
func (c checker) check(key string, v tenants.Value, s php.Setting) {
	if len(s.Types) > 0 && !slices.ContainsFunc(s.Types, func(t string) bool { return fits(v, t) }) {
		c.wrong(key, v, s.Types)
		return
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(allowed any) bool { return same(v, allowed) }) {
		words := make([]string, len(s.Enum))
		for i, allowed := range s.Enum {
			words[i] = fmt.Sprintf("%#v", allowed)
		}
		c.r.as("setting-value", v.Position, key, "", "is %s, want %s", kind(v), or(words))
	}
	switch data := v.Data.(type) {
	case *tenants.Operation:
		c.checkOperation(key, data, s)
	case []tenants.Value:
		for i, element := range data {
			if s.Items != nil {
				c.check(fmt.Sprintf("%s[%d]", key, i), element, *s.Items)
			}
		}
	case map[string]tenants.Value:
		c.checkVerb(key, data)
		for name, inner := range data {
			if property, ok := s.Properties[name]; ok {
				c.check(key+"."+name, inner, property)
			} else if s.Members != nil {
				c.check(key+"."+name, inner, *s.Members)
			}
		}
	}
}

// checkOperation compares the values that an operation adds with the declared types.
func (c checker) checkOperation(key string, o *tenants.Operation, s php.Setting) {
	if o.Replace != nil {
		c.check(key, *o.Replace, s)
	}
	for _, element := range slices.Concat(o.Prepend, o.Append) {
		if s.Items != nil {
			c.check(key, element, *s.Items)
		}
	}
	if len(o.Members) > 0 && s.Members != nil {
		for name, inner := range o.Members {
			c.check(key+"."+name, inner, *s.Members)
		}
	}
}

// checkVerb finds a table that is a misspelt operation, such as { apend = ["pdf"] }.
func (c checker) checkVerb(key string, table map[string]tenants.Value) {
	if len(table) > 1 {
		return
	}
	for name, inner := range table {
		if _, isList := inner.Data.([]tenants.Value); !isList {
			continue
		}
		if hint := tenants.Suggest(name, slices.Values([]string{"append", "prepend", "remove"})); hint != "" {
			c.r.as("setting-type", inner.Position, key+"."+name, hint, "is neither an operation on a list nor a member of one")
		}
	}
}

// fits reports whether a value has a JSON Schema type. PHP has one type for lists and
// tables; 0 and 1 are often written for false and true.
func fits(v tenants.Value, kind string) bool {
	switch data := v.Data.(type) {
	case tenants.PHP:
		return true
	case *tenants.Hidden:
		return kind == "string"
	case *tenants.Operation: // its content is checked separately
		return !data.Lists() || kind == "array" || kind == "object"
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case int64:
		return kind == "integer" || kind == "number" || kind == "string" || kind == "boolean" && (data == 0 || data == 1)
	case float64:
		return kind == "number" || kind == "integer" && data == float64(int64(data))
	case []tenants.Value, map[string]tenants.Value:
		return kind == "array" || kind == "object"
	}
	return typeNames[kind] == ""
}

func same(v tenants.Value, allowed any) bool {
	if n, ok := v.Data.(int64); ok {
		return allowed == float64(n) || allowed == n
	}
	return v.Data == allowed
}

func (c checker) wrong(key string, v tenants.Value, types []string) {
	var words []string
	for _, t := range types {
		if word := typeNames[t]; t != "null" {
			words = append(words, word)
		}
	}
	c.r.as("setting-type", v.Position, key, typeHint(v), "is %s, want %s", kind(v), or(words))
}

var (
	wordForBoolean = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|enabled?|disabled?)$`)
	wordForSize    = regexp.MustCompile(`(?i)^[0-9]+ ?[kmg]i?b?$`)
	wordForNumber  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	phpConstant    = regexp.MustCompile(`^[A-Z]+(_[A-Z0-9]+)+$`)
)

// typeHint returns the probably intended type of a string.
func typeHint(v tenants.Value) string {
	text, _ := v.Data.(string)
	switch {
	case phpConstant.MatchString(text):
		return `write the constant's value, or { php = "` + text + `" } where the farm allows it`
	case wordForBoolean.MatchString(text):
		return "write true or false, without quotes; PHP takes every word for true"
	case wordForSize.MatchString(text):
		return "write the number of bytes, without quotes"
	case wordForNumber.MatchString(text):
		return "write it without quotes"
	}
	return ""
}

// checkDefault compares a value with the default of a setting that declares no type.
// MediaWiki's false often means "not set", and a number sometimes a string, so it reports
// only values that can't be intended.
func (c checker) checkDefault(key string, v tenants.Value, s php.Setting) {
	if len(s.Types) > 0 || len(s.Default) == 0 {
		return
	}
	if o, is := v.Data.(*tenants.Operation); is {
		if o.Replace != nil {
			c.checkDefault(key, *o.Replace, s)
			return
		}
		if o.Lists() { // an operation on lists counts as a list
			v.Data = []tenants.Value{}
		}
	}
	text, isText := v.Data.(string)
	_, isList := v.Data.([]tenants.Value)
	_, isTable := v.Data.(map[string]tenants.Value)
	switch first := s.Default[0]; {
	case first == '"' && (isList || isTable):
		c.wrong(key, v, []string{"string"})
	case (first == 't' || first == 'f') && isText && wordForBoolean.MatchString(text), first == 't' && isList:
		c.wrong(key, v, []string{"boolean"})
	case first == '-' || first >= '0' && first <= '9':
		// $wgMaxUploadSize may be a table by the source of the upload.
		if isList || isText && (wordForSize.MatchString(text) || phpConstant.MatchString(text)) {
			c.wrong(key, v, []string{"integer"})
		}
	case first == '[' || first == '{':
		if text != "" || fits(v, "integer") && !fits(v, "array") || v.Data == true {
			c.wrong(key, v, []string{"array", "object"})
		}
	}
}

// known lists the values with which MediaWiki's code compares a setting without a schema.
type known struct {
	values []string // as from scalarText
	keysOf string   // another setting whose keys are accepted, too
	list   bool     // the setting is a list of such values
}

var knownValues = map[string]known{
	"wgArticleCountMethod":            {values: []string{"any", "link"}},
	"wgCookieSameSite":                {values: []string{"", "None", "Lax", "Strict"}},
	"wgCookieSecure":                  {values: []string{"detect", "true", "false", "0", "1"}},
	"wgApiFrameOptions":               {values: []string{"DENY", "SAMEORIGIN", "false"}},
	"wgEditPageFrameOptions":          {values: []string{"DENY", "SAMEORIGIN", "false"}},
	"wgExternalInterwikiFragmentMode": {values: []string{"legacy", "html5"}},
	"wgFragmentMode":                  {values: []string{"legacy", "html5", "html5-legacy"}, list: true},
	"wgShellRestrictionMethod":        {values: []string{"autodetect", "firejail", "false"}},
	"wgPasswordDefault":               {keysOf: "wgPasswordConfig"},
	"wgSVGConverter":                  {values: []string{"false"}, keysOf: "wgSVGConverters"},
	"wgScribuntoDefaultEngine":        {keysOf: "wgScribuntoEngineConf"},
	"wgMainCacheType":                 {values: cacheTypes, keysOf: "wgObjectCaches"},
	"wgMessageCacheType":              {values: cacheTypes, keysOf: "wgObjectCaches"},
	"wgParserCacheType":               {values: cacheTypes, keysOf: "wgObjectCaches"},
	"wgSessionCacheType":              {values: cacheTypes, keysOf: "wgObjectCaches"},
	"wgLanguageConverterCacheType":    {values: cacheTypes, keysOf: "wgObjectCaches"},
}

// cacheTypes are CACHE_ANYTHING to CACHE_ACCEL of includes/Defines.php.
var cacheTypes = []string{"-1", "0", "1", "2", "3"}

// checkKnown compares a value with knownValues.
func (c checker) checkKnown(name string, v tenants.Value, s *subject) bool {
	k, found := knownValues[name]
	if !found {
		return false
	}
	values := []tenants.Value{v}
	if k.list {
		values = elements(v)
	}
	for _, one := range values {
		text, scalar := scalarText(one)
		if !scalar || slices.Contains(k.values, text) {
			continue
		}
		allowed := slices.Clone(k.values)
		if k.keysOf != "" {
			keys := s.keys(k.keysOf)
			if slices.Contains(keys, text) {
				continue
			}
			allowed = append(allowed, keys...)
			slices.Sort(allowed)
		}
		c.r.as("setting-value", one.Position, name, typeHint(one), "is %s, want one of %s", kind(one), strings.Join(slices.Compact(allowed), ", "))
	}
	return true
}

// keys returns the keys of a table in its default and in the tenant's definitions.
func (s *subject) keys(name string) []string {
	own, _ := s.tenant.Settings[name].Data.(map[string]tenants.Value)
	return slices.AppendSeq(slices.Clone(s.code.DefaultKeys(s.tenant, name)), maps.Keys(own))
}
