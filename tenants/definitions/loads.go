package definitions

import (
	"strconv"

	"github.com/pelletier/go-toml/v2"
)

// Loads lists the extensions, skins and namespaces of a definition that Show wrote.
type Loads struct {
	Codebase   string
	Extensions []string
	Namespaces map[int64]string // from wgExtraNamespaces, by number
}

// DefinedLoads returns the Loads of a definition that Show wrote; empty for any other
// text.
func DefinedLoads(definition []byte) Loads {
	var d struct {
		Codebase   string
		Extensions []string
		Settings   map[string]any
	}
	if toml.Unmarshal(definition, &d) != nil {
		return Loads{}
	}
	l := Loads{Codebase: d.Codebase, Extensions: d.Extensions, Namespaces: map[int64]string{}}
	table, _ := d.Settings["wgExtraNamespaces"].(map[string]any)
	for key, value := range table {
		number, err := strconv.ParseInt(key, 10, 64)
		if name, isText := value.(string); err == nil && isText {
			l.Namespaces[number] = name
		}
	}
	return l
}
