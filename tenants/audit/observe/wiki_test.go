package observe

import (
	"testing"

	"wikictl/tenants/ledger"
)

// A rollback needs its release, unless something else has changed the wiki since.
func TestReleaseOfARollback(t *testing.T) {
	last := ledger.Upgrade{Backup: "/dump", OldRelease: 3, NewSet: "new"}
	if n := neededBy(last, ledger.Tenant{ComponentSet: "new"}); n != 3 {
		t.Errorf("needed is %d", n)
	}
	if n := neededBy(last, ledger.Tenant{ComponentSet: "newer"}); n != 0 {
		t.Errorf("after another change needed is %d", n)
	}
	last.Backup = ""
	if n := neededBy(last, ledger.Tenant{ComponentSet: "new"}); n != 0 {
		t.Errorf("without a dump needed is %d", n)
	}
}
