package cli

import (
	"errors"
	"fmt"
	"testing"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// A failure is never hidden by one of a milder kind.
func TestExitCode(t *testing.T) {
	locked, broken, mistake := &mariadb.LockedError{Name: "a"}, errors.New("x"), tenants.Problems{{Message: "m"}}
	part := func(errs ...error) error { return fmt.Errorf("%w: %w", errPart, errors.Join(errs...)) }
	named := func(err error) error { return fmt.Errorf("a: %w", err) }
	cases := []struct {
		name string
		err  error
		want int
	}{
		{"definitions", fmt.Errorf("x: %w", tenants.Problems{{Message: "m"}}), 78},
		{"usage", usagef("x"), 64},
		{"selection", fmt.Errorf("%w: x", tenants.ErrSelect), 64},
		{"usage with a hint", tenants.WithHint(usagef("x"), "y"), 64},
		{"no such tenant, with a hint", tenants.WithHint(tenants.Selectf("x"), "y"), 64},
		{"locked tenant", fmt.Errorf("%w: %w", errPart, &mariadb.LockedError{Name: "a"}), 75},
		{"locked disk", &deploy.BusyError{}, 75},
		{"found", errFound, 1},
		{"a tenant failed", fmt.Errorf("%w: %w", errPart, errors.New("x")), 2},
		{"interrupted", errors.Join(errInterrupted, errors.New("x")), 130},
		{"anything else", errors.New("x"), 2},
		{"locked and failed", part(named(locked), named(broken)), 2},
		{"failed and locked", part(named(broken), named(locked)), 2},
		{"all are locked", part(named(locked), named(&deploy.BusyError{})), 75},
		{"locked, and something found", errors.Join(errFound, locked), 75},
		{"something found, and failed", errors.Join(errFound, broken), 2},
		{"failed, and something found", errors.Join(named(broken), errFound), 2},
		{"locked, and definitions", errors.Join(locked, mistake), 2},
		{"definitions, and failed deep inside", errors.Join(named(mistake), named(errors.Join(locked, broken))), 2},
		{"all are definitions", errors.Join(named(mistake), mistake), 78},
		{"one tenant's definitions in a run", part(named(mistake)), 2},
		{"locked, and its way back failed", part(fmt.Errorf("%w; and it could not be put back: %w", locked, broken)), 2},
		{"put back as another run held the lock", part(named(fmt.Errorf("put back: %w", &deploy.BusyError{}))), 75},
		{"usage among failures", errors.Join(usagef("x"), broken), 2},
		{"a run's end fails after its tenants were told", errors.Join(broken, part(named(locked))), 2},
		{"a list of locked tenants and nothing else", &deploy.PartialError{Failed: []deploy.Outcome{{Err: locked}, {Err: locked}}}, 75},
		{"a list of tenants, one of which is locked", &deploy.PartialError{Failed: []deploy.Outcome{{Err: locked}, {Err: broken}}}, 2},
		{"interrupted after a failure", errors.Join(errInterrupted, part(named(broken))), 130},
		{"dry run: in the way", dryRunError(true, true), 2},
		{"dry run: in the way only", dryRunError(false, true), 2},
		{"dry run: differs", dryRunError(true, false), 1},
	}
	for _, tc := range cases {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}
