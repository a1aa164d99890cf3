package cli

import (
	"errors"
	"fmt"
	"testing"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

func TestExitCode(t *testing.T) {
	cases := []struct {
		name string
		err  error
		want int
	}{
		{"definitions", fmt.Errorf("x: %w", tenants.Problems{{Message: "m"}}), 78},
		{"usage", usagef("x"), 64},
		{"selection", fmt.Errorf("%w: x", tenants.ErrSelect), 64},
		{"locked tenant", fmt.Errorf("%w: %w", errPart, &mariadb.LockedError{Name: "a"}), 75},
		{"locked disk", &deploy.BusyError{}, 75},
		{"found", errFound, 1},
		{"a tenant failed", fmt.Errorf("%w: %w", errPart, errors.New("x")), 2},
		{"interrupted", errors.Join(errInterrupted, errors.New("x")), 130},
		{"anything else", errors.New("x"), 2},
	}
	for _, tc := range cases {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}
