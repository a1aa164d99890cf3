package recovery

import (
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Every command names the one that finishes an interrupted restore, by its journal: a staging copy
// may be restored from a backup, too.
func TestJournalNamesTheCommand(t *testing.T) {
	l := tenants.Layout{State: t.TempDir()}
	k := &task{recovery: &recovery{Host: &session.Host{Layout: l}}, tenant: &tenants.Tenant{Name: "w-stage", StageOf: "w"}}
	row := ledger.Tenant{Name: "w-stage", State: ledger.Recovering}
	if got := session.Completion(l, k.tenant, row); got != "wikictl restore w-stage" {
		t.Errorf("without a journal: %q", got)
	}
	for want, j := range map[string]journal{
		"wikictl restore w-stage":                   {},
		"wikictl stage w --as w-stage":              {Of: "w", Masked: true},
		"wikictl stage w --as w-stage --with-users": {Of: "w"},
		"wikictl clone other w-stage":               {Of: "other"},
		"wikictl clone other w-stage --anonymize":   {Of: "other", Masked: true},
	} {
		if err := k.noteJournal(j); err != nil {
			t.Fatal(err)
		}
		if got := session.Completion(l, k.tenant, row); got != want || j.goesOn(k.tenant) != want+" continues" {
			t.Errorf("%+v: %q and %q, want %q", j, got, j.goesOn(k.tenant), want)
		}
	}
	row.State = ledger.Ready
	if got := session.Completion(l, k.tenant, row); got != "" {
		t.Errorf("of a ready wiki: %q", got)
	}
}
