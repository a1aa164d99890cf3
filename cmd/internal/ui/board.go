// Package ui formats what people and programs see of a run: progress, tables and the
// result document. It makes no decisions.
package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"wikictl/tenants/session"
)

// Board shows a run's progress on standard error: on a terminal a line for each tenant in
// progress and a bar with an estimate, elsewhere one line per finished tenant. It
// implements session.Observer.
type Board struct {
	out     io.Writer
	events  io.Writer // may be nil
	mu      sync.Mutex
	bars    *mpb.Progress
	bar     *mpb.Bar
	live    []*mpb.Bar
	lines   []line               // shown on the terminal
	printed map[string]time.Time // when the progress of a tenant was last printed
}

// line is one tenant in progress; the zero line is free.
type line struct {
	tenant, step string
	since        time.Time // of the step
	progress     string    // of a long step; may be empty
}

// mostLines is the maximum number of tenants on the terminal: those that progressed last.
const mostLines = 12

// NewBoard shows a run over total tenants. It writes a JSON line per step to events,
// which may be nil.
func NewBoard(out, events io.Writer, total int) *Board {
	b := &Board{out: out, events: events, printed: map[string]time.Time{}}
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) && total > 0 {
		b.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
		b.lines = make([]line, min(total, mostLines))
		for i := range b.lines {
			text := decor.Any(func(decor.Statistics) string { return b.text(i) })
			b.live = append(b.live, b.bars.New(0, mpb.NopStyle(), mpb.PrependDecorators(text)))
		}
		b.bar = b.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.CountersNoUnit("%d of %d ")),
			mpb.AppendDecorators(decor.Any(remaining(time.Now()))))
	}
	return b
}

// remaining estimates the remaining time from the finished tenants.
func remaining(start time.Time) func(decor.Statistics) string {
	return func(s decor.Statistics) string {
		if s.Current == 0 || s.Current == s.Total {
			return ""
		}
		each := float64(time.Since(start)) / float64(s.Current)
		return fmt.Sprintf(" about %s left", time.Duration(each*float64(s.Total-s.Current)).Round(time.Second))
	}
}

// text returns the text of a terminal line.
func (b *Board) text(i int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[i]
	if l.tenant == "" {
		return ""
	}
	if l.progress != "" {
		return Clean(fmt.Sprintf("%-20s %s", l.tenant, l.progress))
	}
	return Clean(fmt.Sprintf("%-20s %-12s %4.0f s", l.tenant, l.step, time.Since(l.since).Seconds()))
}

// show shows a tenant's step on its line, on a free one, or on that of the tenant without
// progress for longest.
func (b *Board) show(tenant, step string) {
	if len(b.lines) == 0 {
		return
	}
	at := 0
	for i, l := range b.lines {
		if l.tenant == tenant {
			at = i
			break
		}
		if l.since.Before(b.lines[at].since) {
			at = i
		}
	}
	b.lines[at] = line{tenant: tenant, step: step, since: time.Now()}
}

// hide frees a tenant's line.
func (b *Board) hide(tenant string) {
	for i, l := range b.lines {
		if l.tenant == tenant {
			b.lines[i] = line{}
		}
	}
}

// Started shows that work on a tenant has begun.
func (b *Board) Started(tenant string) { b.Step(tenant, "started") }

// Step shows the step of a tenant.
func (b *Board) Step(tenant, step string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show(tenant, step)
	b.event(event{Tenant: tenant, Step: step})
}

// progressEvery is the interval at which the progress of a step is printed without a
// terminal, and written as an event.
const progressEvery = 30 * time.Second

// Progress shows the progress of a long step of a tenant.
func (b *Board) Progress(tenant, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, l := range b.lines {
		if l.tenant == tenant {
			b.lines[i].progress = text
		}
	}
	if time.Since(b.printed[tenant]) < progressEvery {
		return
	}
	b.printed[tenant] = time.Now()
	b.event(event{Tenant: tenant, Progress: text})
	if b.bar == nil {
		fmt.Fprintln(b.out, Clean(fmt.Sprintf("%-9s %s  %s", "…", tenant, text)))
	}
}

// Finished shows a tenant's outcome.
func (b *Board) Finished(o session.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hide(o.Tenant.Name)
	text := fmt.Sprintf("%-9s %s  %.1f s", o.Status, o.Tenant.Name, o.Elapsed.Seconds())
	e := event{Tenant: o.Tenant.Name, Status: string(o.Status)}
	if o.Err != nil {
		text += ": " + Clean(o.Err.Error())
		e.Error = o.Err.Error()
	}
	for _, remark := range o.Remarks {
		text += "\n          remark: " + Clean(remark)
	}
	for _, l := range o.Losses {
		text += "\n          lost: " + Clean(l.What+"; "+WhereLost(l))
	}
	b.event(e)
	switch {
	case b.bar == nil:
		fmt.Fprintln(b.out, text)
	case o.Status.Failure(), len(o.Remarks) > 0, len(o.Losses) > 0:
		fmt.Fprintln(b.bars, text)
	}
	if b.bar != nil {
		b.bar.Increment()
	}
}

// Close ends the display.
func (b *Board) Close() {
	if b.bar == nil {
		return
	}
	for _, l := range b.live {
		l.Abort(true)
	}
	b.bar.Abort(false)
	b.bars.Wait()
}

type event struct {
	Time     time.Time `json:"time"`
	Tenant   string    `json:"tenant"`
	Step     string    `json:"step,omitempty"`
	Progress string    `json:"progress,omitempty"`
	Status   string    `json:"status,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func (b *Board) event(e event) {
	if b.events == nil {
		return
	}
	e.Time = time.Now().UTC()
	json.NewEncoder(b.events).Encode(e)
}

// Clean makes text safe for a terminal: control characters become "?"; line breaks stay.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
