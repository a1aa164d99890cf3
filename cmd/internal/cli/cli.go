// Package cli turns arguments, environment and signals into calls of the packages that do
// the work, and their errors into exit codes. No other package knows the command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/ledger"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// app is the shared state of all commands.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	asker  *ui.Asker
	hook   session.Hook // nil outside of tests

	payload []string // the words after "--", of a command that passes them on
	handsOn bool     // the arguments contain that "--"

	checked   *tenants.Farm  // set by loadToRender
	templates *templates.Set // the set with which checked was checked
	record    *deploy.Record // by which tenants were left out of that check

	*interrupts
}

// Main runs one command and returns its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return MainWith(nil, args, stdin, stdout, stderr)
}

// MainWith is Main with a hook for each named step of a run.
func MainWith(hook session.Hook, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, asker: ui.NewAsker(stdin, stderr), hook: hook}
	ctx, i, release := catch(func(text string) { fmt.Fprintln(stderr, text) })
	defer release()
	a.interrupts = i
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx, args) }() // waited for, unless it hangs
	var err error
	select {
	case err = <-ended:
	case <-i.left:
	}
	switch {
	case ctx.Err() == nil:
	case !i.begun():
		err = errNotBegun
	case !errors.Is(err, errInterrupted):
		err = errors.Join(errInterrupted, err)
	}
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	if !errors.Is(err, errReported) {
		fmt.Fprintln(stderr, describe(err))
	}
	return code
}

// run runs one command; its flags may be anywhere.
func (a *app) run(ctx context.Context, args []string) error {
	program := a.command()
	args, a.payload, a.handsOn = cutPayload(program, args)
	return program.RunContext(ctx, arrange(program, args))
}

// command returns the whole command line.
func (a *app) command() *cli.App {
	return &cli.App{
		Name:                 "wikictl",
		Usage:                "run many MediaWiki wikis from TOML definitions",
		Description:          description(),
		Version:              fullVersion(),
		EnableBashCompletion: true,
		HideHelpCommand:      true,
		Suggest:              true,
		Reader:               a.stdin,
		Writer:               a.stdout,
		ErrWriter:            a.stderr,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         usageError,
		CommandNotFound:      func(c *cli.Context, _ string) { _ = cli.ShowSubcommandHelp(c) }, // --help and a name
		Flags:                []cli.Flag{farmFlag(), formatFlag("text", "json", "sarif", "junit")},
		Action: func(c *cli.Context) error {
			switch c.Args().First() {
			case "":
				return cli.ShowAppHelp(c)
			case "help":
				return a.help(c.Context, c.Args().Tail())
			}
			return noCommand(c)
		},
		BashComplete: a.completeCommands,
		Commands:     a.commands(),
	}
}

func (a *app) commands() []*cli.Command {
	return a.common(slices.Concat(
		group("farm", a.initCommand(), a.demoCommand(), a.listCommand(), a.showCommand(), a.planCommand(), a.createCommand(), a.applyCommand(), a.renderCommand(), a.templatesCommand(), a.deleteCommand(), a.undeleteCommand(), a.purgeCommand()),
		group("code", a.extensionsCommand()),
		group("maintenance", a.runCommand(), a.sqlCommand(), a.jobsCommand()),
		group("backups", a.backupCommand(), a.restoreCommand(), a.cloneCommand(), a.stageCommand()),
		group("upgrades", a.upgradeCommand(), a.rollbackCommand(), a.lossesCommand()),
		group("insight", a.statusCommand(), a.auditCommand(), a.explainCommand(), a.reportCommand(), a.metricsCommand()),
		group("servers", a.serverCommand(), a.doctorCommand()),
		[]*cli.Command{a.completionCommand(), a.manCommand()},
	))
}

// group puts commands under a heading of the help.
func group(heading string, commands ...*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.Category = heading
	}
	return commands
}

// loadFarm finds and reads the farm, and checks that it can be rendered.
func loadFarm(c *cli.Context) (*tenants.Farm, error) {
	f, _, err := checkedFarm(c, func(*tenants.Farm, *templates.Set) templates.SecretsOf { return nil })
	return f, err
}

// keepText is how many bytes of tenants' files are kept in memory after the check, so that a
// command that compares or writes them need not render them again.
const keepText = 200 << 20

// loadToRender is loadFarm for commands that then compare or write the files of tenants: it
// checks these files as rendered with the tenants' secrets, and keeps them for openHost.
func (a *app) loadToRender(c *cli.Context) (f *tenants.Farm, err error) {
	f, a.templates, err = checkedFarm(c, func(f *tenants.Farm, set *templates.Set) templates.SecretsOf {
		set.Keep(keepText)
		a.record = deploy.ReadRecord(f.Layout())
		set.Same = func(t *tenants.Tenant) bool {
			return a.record.Rendered(set, templates.Data{Farm: f, Tenant: t, Codebase: t.Codebase})
		}
		return func(t *tenants.Tenant) (secrets.Secrets, bool) {
			s, err := deploy.ReadSecrets(f.Layout(), t.Name)
			return s, err == nil
		}
	})
	a.checked = f
	return f, err
}

// chosenToRender returns the farm of loadToRender and the tenants that the command line chooses.
func (a *app) chosenToRender(c *cli.Context) (*tenants.Farm, []*tenants.Tenant, error) {
	return chosenOf(c, a.loadToRender)
}

// checkedFarm finds and reads the farm, and checks that it can be rendered with the secrets
// that known returns.
func checkedFarm(c *cli.Context, known func(*tenants.Farm, *templates.Set) templates.SecretsOf) (*tenants.Farm, *templates.Set, error) {
	defer collectRarely()()
	f, err := readFarm(c)
	if err != nil {
		return nil, nil, err
	}
	set, err := templates.Load(f.Templates, f.Files...)
	if err != nil {
		return nil, nil, err
	}
	if err := set.Check(c.Context, f, known(f, set)); err != nil {
		return nil, nil, err
	}
	return f, set, nil
}

// readFarm finds and reads the farm: --farm, or the nearest parent folder with a
// wikictl.toml.
func readFarm(c *cli.Context) (*tenants.Farm, error) {
	if dir := c.String("farm"); dir != "" {
		if path := filepath.Join(dir, tenants.FarmFile); !deploy.Exists(path) {
			return nil, tenants.Problems{{Position: tenants.Position{File: path}, Message: "does not exist", Hint: "name the farm's folder with --farm, or write a new farm with wikictl init"}}
		}
		return definitions.Load(dir)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if deploy.Exists(filepath.Join(at, tenants.FarmFile)) {
			return definitions.Load(at)
		}
		if at == filepath.Dir(at) {
			return nil, tenants.WithHint(usagef("neither %[2]s nor a folder above it has a %[1]s", tenants.FarmFile, dir), "name the farm's folder with --farm, or write a new farm with wikictl init")
		}
	}
}

// collectRarely makes Go collect garbage when memory has grown to three times the size in use
// instead of twice. Most memory that is allocated while definitions are read and checked stays in
// use, and collecting the rest took a quarter of the time. restore sets the earlier value.
func collectRarely() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(200)
	return func() { debug.SetGCPercent(before) }
}

// openHost opens the farm for a run; inspect makes it read-only. A server's password may
// come from the environment, WIKICTL_NAME_PASSWORD.
func (a *app) openHost(f *tenants.Farm, inspect bool) (*session.Host, error) {
	if !inspect {
		usualModes()
	}
	say := func(message string) { fmt.Fprintln(a.stderr, ui.Clean(message)) }
	machine, _ := os.Hostname()
	var set *templates.Set
	var record *deploy.Record
	if f == a.checked {
		set, record = a.templates, a.record
	}
	return session.Open(f, session.Options{Templates: set, Record: record, Holder: holder(), Machine: machine, Inspect: inspect, Hook: a.hook, Drain: a.drained, Begun: func() { a.reach(changing) }, Say: say, Password: environmentPassword})
}

// usualModes sets the umask to 022, so that new files and folders have the modes that the code
// gives them, and only their owner may write. With an administrator's stricter mask the users of
// the web server and of PHP could not enter folders that they need; with a laxer one all users
// could write files.
func usualModes() { syscall.Umask(0o022) }

// environmentPassword returns a server's password from the environment,
// WIKICTL_NAME_PASSWORD, or "".
func environmentPassword(server string) secrets.Secret {
	name := strings.ToUpper(strings.ReplaceAll(server, "-", "_"))
	return secrets.Secret(os.Getenv("WIKICTL_" + name + "_PASSWORD"))
}

// withLedger opens the farm, reads the ledger's tenants and calls do.
func (a *app) withLedger(ctx context.Context, f *tenants.Farm, inspect bool, do func(*session.Host, *ledger.Ledger, map[string]ledger.Tenant) error) error {
	return a.withHost(f, inspect, func(h *session.Host) error {
		l, rows, err := h.ReadLedger(ctx)
		if err != nil {
			return stopped(f, err)
		}
		return do(h, l, rows)
	})
}

// stopped adds a hint to the error of a read-only run if the ledger's managed server does not
// run, because such a run starts no server.
func stopped(f *tenants.Farm, err error) error {
	const hint = "wikictl server start"
	off := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
	if off && f.Ledger.Managed && !strings.Contains(err.Error(), hint) {
		return tenants.WithHint(err, hint+" starts it")
	}
	return err
}

// holder names the user, machine and process of this run. Other runs show it when they find a
// tenant locked.
func holder() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	machine, _ := os.Hostname()
	return fmt.Sprintf("%s@%s pid %d", name, machine, os.Getpid())
}

// coloured reports whether results are printed in colours.
func (a *app) coloured() bool { return ui.IsTerminal(a.stdout) && os.Getenv("NO_COLOR") == "" }

func asJSON(c *cli.Context) bool { return c.String("format") == "json" }
