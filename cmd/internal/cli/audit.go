package cli

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/session"
)

func (a *app) auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "check definitions, servers and files for problems", ArgsUsage: "[NAME…]",
		Description: about(`
			Checks the definitions against the MediaWiki code that will read them, against rules of security and the farm's
			own policies, and against servers, ledger, disk and the answers of the wikis. Without names and --where it takes
			the whole farm. It writes nothing and takes no lock. With --fix it lists the repairs that are safe (modes, owners,
			links, grants, releases that nothing needs), asks, repairs, and audits again. Findings as severe as --fail-on, or
			more, make the exit code 1.
		`, "wikictl audit --static --by rule"),
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "static", Usage: "check the definitions and codebases only; needs no server"},
			quickFlag(),
			formatFlag("text", "json", "sarif", "junit"),
			&cli.StringFlag{Name: "by", Usage: "group the findings by tenant or by rule", Value: "tenant"},
			&cli.StringFlag{Name: "fail-on", Usage: "lowest severity that makes the exit code 1: error, warning or note", Value: "warning"},
			&cli.BoolFlag{Name: "fix", Usage: "repair what is safe to repair, and print what remains"},
			&cli.BoolFlag{Name: "dry-run", Usage: "with --fix: show the repairs and change nothing"},
			&cli.BoolFlag{Name: "yes", Usage: "with --fix: don't ask before repairing"},
			&cli.BoolFlag{Name: "list-rules", Usage: "list the rules instead of auditing"},
			unitFlag()),
		Action: a.runAudit,
	}
}

// auditOptions are the checked flags of audit.
type auditOptions struct {
	format string
	byRule bool
	failOn audit.Severity
}

func readAuditOptions(c *cli.Context) (auditOptions, error) {
	o := auditOptions{format: c.String("format"), byRule: c.String("by") == "rule"}
	if by := c.String("by"); by != "rule" && by != "tenant" {
		return o, usagef("--by %q is neither tenant nor rule", by)
	}
	if c.Bool("fix") && c.Bool("static") {
		return o, usagef("--fix and --static exclude each other: --fix repairs servers and files, which --static does not inspect")
	}
	if !c.Bool("fix") && (c.Bool("dry-run") || c.Bool("yes")) {
		return o, usagef("--dry-run and --yes need --fix; without it audit changes nothing")
	}
	var err error
	if o.failOn, err = audit.ParseSeverity(c.String("fail-on")); err != nil {
		return o, usagef("--fail-on: %s", err)
	}
	return o, nil
}

func (a *app) runAudit(c *cli.Context) error {
	start := time.Now()
	o, err := readAuditOptions(c)
	if err != nil {
		return err
	}
	if c.String("unit") != "" {
		return a.printUnit(c, timed{"Audit", "*-*-* 06:00", []string{"audit", "--fail-on", c.String("fail-on")}})
	}
	if c.Bool("list-rules") {
		return a.listRules(asJSON(c))
	}
	f, list, whole, err := farmAndChosenOrAll(c)
	if err != nil {
		return err
	}
	scope := scopeOf(c, start, list, whole)
	if c.Bool("fix") {
		return a.runFix(c.Context, f, scope, o, fixOptions{dryRun: c.Bool("dry-run"), yes: c.Bool("yes")})
	}
	r, _, err := a.audited(c.Context, f, scope, c.Bool("static"))
	if err != nil {
		return err
	}
	if err := a.printAudit(r, o, time.Since(start)); err != nil {
		return err
	}
	if r.Reaches(o.failOn) {
		return errFound
	}
	return nil
}

// quickFlag leaves the slow rules of an audit out.
func quickFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quick", Usage: "skip requests to wikis, the verification of dumps, and uploads"}
}

// scopeOf returns the options of an audit of tenants, or of the whole farm.
func scopeOf(c *cli.Context, now time.Time, list []*tenants.Tenant, whole bool) rules.Options {
	o := rules.Options{Today: now, Quick: c.Bool("quick")}
	if !whole {
		o.Tenants = list
	}
	return o
}

// audited audits a farm with a read-only host. A static audit observes nothing.
func (a *app) audited(ctx context.Context, f *tenants.Farm, o rules.Options, static bool) (r audit.Report, observed *observe.Observed, err error) {
	if static {
		r, err = rules.Static(ctx, f, o)
		return r, nil, err
	}
	err = a.withHost(f, true, func(h *session.Host) (err error) {
		r, observed, err = rules.Live(ctx, h, o)
		return err
	})
	return r, observed, err
}

func (a *app) printAudit(r audit.Report, o auditOptions, elapsed time.Duration) error {
	switch o.format {
	case "json":
		return ui.WriteJSON(a.stdout, ui.NewAuditDocument(r, elapsed))
	case "sarif":
		return r.WriteSARIF(a.stdout, version, rules.All())
	case "junit":
		return r.WriteJUnit(a.stdout, o.failOn, rules.All())
	}
	return ui.Findings(a.stdout, r, o.byRule, a.coloured())
}

// listRules prints the table of rules.
func (a *app) listRules(asJSON bool) error {
	if asJSON {
		return ui.WriteJSON(a.stdout, rules.All())
	}
	var rows [][]any
	for _, r := range rules.All() {
		rows = append(rows, []any{r.ID, r.Severity, r.What})
	}
	ui.Table(a.stdout, []any{"rule", "severity", "finds"}, rows)
	return nil
}
