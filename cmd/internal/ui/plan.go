package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"wikictl/tenants/provision"
)

// PlanDocument is a plan in JSON.
type PlanDocument struct {
	Command string                `json:"command"`
	Counts  PlanCounts            `json:"counts"`
	Tenants []*provision.Planned  `json:"tenants"`
	Farm    []provision.Entry     `json:"farm"` // of no tenant
	Left    []*provision.Leftover `json:"left"`
	Unseen  []string              `json:"unseen"` // what whoever looked may not see
	Seconds float64               `json:"seconds"`
}

// PlanCounts says how many tenants have differences of each kind.
type PlanCounts struct {
	Make      int `json:"make"`
	Change    int `json:"change"`
	Rename    int `json:"rename"`
	Upgrade   int `json:"upgrade"`
	Blocked   int `json:"blocked"`
	Left      int `json:"left"`
	Unchanged int `json:"unchanged"`
}

func countPlan(p *provision.Plan) PlanCounts {
	return PlanCounts{
		Make: p.Count(provision.Make), Change: p.Count(provision.Change), Rename: p.Count(provision.Rename),
		Upgrade: p.Count(provision.Upgrade), Blocked: p.Count(provision.Blocked), Left: p.Count(provision.Left),
		Unchanged: p.Unchanged,
	}
}

// NewPlanDocument is the document of a plan that took so long to make.
func NewPlanDocument(command string, p *provision.Plan, elapsed time.Duration) PlanDocument {
	d := PlanDocument{Command: command, Counts: countPlan(p), Tenants: p.Tenants, Farm: p.Farm, Left: p.Left, Unseen: append([]string{}, p.Unseen...), Seconds: elapsed.Seconds()}
	if d.Tenants == nil {
		d.Tenants = []*provision.Planned{}
	}
	if d.Farm == nil {
		d.Farm = []provision.Entry{}
	}
	if d.Left == nil {
		d.Left = []*provision.Leftover{}
	}
	return d
}

// Plan prints a plan as text: each tenant that differs, the diffs of the first so
// many, what is left over in full, and a total.
func Plan(out io.Writer, command string, p *provision.Plan, diffs int) error {
	var b strings.Builder
	hidden := 0
	var blocked Grouped
	for _, e := range p.Farm {
		fmt.Fprintf(&b, "%s the farm: %s\n%s", e.Kind, Clean(e.What), Clean(e.Diff))
	}
	for _, t := range p.Tenants {
		shown := diffs > 0
		for _, e := range t.Entries {
			if e.Kind == provision.Blocked {
				blocked.Add(e.What, t.Name)
				continue
			}
			fmt.Fprintf(&b, "%s %s: %s\n", e.Kind, t.Name, Clean(e.What))
			if shown {
				b.WriteString(Clean(e.Diff))
			}
		}
		switch {
		case !t.Is(provision.Change):
		case shown:
			diffs--
		default:
			hidden++
		}
	}
	blocked.Print(&b, string(provision.Blocked))
	for _, left := range p.Left {
		printLeftover(&b, left)
	}
	if hidden > 0 {
		fmt.Fprintf(&b, "the diffs of %d more tenants are not shown; --diffs N shows those of N\n", hidden)
	}
	for _, what := range p.Unseen {
		fmt.Fprintf(&b, "not seen: %s\n", Clean(what))
	}
	b.WriteString(planTotal(command, p))
	_, err := io.WriteString(out, b.String())
	return err
}

func printLeftover(b *strings.Builder, left *provision.Leftover) {
	fmt.Fprintf(b, "left %s: nothing defines it any more\n", left.Name)
	if left.Problem != "" {
		fmt.Fprintf(b, "  can't be removed: %s\n", Clean(left.Problem))
	}
	for _, item := range left.Items {
		fmt.Fprintf(b, "  %s\n", Clean(item))
	}
	for _, item := range left.Kept {
		fmt.Fprintf(b, "  stays: %s\n", Clean(item))
	}
}

func planTotal(command string, p *provision.Plan) string {
	if p.Empty() && len(p.Unseen) > 0 {
		return fmt.Sprintf("%s: no changes in what was seen\n", command)
	}
	if p.Empty() {
		return fmt.Sprintf("%s: no changes, %d unchanged\n", command, p.Unchanged)
	}
	c := countPlan(p)
	total := fmt.Sprintf("%s: %d to make, %d to change, %d to rename, %d to upgrade, %d in the way, %d left over, %d unchanged\n",
		command, c.Make, c.Change, c.Rename, c.Upgrade, c.Blocked, c.Left, c.Unchanged)
	if c.Upgrade > 0 {
		total += "wikictl upgrade --dry-run shows the upgrades; apply leaves them alone\n"
	}
	if c.Left > 0 {
		total += "wikictl apply --all --prune removes what is left over; files and a dump of each database go to state/removed\n"
		if n, allowed := p.Removals(); n > allowed {
			total += fmt.Sprintf("that is more than %d, a tenth of the farm: it wants --max-removals %d, too\n", allowed, n)
		}
	}
	return total
}
