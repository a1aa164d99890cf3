package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/host"
)

func outcome(status host.Status, err error) host.Outcome {
	return host.Outcome{Tenant: &tenants.Tenant{Name: "a"}, Status: status, Err: err, Elapsed: time.Second}
}

// What PHP or a server printed can't move a terminal's cursor.
func TestBoardPrintsCleanLines(t *testing.T) {
	var out, events bytes.Buffer
	b := NewBoard(&out, &events, 1)
	b.Step("a", "schema")
	b.Finished(outcome(host.Failed, errors.New("boom\x1b[2Jé\xff")))
	b.Close()
	if want := "failed    a  1.0 s: boom?[2Jé?\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	for _, want := range []string{`"tenant":"a","step":"schema"}`, `"status":"failed"`} {
		if !strings.Contains(events.String(), want) {
			t.Errorf("events lack %s: %s", want, &events)
		}
	}
}

func TestDocument(t *testing.T) {
	d := Document{Command: "create", Seconds: 2}
	d.Add(outcome(host.Unchanged, nil), "")
	var text bytes.Buffer
	if d.Write(&text, false); text.String() != "create: no changes, 1 unchanged\n" {
		t.Errorf("got %q", &text)
	}
	d.Add(outcome(host.Failed, errors.New("x")), "")
	text.Reset()
	if d.Write(&text, false); text.String() != "create: 0 done, 1 unchanged, 1 failed, 0 skipped in 2.0 s\n" {
		t.Errorf("got %q", &text)
	}
	text.Reset()
	d.Write(&text, true)
	for _, want := range []string{`"counts": {`, `"unchanged": 1`, `"status": "failed"`, `"error": "x"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the document lacks %s: %s", want, &text)
		}
	}
}
