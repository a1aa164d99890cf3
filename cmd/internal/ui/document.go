package ui

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"wikictl/tenants/session"
)

// Document is the result of a run, for text and JSON.
type Document struct {
	Command string         `json:"command"`
	Run     string         `json:"run,omitempty"`
	Counts  Counts         `json:"counts"`
	Tenants []TenantResult `json:"tenants"`
	Seconds float64        `json:"seconds"`
}

// Counts counts tenants by status.
type Counts struct {
	Done      int `json:"done"`
	Unchanged int `json:"unchanged"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Blocked   int `json:"blocked"`
}

// TenantResult is one tenant of a Document.
type TenantResult struct {
	Name    string       `json:"name"`
	Status  string       `json:"status"`
	Seconds float64      `json:"seconds"`
	Steps   []StepResult `json:"steps,omitempty"`
	Error   string       `json:"error,omitempty"`
	Remarks []string     `json:"remarks,omitempty"` // existing faults, which the run did not cause
	Losses  []LossRow    `json:"losses,omitempty"`  // rows that its upgrade dropped
	Secrets string       `json:"secrets,omitempty"` // file with the administrator's log-in
	Backup  string       `json:"backup,omitempty"`  // file of the last dump of a removed wiki
	Archive string       `json:"archive,omitempty"` // file of the new backup
	Removed string       `json:"removed,omitempty"` // folder with everything of a removed wiki
	Note    string       `json:"note,omitempty"`    // further events
	Exit    *int         `json:"exit,omitempty"`    // exit status of a script
	Log     string       `json:"log,omitempty"`     // file with its output
	Output  *string      `json:"output,omitempty"`  // its output
}

// StepResult is one step of a TenantResult.
type StepResult struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"` // done or failed
	Seconds float64 `json:"seconds"`
}

// Add appends one tenant's outcome.
func (d *Document) Add(o session.Outcome) {
	r := TenantResult{Name: o.Tenant.Name, Status: string(o.Status), Seconds: o.Elapsed.Seconds(), Secrets: o.Secrets, Backup: o.Backup, Archive: o.Archive, Removed: o.Removed, Note: o.Note, Remarks: o.Remarks, Exit: o.Exit, Log: o.Log}
	if o.Err != nil {
		r.Error = o.Err.Error()
	}
	for _, l := range o.Losses {
		r.Losses = append(r.Losses, NewLossRow(l))
	}
	for _, step := range o.Steps {
		result := StepResult{Name: step.Name, Status: "done", Seconds: step.Elapsed.Seconds()}
		if step.Err != nil {
			result.Status = "failed"
		}
		r.Steps = append(r.Steps, result)
	}
	switch {
	case o.Status == session.Done:
		d.Counts.Done++
	case o.Status == session.Unchanged:
		d.Counts.Unchanged++
	case o.Status == session.Blocked:
		d.Counts.Blocked++
	case o.Status.Failure():
		d.Counts.Failed++
	default:
		d.Counts.Skipped++
	}
	d.Tenants = append(d.Tenants, r)
}

// Write prints the document as JSON, or as a sentence or two.
func (d *Document) Write(out io.Writer, asJSON bool) error {
	if asJSON {
		return WriteJSON(out, d)
	}
	c := d.Counts
	if c.Done+c.Failed+c.Skipped+c.Blocked == 0 {
		_, err := fmt.Fprintf(out, "%s: no changes, %d unchanged\n", d.Command, c.Unchanged)
		return err
	}
	blocked := ""
	if c.Blocked > 0 {
		blocked = fmt.Sprintf(", %d blocked", c.Blocked)
	}
	_, err := fmt.Fprintf(out, "%s: %d done, %d unchanged, %d failed, %d skipped%s in %.1f s\n", d.Command, c.Done, c.Unchanged, c.Failed, c.Skipped, blocked, d.Seconds)
	return err
}

// WriteJSON prints v as indented JSON.
func WriteJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Table prints rows under a header, in aligned columns.
func Table(out io.Writer, header []any, rows [][]any) {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	t.AppendHeader(header)
	for _, row := range rows {
		t.AppendRow(row)
	}
	t.Render()
}
