package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An administrator's account that has exactly the privileges that doctor asks for can
// do all that wikictl does on a server; without them doctor says how to give them.
func TestAccountWithTheNeededPrivileges(t *testing.T) {
	t.Parallel()
	f := newEmptyFarm(t)
	f.define(2)
	f.exits(0, "server", "start")
	f.sql("CREATE USER limited@localhost IDENTIFIED BY 'of the limited'; GRANT SELECT ON *.* TO limited@localhost")
	f.write("limited.password", "of the limited\n")
	f.shell("chmod", "600", filepath.Join(f.demo.Dir, "limited.password"))
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), "managed = true", `dsn = "limited@unix(`+f.private().Socket+`)/"`+"\npassword_file = \"limited.password\"", 1))
	found := f.checked("server main privileges")
	if found.Level != "error" || !strings.Contains(found.Message, "CREATE USER") || strings.Contains(found.Message, "SELECT") || len(found.Repair) != 1 {
		t.Fatalf("%+v", found)
	}
	client := "mariadb --no-defaults --socket=" + f.private().Socket
	out, err := exec.Command("sh", "-c", strings.Replace(found.Repair[0], "mariadb ", client+" ", 1)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", found.Repair[0], err, out)
	}
	if found := f.checked("server main privileges"); found.Level != "ok" {
		t.Errorf("%+v", found)
	}
	f.exits(0, "create", "--all")
	f.exits(0, "audit", "--fail-on", "error")
	f.removed("w1")
	f.defineRemoved("w1")
	f.exits(0, "undelete", "w1")
	f.want143()
	f.exits(0, "upgrade", "w0")
}

// check is one line of doctor.
type check struct {
	Check, Level, Message, Hint string
	Repair                      []string
}

// checked asks doctor about one thing.
func (f *farm) checked(name string) check {
	f.t.Helper()
	out, story, _ := f.result("--format", "json", "doctor")
	var d struct{ Checks []check }
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		f.t.Fatalf("%v: %s%s", err, out, story)
	}
	for _, c := range d.Checks {
		if c.Check == name {
			return c
		}
	}
	f.t.Fatalf("doctor says nothing of %q: %s", name, out)
	return check{}
}
