package ui

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/tenants"
	"wikictl/tenants/session"
)

func outcome(status session.Status, err error) session.Outcome {
	return session.Outcome{Tenant: &tenants.Tenant{Name: "a"}, Status: status, Err: err, Elapsed: time.Second}
}

// What PHP or a server printed can't move a terminal's cursor.
func TestBoardPrintsCleanLines(t *testing.T) {
	var out, events bytes.Buffer
	b := NewBoard(&out, &events, 1)
	b.Step("a", "schema")
	b.Finished(outcome(session.Failed, errors.New("boom\x1b[2Jé\xff")))
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

// On a terminal each tenant that is worked on has a line, and the line is gone
// when it has finished.
func TestBoardOnATerminal(t *testing.T) {
	screen, keyboard := terminal(t)
	b := NewBoard(keyboard, nil, 20)
	var seen strings.Builder
	wait := func(text string) {
		t.Helper()
		buffer := make([]byte, 4096)
		for !strings.Contains(seen.String(), text) {
			n, err := screen.Read(buffer)
			if err != nil {
				t.Fatalf("%q did not come: %v\n%q", text, err, seen.String())
			}
			seen.Write(buffer[:n])
		}
		seen.Reset()
	}
	for i := range mostLines + 1 {
		b.Step(fmt.Sprint("w", i), "update.php")
	}
	wait(fmt.Sprintf("w%d", mostLines)) // in place of w0, which has not moved for longest
	b.mu.Lock()
	if b.lines[0].tenant != fmt.Sprint("w", mostLines) || b.lines[1].tenant != "w1" {
		t.Errorf("%+v", b.lines)
	}
	b.mu.Unlock()
	b.Finished(outcome(session.Failed, errors.New("boom")))
	wait("boom")
	wait("1 of 20")
	b.Step("w1", "probe")
	wait("probe")
	b.Close()
}

// terminal opens a pseudo terminal: what a program prints on the second is read
// from the first (pty(7)).
func terminal(t *testing.T) (screen, keyboard *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	keyboard, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	size := &unix.Winsize{Row: 40, Col: 100}
	if err := unix.IoctlSetWinsize(int(keyboard.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	return screen, keyboard
}

func TestDocument(t *testing.T) {
	d := Document{Command: "create", Seconds: 2}
	d.Add(outcome(session.Unchanged, nil))
	var text bytes.Buffer
	if d.Write(&text, false); text.String() != "create: no changes, 1 unchanged\n" {
		t.Errorf("got %q", &text)
	}
	d.Add(outcome(session.Failed, errors.New("x")))
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
