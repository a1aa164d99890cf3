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

// UnmarshalJSON treats anything but an object as no requirement, such as PHP's empty
// array.
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
	Faults     Problems              // why no wiki can run on it; the other fields are then incomplete
	Position   Position

	// Wrapped means that its entry points read no MW_CONFIG_FILE from the environment, as
	// before MediaWiki 1.38: the web server is given others, which define it (Layout.Core).
	Wrapped bool

	Requires map[string]any // "require" of composer.json: the required PHP and libraries
	// Fingerprint returns 16 hexadecimal digits that change with the core code that
	// determines a database's schema. Its first call reads some hundred files.
	Fingerprint func() string
}

// Component is one extension or skin of a codebase.
type Component struct {
	Name   string // the folder's; "ConfirmEdit/QuestyCaptcha" for a part, "Wikibase:repo" for a further manifest
	Skin   bool
	Path   string // absolute folder
	Parent string // for a part: the component whose folder contains it
	// Manifest is the file that loads it, below the folder of extensions or skins, or an
	// absolute path; empty: the usual file in its folder.
	Manifest string

	Declares    func() Declared // reads the manifest when it is first called; nil: nothing
	Fingerprint func() string   // like a Codebase's, of the code that determines the component's tables
}

// Declared is the content of a component's manifest, extension.json or skin.json.
type Declared struct {
	Version    string               // may be empty
	Namespaces []ExtensionNamespace // declared in its manifest
	Models     []string             // content models of pages that its manifest declares, sorted
	Requires   Requirements

	Fault string // why the manifest can't be used; empty: no fault
	Hint  string // what to do about the fault; may be empty
}

// Declared returns the content of the manifest.
func (c *Component) Declared() Declared {
	if c.Declares == nil {
		return Declared{}
	}
	return c.Declares()
}

// ExtensionNamespace is a namespace that an extension declares.
type ExtensionNamespace struct {
	Number         int64  `json:"id"`
	Constant, Name string // such as "NS_MODULE" and "Module"
}

// Fault adds a reason why no wiki can run on the codebase.
func (c *Codebase) Fault(p Problem) { c.Faults = append(c.Faults, p) }
