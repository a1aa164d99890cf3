package cli

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"
)

// notNegative checks that number flags are 0 or more.
func notNegative(c *cli.Context, flags ...string) error { return atLeast(0, c.Int, flags) }

// atLeastOne checks that number flags are 1 or more.
func atLeastOne(c *cli.Context, flags ...string) error { return atLeast(1, c.Int, flags) }

// notNegativeTime checks that duration flags are 0 or more.
func notNegativeTime(c *cli.Context, flags ...string) error { return atLeast(0, c.Duration, flags) }

// atLeast checks that flags are least or more; value returns a flag's value.
func atLeast[N int | time.Duration](least N, value func(flag string) N, flags []string) error {
	return each(flags, func(flag string) error {
		if n := value(flag); n < least {
			return usagef("--%s %v is less than %d", flag, n, least)
		}
		return nil
	})
}

// positiveTime checks that duration flags are more than 0.
func positiveTime(c *cli.Context, flags ...string) error {
	return each(flags, func(flag string) error {
		if d := c.Duration(flag); d <= 0 {
			return usagef("--%s %s is not more than 0", flag, d)
		}
		return nil
	})
}

func each(flags []string, check func(string) error) error {
	var errs []error
	for _, flag := range flags {
		errs = append(errs, check(flag))
	}
	return errors.Join(errs...)
}
