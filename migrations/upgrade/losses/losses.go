// Package losses finds rows that MediaWiki's updater left out of an upgraded database. It
// compares counts of rows before and after with the known changes of the updater to each
// table, and reads the output of its scripts. It knows nothing of servers or tenants.
package losses

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Snapshot holds the counts of a wiki's database before or after its upgrade.
type Snapshot struct {
	Rows    map[string]int64 `json:"rows"`    // of each table
	Columns map[string]bool  `json:"columns"` // the existing ones of Columns
	Counts  map[string]int64 `json:"counts"`  // results of Conditions, by name

	Foreign map[string][]string `json:"foreign,omitempty"` // results of Foreign
	Objects []string            `json:"objects,omitempty"` // views, triggers, routines and events that work, such as "view v"
}

// Loss is data that the updater left out.
type Loss struct {
	Table string // from before; empty: a script reported it, and no table lacks rows
	Rows  int64  // or lines that a script printed
	What  string // such as "left out 1 block", to follow "update.php"
	IDs   string // the first few of the rows, such as "ipb_id 1, 7"; may be empty
}

// String returns a text such as "update.php left out 1 block (ipb_id 1)".
func (l Loss) String() string {
	if l.IDs == "" {
		return "update.php " + l.What
	}
	return "update.php " + l.What + " (" + l.IDs + ")"
}

// Condition counts some rows of a table.
type Condition struct {
	Name  string // key of the result in Snapshot.Counts
	Table string
	Where string // SQL; Database stands for the wiki's database
	ID    string // column that identifies the rows
}

// Database is the placeholder in Condition.Where for the quoted name of the wiki's
// database.
const Database = "{database}"

// Columns lists the columns whose presence Compare needs to know, such as
// "externallinks.el_to".
func Columns() []string {
	var names []string
	for _, m := range moves {
		if m.column != "" {
			names = append(names, m.to+"."+m.column)
		}
	}
	for _, f := range fills {
		names = append(names, f.table+"."+f.old, f.table+"."+f.column)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// Conditions lists the rows to count in a database with known Rows and Columns. Before an
// upgrade before is nil; after it, only rows that the upgrade changed are counted,
// because a scan of a large table takes seconds.
func Conditions(now Snapshot, before *Snapshot) []Condition {
	var list []Condition
	for _, m := range moves {
		from := now
		if before != nil {
			from = *before
		}
		_, stays := now.Rows[m.from]
		known := m.column == "" || now.Columns[m.to+"."+m.column]
		if m.where != "" && known && from.Rows[m.from] > 0 && (before == nil || !stays) {
			list = append(list, Condition{Name: m.from, Table: m.to, Where: m.arrived(before == nil)})
		}
	}
	for _, f := range fills {
		if before != nil && f.done(*before, now) {
			list = append(list, Condition{Name: f.table, Table: f.table, Where: f.empty(), ID: f.id})
		}
	}
	return list
}

// Compare lists the losses of an upgrade, the largest first. said are the lines in which
// the updater's scripts say that they skipped something.
func Compare(before, after Snapshot, skipped []string) []Loss {
	var all []Loss
	for _, table := range slices.Sorted(maps.Keys(before.Rows)) {
		if rows := before.Rows[table]; rows > 0 && !trimmed[table] {
			all = append(all, compareTable(table, rows, before, after, &skipped)...)
		}
	}
	for _, f := range fills {
		if n := after.Counts[f.table]; n > 0 && f.done(before, after) {
			all = append(all, Loss{Table: f.table, Rows: n, What: "left " + number(n, f.one, f.many) + " " + f.without})
		}
	}
	for _, object := range before.Objects {
		if !slices.Contains(after.Objects, object) {
			all = append(all, Loss{Rows: 1, What: "left the " + object + " without a table or a column that it needs"})
		}
	}
	if len(skipped) > 0 {
		all = append(all, Loss{Rows: int64(len(skipped)), What: "said: " + strings.Join(skipped[:min(len(skipped), mostSkipped)], " | ")})
	}
	slices.SortStableFunc(all, func(a, b Loss) int { return cmp.Compare(b.Rows, a.Rows) })
	return all
}

// mostSkipped is the maximum number of a script's lines in a Loss.
const mostSkipped = 5

// compareTable compares a table that had rows. It removes lines about its rows from said.
func compareTable(table string, rows int64, before, after Snapshot, skipped *[]string) []Loss {
	left, found := after.Rows[table]
	if found {
		if left >= rows {
			return nil
		}
		return []Loss{{Table: table, Rows: rows - left, What: fmt.Sprintf("removed %s of %s", number(rows-left, "row", "rows"), table)}}
	}
	m, known := moveOf(table)
	if !known {
		return []Loss{{Table: table, Rows: rows, What: fmt.Sprintf("dropped the table %s, which had %s", table, number(rows, "row", "rows"))}}
	}
	var list []Loss
	if missing, sure := m.missing(rows, before, after); sure && missing > 0 {
		list = append(list, Loss{Table: table, Rows: missing, What: "left out " + number(missing, m.one, m.many), IDs: m.identify(skipped)})
	}
	if own := before.Foreign[table]; len(own) > 0 {
		list = append(list, Loss{Table: table, Rows: rows, What: fmt.Sprintf("dropped what is not MediaWiki's in the table %s, which had %s: %s", table, number(rows, "row", "rows"), strings.Join(own, ", "))})
	}
	return list
}

// number formats a count, such as "1 block" or "2 blocks".
func number(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Identify adds the ids of the rows to losses: ids has the first few values of
// Condition.ID, by the condition's name.
func Identify(list []Loss, ids map[string][]string) {
	for i, l := range list {
		for _, f := range fills {
			if f.table == l.Table && len(ids[f.table]) > 0 && l.IDs == "" {
				list[i].IDs = idList(f.id, ids[f.table])
			}
		}
	}
}

// MostIDs is the maximum number of ids in a Loss.
const MostIDs = 5

// idList formats ids, such as "el_id 1, 2, 3, 4, 5 and more".
func idList(column string, ids []string) string {
	text := column + " " + strings.Join(ids[:min(len(ids), MostIDs)], ", ")
	if len(ids) > MostIDs {
		text += " and more"
	}
	return text
}
