package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit"
)

func (a *app) auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "find what is wrong, risky or written twice", ArgsUsage: "[NAME…]",
		Description: "Checks the definitions against the MediaWiki code that will read them, against rules of security and of\nthe farm's own, and against what is there: servers, ledger, disk, and what the wikis answer; without names\nand --where the whole farm. It writes nothing and takes no lock, but with --fix, which says what it would mend (modes,\nowners, links, grants, releases that nothing needs), asks, mends it and audits again. Findings as bad as\n--fail-on, or worse, make the exit code 1.\n\n" + exitHelp + "\n\nExample: wikictl audit --static --by rule",
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "static", Usage: "only the definitions and the codebases; it needs no server"},
			&cli.BoolFlag{Name: "quick", Usage: "ask no wiki through the web server and read no dump"},
			formatFlag("text", "json", "sarif", "junit"),
			&cli.StringFlag{Name: "by", Usage: "group text by tenant or by rule", Value: "tenant"},
			&cli.StringFlag{Name: "fail-on", Usage: "error, warning or note", Value: "warning"},
			&cli.BoolFlag{Name: "fix", Usage: "mend what is safe to mend, and print what is left"},
			&cli.BoolFlag{Name: "dry-run", Usage: "with --fix: only say what would be mended"},
			&cli.BoolFlag{Name: "yes", Usage: "with --fix: mend without being asked"},
			&cli.BoolFlag{Name: "list-rules", Usage: "list the rules instead"}),
		Action:       a.runAudit,
		BashComplete: a.completeNames,
	}
}

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "say what a rule of audit finds, why, and how to mend it", ArgsUsage: "RULE",
		Description: "Says what a rule finds, why it matters, how to mend it, and where the manual has more.\n\n" + exitHelp + "\n\nExample: wikictl explain raw-html",
		Action:      a.runExplain,
		BashComplete: func(*cli.Context) {
			for _, r := range audit.Rules() {
				fmt.Fprintln(a.stdout, r.ID)
			}
		},
	}
}

// auditOptions are the flags of audit, checked.
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
		return o, usagef("--fix mends what is there, which --static does not look at")
	}
	if !c.Bool("fix") && (c.Bool("dry-run") || c.Bool("yes")) {
		return o, usagef("--dry-run and --yes go with --fix; without it audit changes nothing")
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
	if c.Bool("list-rules") {
		return a.listRules(asJSON(c))
	}
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	look := audit.Options{Today: start, Quick: c.Bool("quick")}
	list, whole, err := chosenOrAll(c, f)
	if err != nil {
		return err
	}
	if !whole {
		look.Tenants = list
	}
	if c.Bool("fix") {
		return a.runFix(c.Context, f, look, o, fixOptions{dryRun: c.Bool("dry-run"), yes: c.Bool("yes")})
	}
	r, err := a.audited(c.Context, f, look, c.Bool("static"))
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

// audited audits a farm, on a host that only looks.
func (a *app) audited(ctx context.Context, f *tenants.Farm, o audit.Options, static bool) (r audit.Report, err error) {
	if static {
		return audit.Static(ctx, f, o)
	}
	h, err := a.openHost(f, true)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return audit.Live(ctx, h, o)
}

func (a *app) printAudit(r audit.Report, o auditOptions, elapsed time.Duration) error {
	switch o.format {
	case "json":
		return ui.WriteJSON(a.stdout, ui.NewAuditDocument(r, elapsed))
	case "sarif":
		return r.WriteSARIF(a.stdout, version)
	case "junit":
		return r.WriteJUnit(a.stdout, o.failOn)
	}
	return ui.Findings(a.stdout, r, o.byRule, ui.IsTerminal(a.stdout) && os.Getenv("NO_COLOR") == "")
}

// listRules prints the table of rules.
func (a *app) listRules(asJSON bool) error {
	if asJSON {
		return ui.WriteJSON(a.stdout, audit.Rules())
	}
	var rows [][]any
	for _, r := range audit.Rules() {
		rows = append(rows, []any{r.ID, r.Severity, r.What})
	}
	ui.Table(a.stdout, []any{"rule", "severity", "finds"}, rows)
	return nil
}

func (a *app) runExplain(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("name one rule; wikictl audit --list-rules lists them")
	}
	r, there := audit.Find(c.Args().First())
	if !there {
		return usagef("there is no rule %q; wikictl audit --list-rules lists them", c.Args().First())
	}
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, r)
	}
	_, err := fmt.Fprintf(a.stdout, "%s (%s)\n\nWhat: %s\nWhy:  %s\nMend: %s\nSee:  %s\n", r.ID, r.Severity, r.What, r.Why, r.Mend, r.Reference)
	return err
}
