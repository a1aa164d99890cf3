package tenants

// State is for whom a wiki is there, as its definitions say.
type State string

// The states of a wiki.
const (
	StateOpen    State = "open"    // as its settings say
	StatePrivate State = "private" // visitors without a log-in neither read nor make accounts
	StateClosed  State = "closed"  // read-only for good
)
