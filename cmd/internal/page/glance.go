package page

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/rules"
)

// total is one of the numbers at the top of the page.
type total struct {
	Label, Value, More string
	Tone               string // of a severity; empty if all is well
}

// totals returns the numbers at the top.
func totals(r FarmReport, rows []pageRow) []total {
	return []total{wikisTotal(r, rows), sizeTotal(rows), findingsTotal(r.Audit), backupTotal(rows)}
}

func wikisTotal(r FarmReport, rows []pageRow) total {
	t := total{Label: "Wikis", Value: tenants.Grouped(len(rows))}
	if r.Ledger == nil {
		t.More = "as the definitions have them"
		return t
	}
	missing, behind := 0, 0
	for _, row := range rows {
		switch {
		case row.Version.Key == 0:
			missing++
		case row.Wanted != "":
			behind++
		}
	}
	var parts []string
	if behind > 0 {
		parts = append(parts, tenants.Grouped(behind)+" to upgrade")
	}
	if missing > 0 {
		parts = append(parts, tenants.Grouped(missing)+" not created")
	}
	t.More = strings.Join(parts, ", ")
	if len(parts) == 0 {
		t.More = "all on the version wanted"
	}
	return t
}

func sizeTotal(rows []pageRow) total {
	var sum float64
	var largest pageRow
	for _, row := range rows {
		if row.Size.Key > 0 {
			sum += row.Size.Key
		}
		if row.Size.Key > largest.Size.Key {
			largest = row
		}
	}
	if largest.Name == "" {
		return total{Label: "Databases", Value: "–", More: "no size is known"}
	}
	return total{Label: "Databases", Value: byteSize(int64(sum)), More: "largest: " + largest.Name + ", " + largest.Size.Text}
}

func findingsTotal(r *audit.Report) total {
	t := total{Label: "Findings", Value: "none"}
	if r == nil {
		return total{Label: t.Label, Value: "–", More: "the audit did not run"}
	}
	var parts []string
	for _, s := range []audit.Severity{audit.Error, audit.Warning, audit.Note} {
		n := r.Count(s)
		switch {
		case n == 0:
		case t.Tone == "":
			t.Value, t.Tone = groupedPlural(n, s.String()), s.String()
		default:
			parts = append(parts, groupedPlural(n, s.String()))
		}
	}
	if r.Ignored > 0 {
		parts = append(parts, tenants.Grouped(r.Ignored)+" ignored")
	}
	t.More = strings.Join(parts, ", ")
	return t
}

func backupTotal(rows []pageRow) total {
	t := total{Label: "Oldest backup", Value: "–"}
	oldest := pageRow{Backup: cell{Key: -1}}
	without, unread := 0, 0
	for _, row := range rows {
		switch {
		case row.Backup.Key < 0:
			unread++
		case row.Backup.Key >= never:
			without++
		case row.Backup.Key > oldest.Backup.Key:
			oldest = row
		}
	}
	var parts []string
	if oldest.Name != "" {
		t.Value, t.Tone = oldest.Backup.Text, oldest.Backup.Tone
		parts = append(parts, oldest.Name)
	}
	if without > 0 {
		parts = append(parts, tenants.Grouped(without)+" without any")
	}
	if unread > 0 {
		parts = append(parts, tenants.Grouped(unread)+" not read")
	}
	t.More = strings.Join(parts, ", ")
	return t
}

// share is one part of a whole.
type share struct {
	Name   string
	Count  string
	Size   string  // of the databases; empty if unknown
	At, Of float64 // start and width, of 100
	Shade  int     // 0 (empty) to shades
}

// shades is the number of tints for versions in page.css.
const shades = 6

// versionShares counts the tenants by the version that they run, oldest first; without
// the ledger, by the wanted version.
func versionShares(ledgerRead bool, rows []pageRow) (list []share, are string) {
	are = "wanted"
	counts, keys := map[string]int{}, map[string]float64{}
	for _, row := range rows {
		version, _, _ := strings.Cut(row.Version.Text, ",")
		key := row.Version.Key
		if !ledgerRead {
			version, key = row.Wanted, versionKey(row.Wanted)
		}
		counts[version]++
		keys[version] = key
	}
	if ledgerRead {
		are = "run"
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(keys[a], keys[b]), strings.Compare(a, b))
	})
	at := 0.0
	for i, name := range names {
		of := 100 * float64(counts[name]) / float64(len(rows))
		s := share{Name: name, Count: tenants.Grouped(counts[name]), At: at, Of: of}
		if keys[name] > 0 { // the newest is darkest
			s.Shade = max(shades-(len(names)-1-i), 1)
		}
		list = append(list, s)
		at += of
	}
	return list, are
}

// serverShares counts the tenants and the sizes of their databases by server.
func serverShares(r FarmReport, rows []pageRow) []share {
	counts, sizes := map[string]int{}, map[string]float64{}
	for _, row := range rows {
		counts[row.Server]++
		sizes[row.Server] += max(row.Size.Key, 0)
	}
	var list []share
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		s := share{Name: name, Count: tenants.Grouped(counts[name]), Of: 100 * float64(counts[name]) / float64(len(rows)), Size: "not read"}
		if _, read := r.Sizes[name]; read {
			s.Size = byteSize(int64(sizes[name]))
		}
		list = append(list, s)
	}
	return list
}

// ruleCount is the number of tenants with findings of a rule.
type ruleCount struct {
	Rule, Severity, What string
	Tenants              string // number of tenants; empty: the farm as a whole
}

// ruleCounts lists the rules with findings, the worst and most frequent first.
func ruleCounts(findings []audit.Finding) []ruleCount {
	worst, who := map[string]audit.Severity{}, map[string]map[string]bool{}
	for _, f := range findings {
		if who[f.Rule] == nil {
			who[f.Rule] = map[string]bool{}
		}
		worst[f.Rule] = max(worst[f.Rule], f.Severity)
		for _, name := range f.Tenants {
			who[f.Rule][name] = true
		}
	}
	all := slices.SortedFunc(maps.Keys(who), func(a, b string) int {
		return cmp.Or(-cmp.Compare(worst[a], worst[b]), -cmp.Compare(len(who[a]), len(who[b])), strings.Compare(a, b))
	})
	var list []ruleCount
	for _, id := range all {
		rule, _ := rules.Find(id)
		count := ""
		if len(who[id]) > 0 {
			count = tenants.Grouped(len(who[id]))
		}
		list = append(list, ruleCount{id, worst[id].String(), rule.What, count})
	}
	return list
}

// groupedPlural returns a text such as "1,234 errors".
func groupedPlural(n int, noun string) string {
	_, rest, _ := strings.Cut(ui.Plural(n, noun), " ")
	return tenants.Grouped(n) + " " + rest
}
