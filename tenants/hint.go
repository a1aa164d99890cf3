package tenants

// Hint is an error with what the user can do about it. It prints as a Problem does: the
// error, and the hint in brackets.
type Hint struct {
	Err  error
	Next string // names a flag, a file or a command
}

// WithHint returns err with a hint; nil when err is nil.
func WithHint(err error, next string) error {
	if err == nil {
		return nil
	}
	return &Hint{Err: err, Next: next}
}

// Error is the error with its hint.
func (h *Hint) Error() string { return h.Err.Error() + " (" + h.Next + ")" }

// Unwrap is the error without its hint.
func (h *Hint) Unwrap() error { return h.Err }
