package tenants

import (
	"encoding/json"
)

// Requirements is the "requires" of an extension.json, as the MediaWiki page
// Manual:Extension registration describes it. Versions are Composer constraints.
type Requirements struct {
	MediaWiki  string            `json:"MediaWiki"`
	Platform   map[string]any    `json:"platform"`
	Extensions map[string]string `json:"extensions"`
	Skins      map[string]string `json:"skins"`
}

// UnmarshalJSON takes anything that is not an object for no requirement, as
// PHP's empty array is.
func (r *Requirements) UnmarshalJSON(data []byte) error {
	type plain Requirements
	if len(data) > 0 && data[0] != '{' {
		return nil
	}
	return json.Unmarshal(data, (*plain)(r))
}

// Codebase is one MediaWiki tree. wikictl never writes into it.
type Codebase struct {
	Name       string
	Path       string                // absolute
	PHP        string                // the php command line program, absolute
	Version    string                // MW_VERSION of includes/Defines.php, such as "1.43.9"
	Extensions map[string]*Component // by name
	Skins      map[string]*Component // by name
	Faults     Problems              // why no wiki can run on it; the fields above are then as far as they are known
	Position   Position

	Requires map[string]any // "require" of composer.json: what it needs of PHP and libraries
	// Fingerprint is 16 hexadecimal digits that change with the core code that decides a
	// database's schema. It reads some hundred files the first time.
	Fingerprint func() string
}

// Component is one extension or skin that a codebase has.
type Component struct {
	Name   string // the folder's; "ConfirmEdit/QuestyCaptcha" of a part, "Wikibase:repo" of a further manifest
	Skin   bool
	Path   string // absolute folder
	Parent string // of a part: the component whose folder holds it
	// Manifest is the file below the folder of extensions or skins that it is loaded by,
	// or an absolute path; empty: the usual one of its folder.
	Manifest string
	Version  string // as extension.json or skin.json states it; may be empty

	Namespaces []ExtensionNamespace // that it has, of its manifest

	Fault       string // why it can't be used: its manifest can't be read; empty: it can
	Requires    Requirements
	Fingerprint func() string // as a Codebase's, of the code that decides the component's tables
}

// ExtensionNamespace is a namespace that an extension has.
type ExtensionNamespace struct {
	Number         int64  `json:"id"`
	Constant, Name string // such as "NS_MODULE" and "Module"
}

// Fault adds a reason why no wiki can run on the codebase.
func (c *Codebase) Fault(p Problem) { c.Faults = append(c.Faults, p) }
