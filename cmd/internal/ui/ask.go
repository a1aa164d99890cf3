package ui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Asker asks a person questions, one at a time, and reads a line for each. It is safe for
// concurrent use.
type Asker struct {
	out   io.Writer
	turn  chan struct{} // holds one token: questions come one at a time
	once  sync.Once
	in    *bufio.Scanner
	want  chan struct{} // requests another line from the reader
	lines chan string   // closed at the end of the input
}

// NewAsker returns an Asker that asks on out and reads answers from in.
func NewAsker(in io.Reader, out io.Writer) *Asker {
	return &Asker{out: out, turn: make(chan struct{}, 1), in: bufio.NewScanner(in), want: make(chan struct{}, 1), lines: make(chan string)}
}

// Ask asks a question, and reports whether the answer is y or yes. The end of the input
// counts as no. If ctx ends first the error is its cause.
func (a *Asker) Ask(ctx context.Context, question string) (bool, error) {
	line, err := a.line(ctx, question+" [y/N] ")
	line = strings.ToLower(line)
	return line == "y" || line == "yes", err
}

// AskFor asks, and reports whether the answer is a word.
func (a *Asker) AskFor(ctx context.Context, question, word string) (bool, error) {
	line, err := a.line(ctx, question+" ")
	return line == word, err
}

// line asks and returns the answer.
func (a *Asker) line(ctx context.Context, question string) (string, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	fmt.Fprint(a.out, question)
	// A read from a terminal can't be interrupted: it ends with the program, or with the
	// line for which it waits, which then answers the next question.
	a.once.Do(func() { go a.read() })
	select {
	case a.want <- struct{}{}:
	default: // a read is pending
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.out)
		return "", context.Cause(ctx)
	case line := <-a.lines:
		return strings.TrimSpace(line), nil
	}
}

// read reads a line on each request.
func (a *Asker) read() {
	for range a.want {
		if !a.in.Scan() {
			close(a.lines)
			return
		}
		a.lines <- a.in.Text()
	}
}
