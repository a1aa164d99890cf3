package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"wikictl/tenants/machine"
)

// DoctorDocument is the result of doctor, for text and JSON.
type DoctorDocument struct {
	Command string            `json:"command"`
	Counts  DoctorCounts      `json:"counts"`
	Checks  []machine.Finding `json:"checks"`
	Seconds float64           `json:"seconds"`
}

// DoctorCounts counts checks by result.
type DoctorCounts struct {
	OK      int `json:"ok"`
	Note    int `json:"note"`
	Warning int `json:"warning"`
	Error   int `json:"error"`
}

// NewDoctorDocument returns the document of findings.
func NewDoctorDocument(found []machine.Finding, elapsed time.Duration) DoctorDocument {
	d := DoctorDocument{Command: "doctor", Checks: append([]machine.Finding{}, found...), Seconds: elapsed.Seconds()}
	counts := map[machine.Level]*int{machine.OK: &d.Counts.OK, machine.Note: &d.Counts.Note, machine.Warning: &d.Counts.Warning, machine.Error: &d.Counts.Error}
	for _, f := range found {
		*counts[f.Level]++
	}
	return d
}

// Write prints the document as JSON, or as text: a line per check, and below it the
// repair.
func (d DoctorDocument) Write(out io.Writer, asJSON, color bool) error {
	if asJSON {
		return WriteJSON(out, d)
	}
	var b strings.Builder
	p := painter{color}
	codes := map[machine.Level]string{machine.OK: "32", machine.Note: "36", machine.Warning: "33", machine.Error: "31"}
	for _, f := range d.Checks {
		where := ""
		if f.Key != "" && f.Level > machine.OK {
			where = f.Position.String() + ": "
		}
		fmt.Fprintf(&b, "%s  %s%s\n", p.paint(codes[f.Level], fmt.Sprintf("%-7s", f.Level)), where, Clean(f.Message))
		for _, command := range f.Repair {
			fmt.Fprintf(&b, "           run: %s\n", Clean(command))
		}
		if f.Hint != "" {
			fmt.Fprintf(&b, "           %s\n", Clean(f.Hint))
		}
	}
	c := d.Counts
	fmt.Fprintf(&b, "doctor: %s, %s, %s, %d ok\n", Plural(c.Error, "error"), Plural(c.Warning, "warning"), Plural(c.Note, "note"), c.OK)
	_, err := io.WriteString(out, b.String())
	return err
}
