package tenants

// Namespace is a namespace that a tenant's definitions add, with its talk pages.
type Namespace struct {
	Key                  string // of the definitions, such as "portal"
	Constant             string // "NS_PORTAL"; that of the talk pages ends in _TALK
	Number               int64  // even; that of the talk pages is one more
	Name, Talk           string // as titles begin
	Aliases, TalkAliases []string
	Content, Subpages    bool
	Search               bool // searched by default
	Position             Position
}
