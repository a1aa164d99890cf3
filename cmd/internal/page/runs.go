package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// runLine is one of the latest runs of any command.
type runLine struct {
	ID, Command, Holder, Started, Took string
	Done, Unchanged, Failed, Skipped   int
}

// shownRuns is the number of runs that the page lists.
const shownRuns = 10

func runLines(runs []ledger.Run, now time.Time) []runLine {
	var lines []runLine
	for _, r := range runs[:min(shownRuns, len(runs))] {
		line := runLine{r.ID, r.Command, r.Holder, dateTime(r.Started), "not ended", r.Done, r.Same, r.Failed, r.Skipped}
		if r.Finished.Valid {
			line.Took = durationText(r.Finished.Time.Sub(r.Started))
		}
		lines = append(lines, line)
	}
	return lines
}

// runChart is a chart of the upgrades of one run: a column per wiki in the order of their
// start, with a height proportional to the duration.
type runChart struct {
	Run, Started, Versions string
	Summary                string // the chart in words
	ReadOnly               spread
	Top, Half              string // labels of the horizontal lines
	Width                  int    // of the coordinates; the height is 100
	Each                   int    // wikis per column
	Columns                []column
	Gaps                   []int // columns before which all earlier upgrades had ended, as between waves
}

// column is one wiki or, in a large run, several.
type column struct {
	X          float64
	Y, Height  float64 // of the median duration
	Peak, Over float64 // top of the longest duration, and its height above the median
	Bad        float64 // part of Height for failed upgrades
	BadY       float64
	Tone       string // of the worst upgrade
	Title      string
}

const (
	shownCharts = 4   // number of runs with a chart
	mostColumns = 180 // more are indistinguishable
	leastWidth  = 36  // so that few columns are not too wide
	mostGaps    = 9   // more are not waves: the wikis were upgraded one after the other
)

// runCharts returns charts of the latest runs with upgrades, newest first.
func runCharts(past []pastUpgrade) []runChart {
	byRun := map[string][]pastUpgrade{}
	var runs []string
	for _, u := range past {
		if u.rolledBack {
			continue // its duration was overwritten
		}
		if byRun[u.Run] == nil {
			runs = append(runs, u.Run)
		}
		byRun[u.Run] = append(byRun[u.Run], u)
	}
	var charts []runChart
	for _, run := range slices.Backward(runs[max(len(runs)-shownCharts, 0):]) {
		charts = append(charts, newRunChart(byRun[run]))
	}
	return charts
}

// newRunChart returns the chart of one run's upgrades, which are in the order of their
// start.
func newRunChart(list []pastUpgrade) runChart {
	top := longest(list)
	c := runChart{
		Run: list[0].Run, Started: dateTime(list[0].Started.Time), Versions: versionsText(list),
		Top: durationText(top.took), Half: durationText(top.took / 2), Each: (len(list) + mostColumns - 1) / mostColumns,
	}
	c.Summary, c.ReadOnly = summaryText(list), newSpread(list)
	for chunk := range slices.Chunk(list, c.Each) {
		c.Columns = append(c.Columns, newColumn(len(c.Columns), chunk, top.took))
	}
	c.Width = max(len(c.Columns), leastWidth)
	c.Gaps = gaps(list, c.Each)
	return c
}

func newColumn(at int, chunk []pastUpgrade, top time.Duration) column {
	byTime := slices.SortedFunc(slices.Values(chunk), func(a, b pastUpgrade) int { return int(a.took - b.took) })
	most := byTime[len(byTime)-1]
	height := func(d time.Duration) float64 { return 100 * float64(d) / float64(max(top, 1)) }
	median := height(byTime[len(byTime)/2].took)
	c := column{
		X: float64(at) + 0.12, Y: 100 - median, Height: median,
		Peak: 100 - height(most.took), Over: height(most.took) - median, Title: columnTitle(most, len(chunk)),
	}
	bad := 0
	for _, u := range chunk {
		if u.tone != "" {
			bad++
		}
		if c.Tone != "error" {
			c.Tone = u.tone
		}
	}
	c.Bad = median * float64(bad) / float64(len(chunk))
	c.BadY = 100 - c.Bad
	return c
}

func columnTitle(u pastUpgrade, of int) string {
	text := fmt.Sprintf("%s: %s, %s, read-only %s", u.Tenant, u.outcome, durationText(u.took), durationText(u.readOnly))
	if of > 1 {
		text = fmt.Sprintf("%d wikis, of which the longest %s", of, text)
	}
	return text
}

// gaps returns the columns before which all earlier upgrades had ended.
func gaps(list []pastUpgrade, each int) []int {
	var at []int
	var latest time.Time
	for i, u := range list {
		if i >= each && u.Started.Time.After(latest) {
			at = append(at, i/each)
		}
		if end := u.Started.Time.Add(u.took); end.After(latest) {
			latest = end
		}
	}
	if len(at) > mostGaps {
		return nil
	}
	return at
}

func longest(list []pastUpgrade) pastUpgrade {
	return slices.MaxFunc(list, func(a, b pastUpgrade) int { return int(a.took - b.took) })
}

// versionsText returns a text such as "1.39.17 → 1.43.9", or the number of different
// pairs.
func versionsText(list []pastUpgrade) string {
	seen := map[string]bool{}
	for _, u := range list {
		seen[u.OldVersion+" → "+u.NewVersion] = true
	}
	if len(seen) > 1 {
		return fmt.Sprintf("%d pairs of versions", len(seen))
	}
	return list[0].OldVersion + " → " + list[0].NewVersion
}

// summaryText counts the wikis of a run by outcome.
func summaryText(list []pastUpgrade) string {
	counts := map[string]int{}
	for _, u := range list {
		counts[u.outcome]++
	}
	var parts []string
	for _, outcome := range []string{upgraded, "restored", "kept read-only", "not ended"} {
		if n := counts[outcome]; n > 0 {
			parts = append(parts, tenants.Grouped(n)+" "+outcome)
		}
	}
	return strings.Join(parts, ", ")
}

// spread describes the read-only times of a run's wikis, of 100 for the longest.
type spread struct {
	Text                string
	Least, Most, Median float64 // Most is the width up to the 95th percentile
}

func newSpread(list []pastUpgrade) spread {
	times := make([]time.Duration, len(list))
	for i, u := range list {
		times[i] = u.readOnly
	}
	slices.Sort(times)
	at := func(percent int) time.Duration { return times[(len(times)-1)*percent/100] }
	of := func(d time.Duration) float64 { return 100 * float64(d) / float64(max(at(100), 1)) }
	text := fmt.Sprintf("median %s, 95 %% within %s, longest %s", durationText(at(50)), durationText(at(95)), durationText(at(100)))
	return spread{text, of(at(0)), of(at(95)) - of(at(0)), of(at(50))}
}
