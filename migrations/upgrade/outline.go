package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/tenants/plan"
)

// figures are the totals of an upgrade, in JSON.
type figures struct {
	Waves   int     `json:"waves"`
	Space   int64   `json:"space"`   // bytes that the dumps may need
	Free    int64   `json:"free"`    // bytes on the disk for dumps
	Seconds float64 `json:"seconds"` // expected, without pauses

	DataFolders []DataFolder `json:"data_folders"`
	Unseen      []string     `json:"unseen_disks"` // of servers
}

// Outline returns the plan in the form that all commands share. A tenant's details are
// its Planned.
func (p *Plan) Outline() *plan.Plan {
	o := &plan.Plan{Unchanged: p.Unchanged, Digest: p.Digest, Notes: p.notes(), Details: figures{p.Waves, p.Space, p.Free, p.Seconds, append([]DataFolder{}, p.DataFolders...), append([]string{}, p.Unseen...)}}
	for _, j := range p.Tenants {
		o.Tenants = append(o.Tenants, j.outline())
	}
	return o
}

// notes describes the run as a whole; there are none if all tenants are blocked.
func (p *Plan) notes() []string {
	if !slices.ContainsFunc(p.Tenants, func(j *Planned) bool { return len(j.Problems) == 0 }) {
		return nil
	}
	note := fmt.Sprintf("%s, in about %s", waveCount(p.Waves), forecast.Text(p.Seconds))
	if p.Space > 0 {
		note += fmt.Sprintf("; the dumps may need %d MB of the %d MB that are free", 1+p.Space>>20, p.Free>>20)
	}
	notes := []string{note}
	for _, f := range p.DataFolders {
		notes = append(notes, fmt.Sprintf("copies of tables and ways back may need %d MB of the %d MB that are free in %s", 1+f.Space>>20, f.Free>>20, f.Path))
	}
	if len(p.Unseen) > 0 {
		notes = append(notes, fmt.Sprintf("the disk of server %s can't be seen from here: make sure that it has room for copies of the largest tables", strings.Join(p.Unseen, " and server ")))
	}
	return notes
}

func waveCount(n int) string {
	if n == 1 {
		return "all in 1 wave"
	}
	return fmt.Sprintf("in %d waves", n)
}

// outline describes the plan for one tenant.
func (j *Planned) outline() *plan.Tenant {
	t := &plan.Tenant{Name: j.Name, Details: j}
	for _, problem := range j.Problems {
		t.Add(plan.Blocked, "%s", problem)
	}
	if len(j.Problems) == 0 {
		t.Add(plan.Upgrade, "%s", j.sentence())
		for _, name := range j.SQL {
			t.Add(plan.Upgrade, "apply migrations/%s", name)
		}
	}
	if j.Interrupted != "" {
		t.Add(plan.Remark, "an earlier run was interrupted while %s; its upgrade is finished or put back first", j.Interrupted)
	}
	for _, remark := range j.Remarks {
		t.Add(plan.Remark, "%s", remark)
	}
	return t
}

// sentence names versions, wave, schema, size and expected time of an upgrade.
func (j *Planned) sentence() string {
	what := fmt.Sprintf("from MediaWiki %s to %s", j.Old, j.New)
	if j.Old == j.New {
		what = "MediaWiki " + j.New
	}
	what += fmt.Sprintf(", wave %d, schema %s, %d MB, read-only for about %s", j.Wave, j.Level, j.Bytes>>20, forecast.Text(j.Seconds))
	if j.Jobs > 0 {
		what += fmt.Sprintf(", %d jobs queued", j.Jobs)
	}
	return what
}

// OutlineUndos returns a rollback of undos in the form that all commands share; unchanged
// is the number of tenants without an upgrade to undo. A tenant's details are its Undo.
func OutlineUndos(undos []*Undo, unchanged int) *plan.Plan {
	o := &plan.Plan{Unchanged: unchanged}
	for _, u := range undos {
		o.Tenants = append(o.Tenants, u.outline())
	}
	return o
}

// listedFiles is the number of lost uploads that are named.
const listedFiles = 10

func (u *Undo) outline() *plan.Tenant {
	t := &plan.Tenant{Name: u.Name, Details: undoDetails{u, plan.Moment(u.Since), plan.Moment(u.Dump)}}
	if u.Problem != "" {
		t.Add(plan.Blocked, "%s", u.Problem)
		return t
	}
	t.Add(plan.Rollback, "from MediaWiki %s to %s: %s", u.New, u.Old, u.loss())
	if len(u.Files) > 0 {
		t.Add(plan.Remark, "uploaded since: %s; an earlier file of the same name is put back, and the newer one stays in the folder images", firstFiles(u.Files, int(u.Uploads)))
	}
	return t
}

// firstFiles lists the first names of files, and says whether there are more of them.
func firstFiles(names []string, all int) string {
	text := strings.Join(names[:min(len(names), listedFiles)], ", ")
	if all > listedFiles {
		text += " and more"
	}
	return text
}

// loss describes the content that a rollback would lose.
func (u *Undo) loss() string {
	switch {
	case u.Remark != "":
		return u.Remark
	case u.Since.IsZero():
		return "the upgrade that was interrupted while " + string(u.Interrupted) + " is ended"
	}
	return fmt.Sprintf("%s since %s UTC are lost", u.Lost, u.Since.Format(time.DateTime))
}

// undoDetails is an Undo in JSON.
type undoDetails struct {
	*Undo
	Since *time.Time `json:"since"` // null: it was not open since
	Dump  *time.Time `json:"dump"`
}
