package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
)

// unitFlag has a command print systemd's units that run it by a timer.
func unitFlag() cli.Flag {
	return &cli.StringFlag{Name: "unit", Usage: "print systemd's unit that runs this command, service, or the one that says when, timer, and do nothing else"}
}

// timed is a command that a timer runs.
type timed struct {
	what string   // that it does, for people
	when string   // as systemd.time(7) has it
	call []string // the command and its flags
}

// printUnit prints a unit of a command. Names and --where are those that it is run for; without any
// it is run for whole, such as --all.
func (a *app) printUnit(c *cli.Context, t timed, whole ...string) error {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	program, err := ownProgram()
	if err != nil {
		return err
	}
	selection := whole
	if c.Args().Present() || c.String("where") != "" {
		if _, err := tenants.Select(f, c.Args().Slice(), c.String("where")); err != nil {
			return err
		}
		selection = c.Args().Slice()
		if where := c.String("where"); where != "" {
			selection = append(selection, "--where", where)
		}
	}
	t.call = append(t.call, selection...)
	text := ""
	switch kind := c.String("unit"); kind {
	case "service":
		text = t.service(program, f.Dir)
	case "timer":
		text = t.timer(f.Dir)
	default:
		return usagef("--unit %q is neither service nor timer", kind)
	}
	return a.writeUnit(c, c.Command.Name, text)
}

// writeUnit writes a unit of systemd as text or as JSON.
func (a *app) writeUnit(c *cli.Context, command, unit string) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": command, "unit": unit})
	}
	return a.printText(unit)
}

// service is the unit that runs the command once.
func (t timed) service(program, farm string) string {
	words := make([]string, len(t.call))
	for i, word := range t.call {
		words[i] = unitWord(word)
	}
	return fmt.Sprintf(`[Unit]
Description=%s of the farm in %s
After=network.target mariadb.service

[Service]
Type=oneshot
ExecStart=%s --farm %s %s
Nice=10
KillMode=mixed
TimeoutStopSec=600
`, t.what, unitText(farm), unitWord(program), unitWord(farm), strings.Join(words, " "))
}

// timer is the unit that says when. What was missed while the machine was off is made up for.
func (t timed) timer(farm string) string {
	return fmt.Sprintf(`[Unit]
Description=%s of the farm in %s

[Timer]
OnCalendar=%s
RandomizedDelaySec=600
Persistent=true

[Install]
WantedBy=timers.target
`, t.what, unitText(farm), t.when)
}
