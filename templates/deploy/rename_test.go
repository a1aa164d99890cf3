package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/php"
	"wikictl/tenants/secrets"
)

// A tenant gets another name and others leave, with one check and one reload; a
// check that fails puts all of it back, and the wiki is served all the time.
func TestRenameAndWithdrawInOneApply(t *testing.T) {
	calls := filepath.Join(t.TempDir(), "calls")
	refuse := calls + "-refuse"
	d := deployer(t, "echo check >> "+calls+"; test ! -e "+refuse, "echo reload >> "+calls)
	apply(t, d, wanted("old", "one"), wanted("leaves", "one"), wanted("stays", "one"))
	if err := d.WriteSecrets("old", secrets.Secrets{Admin: "Admin"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{d.layout.Backups("old") + "/2.sql", d.layout.Backups("new") + "/1.sql", d.layout.Images("old") + "/x.gif"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // it can be repeated
		if err := d.Rename(t.Context(), "old", "new"); err != nil {
			t.Fatal(err)
		}
	}
	before := served(t, d, "old", "new", "leaves", "stays")
	if !strings.Contains(before, "old 1 ") || !strings.Contains(before, "new 1 ") {
		t.Fatal("it is not served under the old name while it moves: ", before)
	}
	source := Of(wanted("new", "two"), wanted("stays", "one"))
	source.Gone, source.Moved = []string{"leaves", "never-was"}, map[string]string{"old": "new"}
	must(t, os.WriteFile(refuse, nil, 0o644))
	if _, err := d.Apply(t.Context(), source); err == nil || served(t, d, "old", "new", "leaves", "stays") != before {
		t.Fatalf("%v: not everything was undone", err)
	}
	must(t, os.Remove(refuse))
	d.Lint = func(context.Context, []php.Source) error { return errors.New("no PHP") }
	if _, err := d.Apply(t.Context(), source); err == nil || !strings.Contains(served(t, d, "new"), "old.conf") {
		t.Fatalf("%v: it is not served any more, as its new release was refused", err)
	}
	d.Lint = nil
	apply(t, d, wanted("leaves", "one"))
	must(t, os.Remove(calls))
	if applied, err := d.Apply(t.Context(), source); err != nil || !applied.Reloaded {
		t.Fatal(applied, err)
	}
	if got := read(t, calls); got != "check\nreload\n" {
		t.Errorf("calls: %q", got)
	}
	for range 2 {
		must(t, d.DropAlias("old"))
	}
	removed := filepath.Join(t.TempDir(), "removed")
	must(t, d.Retire(t.Context(), "leaves", removed))
	must(t, d.RetireSecrets(t.Context(), "leaves", removed))
	nothingOfOld(t, d)
	if err := d.Rename(t.Context(), "stays", "new"); err == nil {
		t.Error("a tenant was moved over another")
	}
	if err := d.DropAlias("new"); err == nil {
		t.Error("a folder was taken for a link")
	}
}

// nothingOfOld wants everything of the tenant under its new name and nothing
// under the old one.
func nothingOfOld(t *testing.T, d *Deployer) {
	t.Helper()
	all := tree(t, d.layout.State)
	for _, word := range []string{"old", "leaves", "never-was"} {
		if strings.Contains(all, word) {
			t.Errorf("%s is left:\n%s", word, all)
		}
	}
	for _, path := range []string{"new/2.sql", "new/1.sql"} {
		if got := read(t, filepath.Join(filepath.Dir(d.layout.Backups("new")), path)); got != "content" {
			t.Error(path, got)
		}
	}
	if n, _ := d.Current("new"); n != 2 || read(t, d.layout.Vhost("new")) != "# two\n" || read(t, d.layout.Images("new")+"/x.gif") != "content" {
		t.Errorf("release %d\n%s", n, all)
	}
}

// What a killed run left of a tenant's change is not made again under a name
// that the tenant no longer has.
func TestWithdrawOfAnInterruptedChange(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("old", "one"))
	if n := prepare(t, d, wanted("old", "two")); n != 2 {
		t.Fatal(n)
	}
	must(t, d.serve("old", 2))
	must(t, d.writeJournal(journal{Swaps: []swap{{Tenant: "old", From: 1, To: 2, Vhost: Edit}}}))
	if !d.Unfinished() {
		t.Error("the interrupted change is not seen")
	}
	must(t, d.Rename(t.Context(), "old", "new"))
	source := Of(wanted("new", "three"))
	source.Moved = map[string]string{"old": "new"}
	if _, err := d.Apply(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	if n, _ := d.Current("new"); n != 3 || Exists(d.layout.Vhost("old")) || d.Unfinished() {
		t.Errorf("release %d, %s", n, served(t, d, "old", "new"))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
