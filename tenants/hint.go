package tenants

import (
	"errors"
	"strings"
)

// Hint is an error with a next step for the user. It prints like a Problem: the error,
// then the step in brackets.
type Hint struct {
	Err  error
	Next string // a flag, a file or a command
}

// WithHint returns err with a hint, or err itself if it is nil or the hint is empty.
func WithHint(err error, next string) error {
	if err == nil || next == "" {
		return err
	}
	return &Hint{Err: err, Next: next}
}

// Error returns the error with its hint.
func (h *Hint) Error() string { return h.Err.Error() + " (" + h.Next + ")" }

// Unwrap returns the error without its hint.
func (h *Hint) Unwrap() error { return h.Err }

// SplitHint returns an error's text without its hint, and the hint; "" if it has none.
func SplitHint(err error) (text, next string) {
	if h := new(Hint); errors.As(err, &h) {
		next = h.Next
	}
	return strings.TrimSuffix(err.Error(), " ("+next+")"), next
}
