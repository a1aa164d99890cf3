package definitions

import (
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
)

// Ages are days, as a number or as text; 0 means for ever; missing ages have defaults.
func TestKeep(t *testing.T) {
	files := map[string]string{
		"wikictl.toml":   strings.Replace(farmToml, "[servers.main]", "[keep]\nlogs = 7\nremoved = \"30d\"\nruns = 0\ndumps = 5\ncaches = 5\ntemporary = \"1d\"\nbackups = { daily = 3 }\n[servers.main]", 1),
		"classes/c.toml": classToml,
		"tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n",
	}
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	want := tenants.Keep{Runs: 0, Logs: 7 * day, Dumps: 5, DumpAge: 90 * day, Removed: 30 * day, Goldens: 90 * day, Components: 90 * day, Caches: 5 * day, Temporary: day, Backups: tenants.KeepBackups{Daily: 3}}
	if f.Keep != want || day != 24*time.Hour {
		t.Errorf("%+v", f.Keep)
	}
}
