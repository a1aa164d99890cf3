package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	for _, tc := range []struct {
		answers string
		want    []bool
	}{
		{"y\n", []bool{true}},
		{"yes\n", []bool{true}},
		{"YES\r\nY\n", []bool{true, true}},
		{" Yes \n", []bool{true}},
		{"\n", []bool{false}},
		{"n\ny\nno\nyes\n", []bool{false, true, false, true}},
		{"yessir\n", []bool{false}},
		{"y", []bool{true}},
		{"", []bool{false, false}},
		{"y\n", []bool{true, false, false}},
	} {
		var out strings.Builder
		a := NewAsker(strings.NewReader(tc.answers), &out)
		for i, want := range tc.want {
			if got, err := a.Ask(t.Context(), "sure?"); got != want || err != nil {
				t.Errorf("answer %d of %q: %v, %v", i+1, tc.answers, got, err)
			}
		}
		if got, want := out.String(), strings.Repeat("sure? [y/N] ", len(tc.want)); got != want {
			t.Errorf("it printed %q", got)
		}
	}
}

// A question ends with its context, and the next one gets the next answer.
func TestAskEnds(t *testing.T) {
	in, answers := io.Pipe()
	a := NewAsker(in, io.Discard)
	errEnough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(errEnough) })
	for range 2 {
		if got, err := a.Ask(ctx, "sure?"); got || err != errEnough {
			t.Errorf("got %v, %v", got, err)
		}
	}
	go answers.Write([]byte("y\n"))
	if got, err := a.Ask(t.Context(), "sure?"); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
