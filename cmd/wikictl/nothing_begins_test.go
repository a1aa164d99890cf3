package main

import (
	"strings"
	"testing"
)

// refused runs wikictl and wants an exit code, words, and no stack trace.
func (f *farm) refused(code int, says string, args ...string) {
	f.t.Helper()
	cmd := f.command(args...)
	out, _ := cmd.CombinedOutput()
	text := string(out)
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(text, says) || strings.Contains(text, "goroutine ") || strings.Contains(text, "panic") {
		f.t.Errorf("wikictl %v: exit %d, want %d and %q:\n%s", args, got, code, says, text)
	}
}

// A fault that stops a run before its first tenant is reported as an error, not as a panic, and
// no wiki is changed.
func TestRunsThatCannotBegin(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.run("create", "--all")
	f.want143()
	f.write("tenants/new.toml", "name = \"new\"\nhosts = [\"new.localhost\"]\nsitename = \"New\"\nskins = [\"Vector\"]\ncodebase = \"1.39\"\n")
	f.write("migrations/001-good.sql", "SELECT 1;\n")
	f.write("migrations/002-open.sql", "SELECT 1;\nUPDATE page SET page_lang = 'de;\n")
	f.write("migrations/003-client.sql", "-- a note\r\nDELIMITER //\r\nSELECT 1//\r\n")
	for _, args := range [][]string{{"upgrade", "--dry-run", "w0"}, {"upgrade", "w0"}, {"plan", "w0"}} {
		f.refused(78, "migrations/002-open.sql:2: ", args...)
		f.refused(78, "migrations/003-client.sql:2: ", args...)
	}
	f.write("migrations/002-open.sql", "SELECT 2;\n")
	f.write("migrations/003-client.sql", "SELECT 3;\n")
	f.refused(64, "wikictl.toml has no [backup]", "upgrade", "--backup", "command", "w0")
	for _, table := range []string{"run", "session"} {
		f.sql("CREATE TRIGGER wikictl.refuse BEFORE INSERT ON wikictl." + table + " FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no room'")
		for _, args := range [][]string{{"upgrade", "w0"}, {"create", "new"}, {"apply", "new"}} {
			f.refused(2, "there is no room", args...)
		}
		f.sql("DROP TRIGGER wikictl.refuse")
	}
	if v := f.client("w0").version(); v != "MediaWiki 1.39.17" {
		t.Errorf("w0 is %s", v)
	}
	if got := f.sql("SELECT COUNT(*) FROM wikictl.upgrade"); got[0] != "0" {
		t.Errorf("%v upgrades were begun", got)
	}
}
