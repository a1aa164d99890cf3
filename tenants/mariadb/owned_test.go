package mariadb

import (
	"context"
	"errors"
	"slices"
	"testing"

	"wikictl/tenants"
)

// as farm has the shared server work for a farm.
func asFarm(t *testing.T, id string) {
	t.Helper()
	shared.SetFarm(id)
	t.Cleanup(func() { shared.SetFarm("") })
}

func ownedBy(database string) Accounts {
	return Accounts{Database: database, Host: "localhost", Web: Account{database, "web 'pw'"}, Schema: Account{database + "_schema", "schema pw"}}
}

func names(list []Held) (names []string) {
	for _, h := range list {
		names = append(names, h.Name())
	}
	slices.Sort(names)
	return names
}

func TestForeignAccountsAreLeftAlone(t *testing.T) {
	for _, foreign := range []string{"own", "own_schema"} {
		t.Run(foreign, func(t *testing.T) {
			a := ownedBy("own")
			database(t, "own")
			must(t, exec1(t, shared, "CREATE USER "+foreign+"@localhost IDENTIFIED BY 'theirs'"))
			t.Cleanup(func() { exec1(t, shared, "DROP USER "+foreign+"@localhost") })
			before, err := shared.set(t.Context(), "SELECT CONCAT(User, Host, authentication_string) FROM mysql.user WHERE User = '"+foreign+"'")
			must(t, err)
			for what, err := range map[string]error{
				"made":    shared.EnsureAccounts(t.Context(), a),
				"frozen":  shared.Freeze(t.Context(), a, Wait{}),
				"thawed":  shared.Thaw(t.Context(), a),
				"dropped": errors.Join(ErrForeign, shared.DropAccounts(t.Context(), a)),
			} {
				if !errors.Is(err, ErrForeign) {
					t.Errorf("%s: %v", what, err)
				}
			}
			after, err := shared.set(t.Context(), "SELECT CONCAT(User, Host, authentication_string) FROM mysql.user WHERE User = '"+foreign+"'")
			must(t, err)
			if len(after) != 1 || len(before) != 1 || !slices.Equal(sortedKeys(before), sortedKeys(after)) {
				t.Errorf("it was %v and is %v", before, after)
			}
			granted, err := shared.set(t.Context(), "SELECT User FROM mysql.db WHERE Db = 'own'")
			must(t, err)
			if granted[foreign] {
				t.Error("it was granted something")
			}
			if left := shared.DropAccounts(t.Context(), a); left != nil {
				t.Error(left)
			}
		})
	}
}

func sortedKeys(m map[string]bool) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestHoldingTellsOwnFromForeign(t *testing.T) {
	asFarm(t, "00000000000000f1")
	a := ownedBy("hold")
	database(t, "hold")
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	for _, other := range []string{"hold@'10.%' IDENTIFIED BY 'theirs'", "hold_schema@'%' IDENTIFIED VIA unix_socket", "holder@localhost"} {
		must(t, exec1(t, shared, "CREATE USER "+other))
	}
	must(t, exec1(t, shared, "CREATE USER hold@'%' IDENTIFIED BY 'web ''pw'''")) // an operator's, with the wiki's password
	t.Cleanup(func() { exec1(t, shared, "DROP USER hold@'10.%', hold@'%', hold_schema@'%', holder@localhost") })
	i, err := shared.Inventory(t.Context())
	must(t, err)
	asked, err := shared.Holds(t.Context(), a)
	must(t, err)
	for what, h := range map[string]Holding{"inventory": i.Of(a), "asked": asked} {
		if !h.Database || !h.Web || !h.Schema || h.Farm != "00000000000000f1" || !slices.Equal(names(h.Foreign), []string{"hold@10.%", "hold_schema@%"}) || len(h.InTheWay(a)) != 0 {
			t.Errorf("%s: %+v", what, h)
		}
	}
	a.Web.Password = ""
	if h := i.Of(a); h.Web || len(h.InTheWay(a)) != 1 {
		t.Errorf("without a password: %+v", h)
	}
	a.Named = true
	if h := i.Of(a); !h.Web || len(h.Foreign) != 0 {
		t.Errorf("by name: %+v", h)
	}
}

func TestDatabasesHaveAMark(t *testing.T) {
	a := ownedBy("marked")
	database(t, "marked") // of no farm
	asFarm(t, "00000000000000f1")
	farm := func() string {
		h, err := shared.Holds(t.Context(), a)
		must(t, err)
		return h.Farm
	}
	must(t, exec1(t, shared, "CREATE TABLE marked.t (a INT)"))
	if err := shared.EnsureDatabase(t.Context(), "marked"); err != nil || farm() != "" {
		t.Errorf("a database with tables: %v, mark %q", err, farm())
	}
	for what, err := range map[string]error{"marked": shared.Mark(t.Context(), a), "dropped": shared.DropOwnDatabase(t.Context(), a)} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s without accounts: %v", what, err)
		}
	}
	must(t, shared.EnsureAccounts(t.Context(), a))
	t.Cleanup(func() { shared.DropAccounts(context.Background(), a) })
	must(t, shared.Freeze(t.Context(), a, Wait{}))
	if farm() != "00000000000000f1" {
		t.Error("freezing a wiki of version 0.1.0 did not mark its database")
	}
	b, err := shared.Dump(t.Context(), "marked", t.TempDir()+"/d", tenants.Backup{})
	must(t, err)
	must(t, shared.Restore(t.Context(), b, sure))
	if farm() != "00000000000000f1" {
		t.Error("the mark is gone after a restore")
	}
	shared.SetFarm("00000000000000f2")
	for what, err := range map[string]error{
		"made": shared.EnsureDatabase(t.Context(), "marked"), "marked": shared.Mark(t.Context(), a),
		"dropped": shared.DropOwnDatabase(t.Context(), a), "restored": shared.Restore(t.Context(), b, sure),
	} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s by another farm: %v", what, err)
		}
	}
	must(t, exec1(t, shared, "SELECT * FROM marked.t"))
	shared.SetFarm("00000000000000f1")
	must(t, shared.DropOwnDatabase(t.Context(), a))
	must(t, exec1(t, shared, "CREATE DATABASE marked"))
	if err := shared.EnsureDatabase(t.Context(), "marked"); err != nil || farm() != "00000000000000f1" {
		t.Errorf("an empty database that was prepared: %v, mark %q", err, farm())
	}
}
