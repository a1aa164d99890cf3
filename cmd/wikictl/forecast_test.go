package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// planned is one tenant of an upgrade's plan.
type planned struct {
	Name     string
	Seconds  float64
	Forecast struct{ Backup, Update, Rest float64 }
	Remarks  []string
}

// plannedUpgrade returns a tenant from the document of a dry run.
func (f *farm) plannedUpgrade(tenant string, args ...string) planned {
	f.t.Helper()
	var plan struct{ Tenants []struct{ Details planned } }
	must(f.t, json.Unmarshal([]byte(f.exits(1, append([]string{"--format", "json", "upgrade", "--dry-run", tenant}, args...)...)), &plan))
	return plan.Tenants[0].Details
}

// The time of an upgrade is forecast from the number of rows that the updater has to change, and
// the run shows its progress; rows that were moved ahead no longer count; and rates that the farm
// measured on small wikis are used for others.
func TestForecastByRows(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.run("create", "--all")
	f.sql("USE wiki_w0; INSERT INTO wiki_w0.pagelinks (pl_from, pl_from_namespace, pl_namespace, pl_title) SELECT 1 + seq MOD 900, 0, 0, CONCAT('Target_', seq) FROM seq_1_to_4000")
	f.sql("ANALYZE TABLE wiki_w0.pagelinks, wiki_w1.pagelinks")
	f.want143()
	large, small := f.plannedUpgrade("w0"), f.plannedUpgrade("w1")
	if more := large.Forecast.Update - small.Forecast.Update; more < 4 || more > 16 {
		t.Errorf("4,000 links more are said to take %.1f s more", more)
	}
	if large.Seconds != large.Forecast.Backup+large.Forecast.Update+large.Forecast.Rest {
		t.Errorf("the parts are not the whole: %+v", large)
	}
	if p := f.plannedUpgrade("w0", "--backup", "none"); p.Forecast.Backup != 0 {
		t.Errorf("without a dump: %+v", p)
	}

	events := filepath.Join(f.demo.Dir, "events")
	f.run("upgrade", "--events", events, "w0")
	if text := f.read("events"); !strings.Contains(text, `of 4,000 rows of pagelinks`) {
		t.Errorf("no progress was shown: %s", text)
	}
	if again := f.plannedUpgrade("w0", "--force"); again.Forecast.Update > large.Forecast.Update/2 {
		t.Errorf("with nothing to move it takes %.1f s, where it took %.1f s", again.Forecast.Update, large.Forecast.Update)
	}
	if links := f.sql("SELECT COUNT(DISTINCT pl_target_id) FROM wiki_w0.pagelinks")[0]; links != "4000" {
		t.Errorf("%s links arrived", links)
	}
}
