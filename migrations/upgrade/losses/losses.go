// Package losses finds what MediaWiki's updater left out of an upgraded database. It
// compares counts of rows of before and after with what the updater is known to do to
// each table, and reads what its scripts say. It knows nothing of servers or tenants.
package losses

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Snapshot is what is counted of a wiki's database before and after its upgrade.
type Snapshot struct {
	Rows    map[string]int64 `json:"rows"`    // of each table
	Columns map[string]bool  `json:"columns"` // those of Columns that are there
	Counts  map[string]int64 `json:"counts"`  // answers to Conditions, by name
}

// Loss is something that the updater did not take along.
type Loss struct {
	Table string // of before; empty: a script said so, and no table lacks anything
	Rows  int64  // or lines that a script printed
	What  string // such as "left out 1 block"; "update.php" is to stand before it
	IDs   string // the first few of the rows, such as "ipb_id 1, 7"; may be empty
}

// String is such as "update.php left out 1 block (ipb_id 1)".
func (l Loss) String() string {
	if l.IDs == "" {
		return "update.php " + l.What
	}
	return "update.php " + l.What + " (" + l.IDs + ")"
}

// Condition counts some rows of a table.
type Condition struct {
	Name  string // by which Snapshot.Counts has the answer
	Table string
	Where string // SQL; Database stands for the wiki's database
	ID    string // the column that tells which rows these are
}

// Database stands in Condition.Where for the quoted name of the wiki's database.
const Database = "{database}"

// Columns are the columns whose presence Compare needs to know, such as
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

// Conditions are the rows to count in a database of which Rows and Columns are known.
// Before an upgrade before is nil; after it, it tells what the upgrade changed, and only
// that is counted: a scan of a large table takes seconds.
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

// Compare finds what is missing after an upgrade, the largest losses first. said are the
// lines by which the updater's scripts say that they skipped something.
func Compare(before, after Snapshot, said []string) []Loss {
	var all []Loss
	for _, table := range slices.Sorted(maps.Keys(before.Rows)) {
		if rows := before.Rows[table]; rows > 0 && !trimmed[table] {
			all = append(all, compareTable(table, rows, before, after, &said)...)
		}
	}
	for _, f := range fills {
		if n := after.Counts[f.table]; n > 0 && f.done(before, after) {
			all = append(all, Loss{Table: f.table, Rows: n, What: "left " + number(n, f.one, f.many) + " " + f.without})
		}
	}
	if len(said) > 0 {
		all = append(all, Loss{Rows: int64(len(said)), What: "said: " + strings.Join(said[:min(len(said), mostSaid)], " | ")})
	}
	slices.SortStableFunc(all, func(a, b Loss) int { return cmp.Compare(b.Rows, a.Rows) })
	return all
}

// mostSaid is how many of a script's lines a Loss has.
const mostSaid = 5

// compareTable compares a table that had rows. Lines that tell of its rows are taken out
// of said.
func compareTable(table string, rows int64, before, after Snapshot, said *[]string) []Loss {
	left, there := after.Rows[table]
	if there {
		if left >= rows {
			return nil
		}
		return []Loss{{Table: table, Rows: rows - left, What: fmt.Sprintf("removed %s of %s", number(rows-left, "row", "rows"), table)}}
	}
	m, known := moveOf(table)
	if !known {
		return []Loss{{Table: table, Rows: rows, What: fmt.Sprintf("dropped the table %s, which had %s", table, number(rows, "row", "rows"))}}
	}
	missing, sure := m.missing(rows, before, after)
	if !sure || missing <= 0 {
		return nil
	}
	l := Loss{Table: table, Rows: missing, What: "left out " + number(missing, m.one, m.many)}
	l.IDs = m.identify(said)
	return []Loss{l}
}

// number is such as "1 block" or "2 blocks".
func number(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Identify adds to losses which rows they are: ids has the first few values of
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

// MostIDs is how many ids a Loss names.
const MostIDs = 5

// idList is such as "el_id 1, 2, 3, 4, 5 and more".
func idList(column string, ids []string) string {
	text := column + " " + strings.Join(ids[:min(len(ids), MostIDs)], ", ")
	if len(ids) > MostIDs {
		text += " and more"
	}
	return text
}
