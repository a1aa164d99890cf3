package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// rehearses tries an upgrade on scratch copies of tables, and prints the rehearsals. Failures do
// not keep it from printing the others.
func (a *app) rehearses(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, o upgrade.Options) error {
	var found []*upgrade.Rehearsal
	tried := false
	err := a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		p, err := upgrade.Make(c.Context, h, list, o)
		if err != nil {
			return nil, stopped(f, err)
		}
		o.Observer = board(len(p.Tenants))
		found, err = upgrade.Rehearse(c.Context, h, p, o)
		tried = err == nil || len(found) > 0
		return nil, err
	})
	if tried {
		err = errors.Join(a.printRehearsals(found, asJSON(c), err == nil), err)
	}
	return err
}

// printRehearsals prints each rehearsal with the wikis for which it is valid. whole says that
// none failed.
func (a *app) printRehearsals(list []*upgrade.Rehearsal, asJSON, whole bool) error {
	if asJSON {
		if list == nil {
			list = []*upgrade.Rehearsal{} // an empty list in JSON, not null
		}
		return ui.WriteJSON(a.stdout, map[string]any{"command": "upgrade", "rehearsals": list})
	}
	for _, r := range list {
		fmt.Fprintln(a.stdout, ui.Clean(rehearsed(r)))
	}
	if len(list) == 0 && whole {
		fmt.Fprintln(a.stdout, "upgrade: nothing to rehearse")
	}
	return nil
}

// rehearsed describes one rehearsal in a line.
func rehearsed(r *upgrade.Rehearsal) string {
	when := fmt.Sprintf("%.1f s", r.Seconds)
	if r.Earlier {
		when = "by an earlier run"
	}
	wikis := "1 wiki like " + r.Tenants[0]
	if n := len(r.Tenants); n > 1 {
		wikis = fmt.Sprintf("%d wikis like %s", n, r.Tenants[0])
	}
	text := fmt.Sprintf("MediaWiki %s to %s, %s: passed, %s; ", r.Old, r.New, wikis, when)
	if !r.Joined {
		return text + fmt.Sprintf("the %d changes of tables are not joined: %s", r.Changes, r.Why)
	}
	return text + fmt.Sprintf("%d changes of tables go as %d, with the same end", r.Changes, r.Sent)
}

// rehearsalFlags refuses flags that contradict --rehearse.
func rehearsalFlags(c *cli.Context) error {
	if !c.Bool("rehearse") {
		return nil
	}
	for _, name := range []string{"dry-run", "out", "plan", "no-rehearsal"} {
		if c.IsSet(name) {
			return usagef("--rehearse and --%s exclude each other", name)
		}
	}
	return nil
}
