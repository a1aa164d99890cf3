package cli

import (
	"errors"

	"github.com/urfave/cli/v2"
)

// notNegative checks that number flags are 0 or more.
func notNegative(c *cli.Context, flags ...string) error {
	return each(flags, func(flag string) error {
		if n := c.Int(flag); n < 0 {
			return usagef("--%s %d is less than 0", flag, n)
		}
		return nil
	})
}

// atLeastOne checks that number flags are 1 or more.
func atLeastOne(c *cli.Context, flags ...string) error {
	return each(flags, func(flag string) error {
		if n := c.Int(flag); n < 1 {
			return usagef("--%s %d is less than 1", flag, n)
		}
		return nil
	})
}

// notNegativeTime checks that duration flags are 0 or more.
func notNegativeTime(c *cli.Context, flags ...string) error {
	return each(flags, func(flag string) error {
		if d := c.Duration(flag); d < 0 {
			return usagef("--%s %s is less than 0", flag, d)
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
