package mariadb

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// A database whose accounts somebody dropped can still be dumped and removed.
func TestFreezeWithoutAccounts(t *testing.T) {
	database(t, "orphan")
	a := Accounts{Database: "orphan", Host: "localhost", Web: Account{Name: "orphan"}, Schema: Account{Name: "orphan_schema"}}
	must(t, shared.Freeze(t.Context(), a, Wait{}))
	base := filepath.Join(t.TempDir(), "r1")
	if _, err := backup.Find(base); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	_, err := shared.Dump(t.Context(), "orphan", base, tenants.Backup{})
	must(t, err)
	b, err := backup.Find(base)
	must(t, err)
	must(t, b.Verify())
	for _, want := range []bool{true, false} {
		if has, err := shared.Has(t.Context(), "orphan"); has != want || err != nil {
			t.Errorf("%v, %v; want %v", has, err, want)
		}
		must(t, shared.DropDatabase(t.Context(), "orphan"))
		must(t, shared.DropAccounts(t.Context(), a))
	}
}
