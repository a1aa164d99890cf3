package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func (a *app) jobsUnitCommand() *cli.Command {
	return &cli.Command{
		Name: "unit", Usage: "print a systemd unit that runs the farm's jobs",
		Description: "Write it to /etc/systemd/system/wikictl-jobs.service, then: systemctl enable --now wikictl-jobs. Set\n" +
			"runner = \"service\" in [jobs] of wikictl.toml, so that readers' requests run no jobs.\n\n" + exitHelp + "\n\nExample: wikictl jobs unit",
		Action: func(c *cli.Context) error {
			f, err := loadFarm(c)
			if err != nil {
				return err
			}
			program, err := ownProgram()
			if err != nil {
				return err
			}
			return a.writeUnit(c, "jobs unit", jobsUnit(program, f.Dir, int(f.Jobs.TimeLimit.Seconds())))
		},
	}
}

// jobsUnit is a unit of systemd. What runs when the service is stopped may take as long as
// [jobs] allows a child.
func jobsUnit(program, farm string, seconds int) string {
	return fmt.Sprintf(`[Unit]
Description=MediaWiki jobs of the farm in %[3]s
After=network.target mariadb.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=%[1]s --farm %[2]s jobs run --all --forever
Restart=always
RestartSec=5
TimeoutStopSec=%[4]d
WatchdogSec=300
KillMode=mixed
OOMPolicy=continue

[Install]
WantedBy=multi-user.target
`, unitWord(program), unitWord(farm), unitText(farm), seconds+30)
}

// unitWord quotes a word of a command line in a unit (systemd.service(5), systemd.unit(5)).
func unitWord(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(word) + `"`
}

// unitText escapes a text in a unit, such as a description, of which a line is one.
func unitText(text string) string {
	return strings.NewReplacer("%", "%%", "\n", " ").Replace(text)
}
