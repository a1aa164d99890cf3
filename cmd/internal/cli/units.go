package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
)

// unitFlag has a command print systemd's units that run it by a timer.
func unitFlag() cli.Flag {
	return &cli.StringFlag{Name: "unit", Usage: "only print a systemd unit for this command: service (which runs it) or timer (which says when)"}
}

// unit writes units of systemd that run this program for a farm.
type unit struct{ program, farm string }

// printUnitOf prints what text returns for the farm, as text or as JSON.
func (a *app) printUnitOf(c *cli.Context, command string, text func(u unit, f *tenants.Farm) string) error {
	f, u, err := unitOf(c)
	if err != nil {
		return err
	}
	return a.writeUnit(c, command, text(u, f))
}

// unitOf returns the farm of a command, and the units of this program for it.
func unitOf(c *cli.Context) (f *tenants.Farm, u unit, err error) {
	if f, err = loadFarm(c); err != nil {
		return nil, u, err
	}
	program, err := ownProgram()
	return f, unit{program, f.Dir}, err
}

// timed is a command that a timer runs.
type timed struct {
	what string   // description for people
	when string   // in the form of systemd.time(7)
	call []string // the command and its flags
}

// printUnit prints a unit that runs a command with the names and --where of this call; without
// them, with the flags whole, such as --all.
func (a *app) printUnit(c *cli.Context, t timed, whole ...string) error {
	f, u, err := unitOf(c)
	if err != nil {
		return err
	}
	selection := whole
	if selects(c) {
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
		text = u.service(t)
	case "timer":
		text = u.timer(t)
	default:
		return usagef("--unit %q is neither service nor timer", kind)
	}
	return a.writeUnit(c, c.Command.Name, text)
}

// writeUnit writes a unit of systemd as text or as JSON.
func (a *app) writeUnit(c *cli.Context, command, text string) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, map[string]any{"command": command, "unit": text})
	}
	return a.printText(text)
}

// service returns the unit that runs a command once.
func (u unit) service(t timed) string {
	return u.header(t.what, "After=network.target mariadb.service\n") + `
[Service]
Type=oneshot
` + u.execStart(t.call...) + `Nice=10
KillMode=mixed
TimeoutStopSec=600
`
}

// timer returns the unit that starts the service. A start that was missed while the machine was
// off happens at the next boot.
func (u unit) timer(t timed) string {
	return u.header(t.what, "") + `
[Timer]
OnCalendar=` + t.when + `
RandomizedDelaySec=600
Persistent=true

[Install]
WantedBy=timers.target
`
}

// lasting returns the unit of a command that runs for ever. The command tells systemd when it is
// ready, and is restarted whenever it ends.
func (u unit) lasting(what, options string, call ...string) string {
	return u.header(what, "After=network.target mariadb.service\nStartLimitIntervalSec=0\n") + `
[Service]
Type=notify
NotifyAccess=main
` + u.execStart(call...) + `Restart=always
RestartSec=5
` + options + `
[Install]
WantedBy=multi-user.target
`
}

func (u unit) header(what, options string) string {
	return "[Unit]\nDescription=" + what + " of the farm in " + unitText(u.farm) + "\n" + options
}

func (u unit) execStart(call ...string) string {
	line := "ExecStart=" + unitWord(u.program) + " --farm " + unitWord(u.farm)
	for _, word := range call {
		line += " " + unitWord(word)
	}
	return line + "\n"
}

// unitWord quotes a word of a command line in a unit (systemd.service(5), systemd.unit(5)),
// if it needs that.
func unitWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(word) + `"`
}

// plainWord is a word that systemd takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@+-]+$`)

// unitText escapes a text in a unit, such as a description, as a single line.
func unitText(text string) string {
	return strings.NewReplacer("%", "%%", "\n", " ").Replace(text)
}

// ownProgram returns the file of this program.
func ownProgram() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(program)
}
