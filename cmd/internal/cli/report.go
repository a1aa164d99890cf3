package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/page"
	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

func (a *app) reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "write an HTML page about the farm", ArgsUsage: "[NAME…]",
		Description: about(`
			Writes one self-contained HTML page: versions, sizes, backups, findings of audit, and charts of upgrades, with a
			table that sorts, filters and opens a tenant. Without names and --where it takes the whole farm. The page and
			standard error name what could not be read; the rest is written anyway.
		`, "wikictl report --html farm.html"),
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "html", Usage: "write the page to this file, replacing it (-: standard output)"},
			quickFlag()),
		Action: a.runReport,
	}
}

func (a *app) runReport(c *cli.Context) error {
	file := c.String("html")
	if file == "" {
		return usagef("say where to write the page: --html FILE")
	}
	f, list, whole, err := farmAndChosenOrAll(c)
	if err != nil {
		return err
	}
	r := page.FarmReport{Farm: f, Tenants: list, Made: time.Now(), Program: version}
	if err := a.gather(c.Context, &r, scopeOf(c, r.Made, list, whole)); err != nil {
		return err
	}
	for _, missing := range r.Missing {
		fmt.Fprintln(a.stderr, ui.Clean("report: "+missing))
	}
	return a.writeReport(r, file, asJSON(c))
}

// writeReport writes the page, and reports that unless the page is the output.
func (a *app) writeReport(r page.FarmReport, file string, asJSON bool) error {
	var html bytes.Buffer
	if err := page.WriteReport(&html, r); err != nil {
		return err
	}
	if file == "-" {
		_, err := a.stdout.Write(html.Bytes())
		return err
	}
	if err := deploy.WriteNamed(file, html.Bytes(), 0o644); err != nil {
		return err
	}
	if asJSON {
		return ui.WriteJSON(a.stdout, map[string]any{"command": "report", "file": file, "tenants": len(r.Tenants), "missing": append([]string{}, r.Missing...)})
	}
	_, err := fmt.Fprintf(a.stdout, "report: %d tenants in %s\n", len(r.Tenants), file)
	return err
}

// gather collects the content of the report. It notes parts that can't be read in r.Missing, and
// returns only errors of the farm's files and interruptions.
func (a *app) gather(ctx context.Context, r *page.FarmReport, scope rules.Options) (err error) {
	var found audit.Report
	h, err := a.openHost(r.Farm, true)
	if err != nil {
		r.Missing = append(r.Missing, fmt.Sprintf("no server was queried, so versions, sizes and upgrades are missing: %s", err))
		found, err = rules.Static(ctx, r.Farm, scope)
	} else {
		defer func() { err = errors.Join(err, h.Close()) }()
		gatherLedger(ctx, h, r)
		gatherSizes(ctx, h, r)
		found, _, err = rules.Live(ctx, h, scope)
	}
	gatherBackups(r)
	var problems tenants.Problems
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &problems):
		return err
	case err != nil:
		r.Missing = append(r.Missing, fmt.Sprintf("the audit did not run, so findings are missing: %s", err))
	default:
		r.Audit = &found
	}
	return nil
}

// rememberedRuns is the number of latest runs among which a rollback of an upgrade is searched
// for.
const rememberedRuns = 1000

func gatherLedger(ctx context.Context, h *session.Host, r *page.FarmReport) {
	err := func() error {
		l, rows, err := h.ReadLedger(ctx)
		if err != nil {
			return err
		}
		if r.Runs, err = l.Runs(ctx, rememberedRuns); err != nil {
			return err
		}
		if r.Upgrades, err = l.History(ctx); err != nil {
			return err
		}
		slices.SortStableFunc(r.Upgrades, func(a, b ledger.Upgrade) int { return a.Started.Time.Compare(b.Started.Time) })
		r.Ledger = rows
		return nil
	}()
	if err != nil {
		r.Missing = append(r.Missing, fmt.Sprintf("the ledger was not read, so versions, upgrades and runs are missing: %s", err))
	}
	if len(r.Tenants) == len(r.Farm.Tenants) {
		return // upgrades of removed tenants count for the whole farm
	}
	chosen := namesOf(r.Tenants)
	r.Upgrades = slices.DeleteFunc(r.Upgrades, func(u ledger.Upgrade) bool { return !chosen[u.Tenant] })
}

// gatherSizes asks each server that holds, or should hold, one of the tenants.
func gatherSizes(ctx context.Context, h *session.Host, r *page.FarmReport) {
	servers := map[string]*tenants.Server{}
	for _, t := range r.Tenants {
		servers[t.Server.Name] = t.Server
		if def := r.Farm.Servers[r.Ledger[t.Name].Server]; def != nil {
			servers[def.Name] = def
		}
	}
	r.Sizes = map[string]map[string]int64{}
	for name, def := range servers {
		sizes, err := sizesOn(ctx, h, def)
		if err != nil {
			r.Missing = append(r.Missing, fmt.Sprintf("the sizes of databases on server %s are missing: %s", name, err))
			continue
		}
		r.Sizes[name] = sizes
	}
}

func sizesOn(ctx context.Context, h *session.Host, def *tenants.Server) (map[string]int64, error) {
	s, err := h.Server(ctx, def)
	if err != nil {
		return nil, err
	}
	facts, err := s.Facts(ctx)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for database, f := range facts {
		sizes[database] = f.Bytes
	}
	return sizes, nil
}

func gatherBackups(r *page.FarmReport) {
	r.Backups = map[string]*backup.Dump{}
	var first error
	for _, t := range r.Tenants {
		b, err := latestBackup(r.Farm.Layout(), t.Name)
		if err == nil {
			r.Backups[t.Name] = b
		} else if first == nil {
			first = err
		}
	}
	if unread := len(r.Tenants) - len(r.Backups); unread > 0 {
		r.Missing = append(r.Missing, fmt.Sprintf("the backups of %d tenants are missing: %s", unread, first))
	}
}

// latestBackup returns the newer of a wiki's latest dump and its latest backup, as a dump; nil
// if it has neither.
func latestBackup(l tenants.Layout, name string) (*backup.Dump, error) {
	dump, err := backup.Latest(l.Backups(name))
	if err != nil {
		return nil, err
	}
	a, err := archive.Latest(l.ArchivesOf(name))
	if err != nil || a == nil || dump != nil && dump.Taken.After(a.Taken) {
		return dump, err
	}
	return &backup.Dump{Database: a.Database, Taken: a.Taken, Bytes: a.Bytes, File: a.Place()}, nil
}
