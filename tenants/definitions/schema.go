package definitions

import "encoding/json"

// Schema returns a JSON Schema (draft 7) for a kind of definition file, for editors that
// read TOML's #:schema comment. It covers names and types of keys, and no relations
// between files.
func Schema(title string, keys []Key) ([]byte, error) {
	s := object(keys)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = title
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// object returns the schema of a table with those keys and no others.
func object(keys []Key) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, k := range keys {
		properties[k.Name] = k.schema()
		if k.Required {
			required = append(required, k.Name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// schema returns the schema of the key's value.
func (k Key) schema() map[string]any {
	text := map[string]any{"type": "string", "minLength": 1}
	var s map[string]any
	switch k.Type {
	case Text:
		s = text
	case Blank:
		s = map[string]any{"type": "string"}
	case Bool:
		s = map[string]any{"type": "boolean"}
	case Texts:
		s = map[string]any{"type": "array", "items": text}
	case Folders:
		s = map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text}}}
	case Map:
		s = map[string]any{"type": "object", "additionalProperties": text}
	case Number:
		s = map[string]any{"type": "integer", "minimum": 0}
	case Size:
		s = map[string]any{"anyOf": []any{map[string]any{"type": "integer", "minimum": 1}, map[string]any{"type": "string", "pattern": "^[0-9]+[KMGT]?$"}}}
	case Days:
		s = map[string]any{"anyOf": []any{map[string]any{"type": "integer", "minimum": 0}, map[string]any{"type": "string", "pattern": "^[0-9]+d$"}}}
	case Table:
		s = object(k.Keys)
	case Tables:
		s = map[string]any{"type": "object", "additionalProperties": object(k.Keys)}
	case List:
		s = map[string]any{"type": "array", "items": object(k.Keys)}
	case Settings:
		s = map[string]any{"type": "object", "patternProperties": map[string]any{variable.String(): map[string]any{}}, "additionalProperties": false}
	default:
		s = map[string]any{}
	}
	if len(k.Choices) > 0 {
		s["enum"] = k.Choices
	}
	s["description"] = k.Doc
	return s
}
