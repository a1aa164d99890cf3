package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

func (a *app) lossesCommand() *cli.Command {
	return &cli.Command{
		Name: "losses", Usage: "list rows that upgrades dropped, or acknowledge the losses", ArgsUsage: "[NAME…]",
		Description: about(`
			Lists the content that update.php dropped when it upgraded a wiki: blocks, links, rows of any table, and the
			lines in which a script said that it skipped something; and the dump that still has this content. Without
			names and --where it lists the whole farm. --acknowledge records that you have seen the losses: audit then
			stops reporting them, and the dump is kept no longer than [keep] says. The exit code is 1 while a listed
			loss is not acknowledged.
		`, "wikictl losses"),
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "acknowledge", Usage: "mark the listed losses as seen"},
			&cli.BoolFlag{Name: "acknowledged", Usage: "also list losses that were acknowledged earlier"}),
		Action: a.runLosses,
	}
}

func (a *app) runLosses(c *cli.Context) error {
	if c.Bool("acknowledge") {
		f, list, err := farmAndChosen(c)
		if err != nil {
			return err
		}
		return a.withHost(f, false, func(h *session.Host) error { return a.losses(c, h, list) })
	}
	f, list, _, err := farmAndChosenOrAll(c)
	if err != nil {
		return err
	}
	return a.withHost(f, true, func(h *session.Host) error { return a.losses(c, h, list) })
}

// losses lists or acknowledges the losses of some tenants.
func (a *app) losses(c *cli.Context, h *session.Host, list []*tenants.Tenant) error {
	ledger, err := h.Ledger(c.Context)
	if errors.Is(err, fs.ErrNotExist) { // no wiki has been created yet
		return a.showLosses(nil, nil, asJSON(c))
	}
	if err != nil {
		return stopped(h.Farm, err)
	}
	losses, err := ledger.Losses(c.Context)
	if err != nil {
		return err
	}
	open := chooseLosses(losses, list, c.Bool("acknowledged"))
	if !c.Bool("acknowledge") {
		return a.showLosses(open, nil, asJSON(c))
	}
	acknowledged, err := acknowledge(c, h, ledger, open)
	return errors.Join(err, a.showLosses(open, acknowledged, asJSON(c)))
}

// chooseLosses returns the losses of some tenants; with all, also acknowledged ones.
func chooseLosses(losses []ledger.Loss, list []*tenants.Tenant, all bool) []ledger.Loss {
	chosen := namesOf(list)
	return slices.DeleteFunc(losses, func(l ledger.Loss) bool {
		return !chosen[l.Tenant] || l.Acknowledged.Valid && !all
	})
}

// acknowledge marks losses as acknowledged, and returns how many were not before.
func acknowledge(c *cli.Context, h *session.Host, led *ledger.Ledger, list []ledger.Loss) (*int64, error) {
	ids := make([]int64, len(list))
	for i, l := range list {
		ids[i] = l.ID
	}
	n, err := led.Acknowledge(c.Context, ids, h.Holder())
	return &n, err
}

// showLosses prints losses; acknowledged is the number of newly acknowledged ones, or
// nil.
func (a *app) showLosses(list []ledger.Loss, acknowledged *int64, asJSON bool) error {
	open := slices.ContainsFunc(list, func(l ledger.Loss) bool { return !l.Acknowledged.Valid })
	found := error(nil)
	if open && acknowledged == nil {
		found = errFound
	}
	if asJSON {
		rows := []ui.LossRow{}
		for _, l := range list {
			rows = append(rows, ui.NewLossRow(l))
		}
		document := map[string]any{"command": "losses", "losses": rows}
		if acknowledged != nil {
			document["acknowledged"] = *acknowledged
		}
		return errors.Join(ui.WriteJSON(a.stdout, document), found)
	}
	for _, l := range list {
		seen := ""
		if l.Acknowledged.Valid {
			seen = fmt.Sprintf("; acknowledged by %s on %s UTC", l.Acknowledger, l.Acknowledged.Time.UTC().Format(time.DateTime))
		}
		fmt.Fprintln(a.stdout, ui.Clean(fmt.Sprintf("%s: %s, upgraded by run %s on %s UTC; %s%s",
			l.Tenant, l.What, l.Run, l.Noted.Time.UTC().Format(time.DateTime), ui.WhereLost(l), seen)))
	}
	switch {
	case acknowledged != nil:
		fmt.Fprintf(a.stdout, "losses: %d acknowledged\n", *acknowledged)
	case len(list) == 0:
		fmt.Fprintln(a.stdout, "losses: none that is not acknowledged")
	}
	return found
}
