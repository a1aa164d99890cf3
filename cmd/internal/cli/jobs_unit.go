package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/tenants"
)

func (a *app) jobsUnitCommand() *cli.Command {
	return &cli.Command{
		Name: "unit", Usage: "print a systemd unit that runs the farm's jobs",
		Description: about(`
			Write it to /etc/systemd/system/wikictl-jobs.service, then: systemctl enable --now wikictl-jobs. Set
			runner = "service" in [jobs] of wikictl.toml, so that readers' requests run no jobs.
		`, "wikictl jobs unit"),
		Action: func(c *cli.Context) error {
			return a.printUnitOf(c, "jobs unit", func(u unit, f *tenants.Farm) string { return u.jobs(int(f.Jobs.TimeLimit.Seconds())) })
		},
	}
}

// jobs returns the unit that runs jobs. When the service is stopped, running jobs get the time
// that [jobs] allows a child, in seconds.
func (u unit) jobs(seconds int) string {
	options := fmt.Sprintf("TimeoutStopSec=%d\nWatchdogSec=300\nKillMode=mixed\nOOMPolicy=continue\n", seconds+30)
	return u.lasting("MediaWiki jobs", options, "jobs", "run", "--all", "--forever")
}
