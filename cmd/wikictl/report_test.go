package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A page about a real farm has what the ledger, the server and the disk say.
func TestReportOfARealFarm(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.run("create", "alpha")
	f.want143()
	f.run("upgrade", "alpha")
	f.run("report", "--html", f.demo.Dir+"/report.html")
	first := f.shown("alpha")
	if first.Version.Text != "1.43.9" || first.Wanted != "" || !strings.HasSuffix(first.Size.Text, "B") || first.Backup.Text != "0 min" {
		t.Errorf("alpha: %+v", first)
	}
	if len(first.Upgrades) != 1 || first.Upgrades[0].Outcome != "" || !strings.HasSuffix(first.Upgrade.Text, " s") {
		t.Errorf("upgrades of alpha: %+v", first)
	}
	if beta := f.shown("beta"); beta.Version.Text != "not created" || beta.Backup.Text != "none" || beta.Size.Text != "no tables" {
		t.Errorf("beta: %+v", beta)
	}
	page := f.read("report.html")
	for _, want := range []string{"1.39.17 → 1.43.9", "1 upgraded", `<td class="number">`, "<td>create</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "This page is not complete") {
		t.Error("the page says that it is not complete")
	}
	f.run("rollback", "--yes", "alpha")
	f.run("report", "--html", f.demo.Dir+"/report.html", "alpha")
	if after := f.shown("alpha"); after.Version.Text != "1.39.17" || after.Wanted != "1.43.9" || after.Upgrade.Text != "rolled back" {
		t.Errorf("after the rollback: %+v", after)
	}
}

// shownRow is a tenant's row in a page.
type shownRow struct {
	Name, Wanted                   string
	Version, Size, Backup, Upgrade struct {
		Text string `json:"t"`
	}
	Upgrades []struct{ Took, Outcome string }
}

// shown reads a tenant's row from the data of report.html.
func (f *farm) shown(name string) shownRow {
	f.t.Helper()
	_, after, _ := strings.Cut(f.read("report.html"), `id="data">`)
	text, _, _ := strings.Cut(after, "</script>")
	var data struct{ Rows []shownRow }
	must(f.t, json.Unmarshal([]byte(text), &data))
	for _, row := range data.Rows {
		if row.Name == name {
			return row
		}
	}
	f.t.Fatalf("the page has no %s", name)
	return shownRow{}
}
