// Package forecast estimates the duration of a wiki's upgrade, from the rows of the
// tables that MediaWiki's updater rewrites and from earlier upgrades on this machine, and
// reads the progress from the updater's output. It knows nothing of servers.
package forecast

import (
	"fmt"
	"slices"
	"time"

	"wikictl/tenants"
)

// Wiki holds everything on which the duration of an upgrade depends.
type Wiki struct {
	Old, New string           // MediaWiki's versions, such as "1.39.17"
	Bytes    int64            // of the database's files
	Rows     map[string]int64 // by table; a server's estimate suffices
	Ahead    []string         // tables whose rows were moved while the wiki was open
}

// Phases are the durations of the parts of an upgrade in seconds. The wiki is read-only
// in all of them except Ahead.
type Phases struct {
	Ahead  float64 `json:"ahead"`  // move rows while the wiki is open
	Backup float64 `json:"backup"` // dump the database and read the dump back
	Update float64 `json:"update"` // run update.php
	Rest   float64 `json:"rest"`   // everything else
}

// Total returns how long the wiki is read-only.
func (p Phases) Total() float64 { return p.Backup + p.Update + p.Rest }

// Past is a successful upgrade with its durations.
type Past struct {
	Wiki
	Took Phases
}

// Default durations for a small wiki, and per byte of a database, until upgrades were
// measured: on two cores of 2025 with a disk that flushes in 0.3 ms.
var usual = Phases{Backup: 0.4, Update: 1.2, Rest: 0.8}

const (
	perByte    = 1.0 / 100e6 // seconds of a dump that is read back
	smallBytes = 50e6        // a fresh wiki's database has about 10 MB in 58 files
)

// Rates relate this machine's durations to the defaults.
type Rates struct {
	base   Phases  // of a small wiki
	rows   float64 // factor for work row by row
	backup float64 // factor for the bytes of a dump
}

// Learn derives a machine's rates from earlier upgrades. It uses the median of each kind,
// because single upgrades may have been disturbed.
func Learn(past []Past) Rates {
	r := Rates{base: usual, rows: 1, backup: 1}
	var small, rows, backups []float64
	var rests []float64
	for _, p := range past {
		rests = append(rests, p.Took.Rest)
		if p.byRows() < 0.3*usual.Update {
			small = append(small, p.Took.Update)
		}
	}
	r.base.Update, r.base.Rest = median(small, usual.Update), median(rests, usual.Rest)
	for _, p := range past {
		if work := p.byRows(); work > 2*usual.Update {
			rows = append(rows, max(p.Took.Update-r.base.Update, 0.1*work)/work)
		}
		if p.Took.Backup > 0 && p.Bytes > 0 { // otherwise it had no dump
			backups = append(backups, p.Took.Backup/(usual.Backup+float64(p.Bytes)*perByte))
		}
	}
	r.backup = median(backups, 1)
	// If only small wikis were measured, rows are as slow as these.
	r.rows = median(rows, min(max(r.base.Update/usual.Update, 0.3), 3))
	return r
}

// median returns the median of some numbers, or none for an empty list.
func median(list []float64, none float64) float64 {
	if len(list) == 0 {
		return none
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// Of estimates the duration of a wiki's upgrade; backup reports whether it is dumped.
func (r Rates) Of(w Wiki, backup bool) Phases {
	p := Phases{Ahead: r.Ahead(w, w.Ahead...), Update: r.base.Update + r.rows*w.byRows(), Rest: r.base.Rest}
	if backup {
		p.Backup = r.backup * (usual.Backup + float64(w.Bytes)*perByte)
	}
	return p
}

// byRows returns the updater's time for its rows at the default rates, in seconds.
func (w Wiki) byRows() (seconds float64) {
	for _, s := range w.work() {
		seconds += s.seconds
	}
	return seconds
}

// Ahead estimates how many seconds it takes to move the rows of some tables ahead.
func (r Rates) Ahead(w Wiki, tables ...string) (seconds float64) {
	w.Ahead = nil
	for _, s := range w.work() {
		if s.one && slices.Contains(tables, s.table) {
			seconds += r.rows * s.seconds * s.ahead
		}
	}
	return seconds
}

// OneByOne estimates how many seconds the updater takes for the rows of some tables that
// it processes one by one.
func (r Rates) OneByOne(w Wiki, tables []string) (seconds float64) {
	w.Ahead = nil
	for _, s := range w.work() {
		if s.one && slices.Contains(tables, s.table) {
			seconds += r.rows * s.seconds
		}
	}
	return seconds
}

// share is the updater's work on one table.
type share struct {
	table   string
	rows    int64
	seconds float64 // at the default rates
	one     bool    // one row after the other, as reported by its script
	ahead   float64 // factor of the time to move them ahead
}

// moved is the part of a table's time that remains for the updater after its rows were
// moved ahead: it searches for rows that were added since. With 0.005 the forecast for 1,000,000
// links was 2.5 times what was measured.
const moved = 0.002

// work lists the updater's work on a wiki.
func (w Wiki) work() (list []share) {
	for _, k := range known {
		rows := w.Rows[k.table]
		if rows == 0 || !k.between(w.Old, w.New) {
			continue
		}
		s := share{k.table, rows, float64(rows) * k.perRow(rows, w.Rows["page"]), k.one, k.ahead}
		if k.one && slices.Contains(w.Ahead, k.table) {
			s.seconds *= moved
		}
		list = append(list, s)
	}
	return list
}

// slow is the number of seconds from which a table is worth a remark.
const slow = 20

// Remarks names the tables whose rows take the updater long.
func (r Rates) Remarks(w Wiki) (remarks []string) {
	for _, s := range w.work() {
		if seconds := r.rows * s.seconds; s.one && seconds >= slow {
			remarks = append(remarks, fmt.Sprintf("update.php goes through %s rows of %s one by one, for about %s", tenants.Grouped(s.rows), s.table, Text(seconds)))
		}
	}
	return remarks
}

// Text formats a duration in seconds, such as "8 s", "32 min" or "3.5 h".
func Text(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case seconds < 99.5:
		return fmt.Sprintf("%.0f s", max(seconds, 1))
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}
