// Package ui is everything that a person or a program sees of a run: progress,
// tables and the result document. It decides nothing.
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

	"wikictl/tenants/host"
)

// Board shows a run's progress on standard error: a bar with what is being
// done on a terminal, one line per finished tenant elsewhere. It implements
// host.Observer.
type Board struct {
	out    io.Writer
	events io.Writer // nil: none
	mu     sync.Mutex
	bars   *mpb.Progress
	bar    *mpb.Bar
	now    map[string]string // tenant to the step that it is in
}

// NewBoard begins to show a run over total tenants. events gets a JSON line a
// step; it may be nil.
func NewBoard(out, events io.Writer, total int) *Board {
	b := &Board{out: out, events: events, now: map[string]string{}}
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) && total > 0 {
		b.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
		b.bar = b.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.CountersNoUnit("%d of %d ")),
			mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO), decor.Any(b.current)))
	}
	return b
}

// current names a few tenants and their steps, for the end of the bar.
func (b *Board) current(decor.Statistics) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var parts []string
	for tenant, step := range b.now {
		if parts = append(parts, tenant+" "+step); len(parts) == 3 {
			break
		}
	}
	return "  " + Clean(strings.Join(parts, ", "))
}

// Started notes that work on a tenant has begun.
func (b *Board) Started(tenant string) { b.Step(tenant, "started") }

// Step notes what is being done to a tenant.
func (b *Board) Step(tenant, step string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now[tenant] = step
	b.event(event{Tenant: tenant, Step: step})
}

// Finished notes a tenant's outcome.
func (b *Board) Finished(o host.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.now, o.Tenant.Name)
	text := fmt.Sprintf("%-9s %s  %.1f s", o.Status, o.Tenant.Name, o.Elapsed.Seconds())
	e := event{Tenant: o.Tenant.Name, Status: string(o.Status)}
	if o.Err != nil {
		text += ": " + Clean(o.Err.Error())
		e.Error = o.Err.Error()
	}
	b.event(e)
	switch {
	case b.bar == nil:
		fmt.Fprintln(b.out, text)
	case o.Status.Failure():
		fmt.Fprintln(b.bars, text)
	}
	if b.bar != nil {
		b.bar.Increment()
	}
}

// Close ends the display.
func (b *Board) Close() {
	if b.bar != nil {
		b.bar.Abort(false)
		b.bars.Wait()
	}
}

type event struct {
	Time   time.Time `json:"time"`
	Tenant string    `json:"tenant"`
	Step   string    `json:"step,omitempty"`
	Status string    `json:"status,omitempty"`
	Error  string    `json:"error,omitempty"`
}

func (b *Board) event(e event) {
	if b.events == nil {
		return
	}
	e.Time = time.Now().UTC()
	json.NewEncoder(b.events).Encode(e)
}

// Clean makes text harmless for a terminal: control characters become "?",
// line breaks stay.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
