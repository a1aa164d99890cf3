package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"wikictl/tenants/plan"
)

// PlanDocument is the planned work of a command in JSON.
type PlanDocument struct {
	Command string     `json:"command"`
	Counts  PlanCounts `json:"counts"`
	*plan.Plan
	Seconds float64 `json:"seconds"`
}

// PlanCounts counts tenants by kinds of entries.
type PlanCounts struct {
	Make      int `json:"make"`
	Change    int `json:"change"`
	Rename    int `json:"rename"`
	Upgrade   int `json:"upgrade"`
	Rollback  int `json:"rollback"`
	Undelete  int `json:"undelete"`
	Backup    int `json:"backup"`
	Restore   int `json:"restore"`
	Clone     int `json:"clone"`
	Delete    int `json:"delete"`
	Purge     int `json:"purge"`
	Blocked   int `json:"blocked"`
	Leftovers int `json:"left"`
	Unchanged int `json:"unchanged"`
}

// NewPlanDocument returns the document of a plan that took elapsed to make. Its lists are
// never null.
func NewPlanDocument(command string, p *plan.Plan, elapsed time.Duration) PlanDocument {
	whole := *p
	whole.Tenants = append([]*plan.Tenant{}, p.Tenants...)
	whole.Farm = append([]plan.Entry{}, p.Farm...)
	whole.Leftovers = append([]*plan.Leftover{}, p.Leftovers...)
	whole.Unseen = append([]string{}, p.Unseen...)
	whole.Notes = append([]string{}, p.Notes...)
	return PlanDocument{Command: command, Plan: &whole, Seconds: elapsed.Seconds(), Counts: PlanCounts{
		Make: p.Count(plan.Make), Change: p.Count(plan.Change), Rename: p.Count(plan.Rename), Upgrade: p.Count(plan.Upgrade),
		Rollback: p.Count(plan.Rollback), Undelete: p.Count(plan.Undelete), Backup: p.Count(plan.Backup), Restore: p.Count(plan.Restore), Clone: p.Count(plan.Clone), Delete: p.Count(plan.Delete), Purge: p.Count(plan.Purge), Blocked: p.Count(plan.Blocked), Leftovers: p.Count(plan.Undefined),
		Unchanged: p.Unchanged,
	}}
}

// Plan prints a plan as text: a line per entry, the diffs of the first tenants that
// change, blocked tenants, all leftovers, the contents of the first ones, and a total.
func Plan(out io.Writer, command string, p *plan.Plan, diffs int) error {
	b := planText{diffs: diffs}
	for _, e := range p.Farm {
		fmt.Fprintf(&b, "%s the farm: %s\n%s", e.Kind, Clean(e.What), Clean(e.Diff))
	}
	for _, t := range p.Tenants {
		b.tenant(t)
	}
	b.blocked.Print(&b, string(plan.Blocked))
	b.remarks.Print(&b, string(plan.Remark))
	for i, left := range p.Leftovers {
		b.leftover(left, i < diffs)
	}
	if more := len(p.Leftovers) - diffs; more > 0 {
		fmt.Fprintf(&b, "what %d more leftovers consist of is not shown; --diffs N shows it for N\n", more)
	}
	if b.hidden > 0 {
		fmt.Fprintf(&b, "the diffs of %d more tenants are not shown; --diffs N shows those of N\n", b.hidden)
	}
	for _, what := range p.Unseen {
		fmt.Fprintf(&b, "not seen: %s\n", Clean(what))
	}
	b.WriteString(command + ": " + planTotal(p) + "\n")
	for _, note := range p.Notes {
		b.WriteString(Clean(note) + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// planText prints a plan.
type planText struct {
	strings.Builder
	diffs            int // number of further tenants whose diffs are printed
	hidden           int // number of tenants whose diffs are omitted
	blocked, remarks Grouped
}

func (b *planText) tenant(t *plan.Tenant) {
	diffs := false
	for _, e := range t.Entries {
		switch e.Kind {
		case plan.Blocked:
			b.blocked.Add(e.What, t.Name)
			continue
		case plan.Remark:
			b.remarks.Add(e.What, t.Name)
			continue
		}
		fmt.Fprintf(b, "%s %s: %s\n", e.Kind, t.Name, Clean(e.What))
		diffs = diffs || e.Diff != ""
		if b.diffs > 0 {
			b.WriteString(Clean(e.Diff))
		}
	}
	switch {
	case !diffs:
	case b.diffs > 0:
		b.diffs--
	default:
		b.hidden++
	}
}

// leftover prints a leftover and why it can't be removed; if whole, also its databases,
// accounts and files.
func (b *planText) leftover(left *plan.Leftover, whole bool) {
	fmt.Fprintf(b, "left %s: nothing defines it any more\n", left.Name)
	if left.Problem != "" {
		fmt.Fprintf(b, "  can't be removed: %s\n", Clean(left.Problem))
	}
	if !whole {
		return
	}
	for _, item := range left.Items {
		fmt.Fprintf(b, "  %s\n", Clean(item))
	}
	for _, item := range left.Kept {
		fmt.Fprintf(b, "  stays: %s\n", Clean(item))
	}
}

// planTotal counts the tenants of a plan in one line.
func planTotal(p *plan.Plan) string {
	if p.Empty() && len(p.Unseen) > 0 {
		return "no changes in what was seen"
	}
	unchanged := fmt.Sprintf("%d unchanged", p.Unchanged)
	if p.Empty() {
		return "no changes, " + unchanged
	}
	var counts []string
	for _, one := range []struct {
		kind plan.Kind
		text string
	}{
		{plan.Make, "to make"}, {plan.Change, "to change"}, {plan.Rename, "to rename"}, {plan.Upgrade, "to upgrade"},
		{plan.Rollback, "to roll back"}, {plan.Undelete, "to bring back"},
		{plan.Backup, "to back up"}, {plan.Restore, "to restore"}, {plan.Clone, "to clone"}, {plan.Delete, "to delete"}, {plan.Purge, "to purge"}, {plan.Blocked, "blocked"}, {plan.Undefined, "left over"},
	} {
		if n := p.Count(one.kind); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, one.text))
		}
	}
	return strings.Join(append(counts, unchanged), ", ")
}
