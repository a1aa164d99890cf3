package main

import "testing"

// A line has medians, whatever the order of the rounds is, and the shortest and longest.
func TestSummarize(t *testing.T) {
	got := summarize("w", []cost{{9, 1, 2, 3}, {1, 3, 8, 1}, {2, 2, 4, 2}})
	if want := (line{"w", cost{2, 2, 4, 2}, 1, 9}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := median([]float64{1, 2, 4, 9}); got != 3 {
		t.Errorf("the median of an even number is %v", got)
	}
}

func TestTimesNeedsTheOtherWay(t *testing.T) {
	l := line{way: "wikictl backup", cost: cost{wall: 2}}
	if got := times(line{}, l); got != "-" {
		t.Errorf("beside a way that was not measured: %q", got)
	}
	if got := times(line{way: "loop", cost: cost{wall: 5}}, l); got != "2.50" {
		t.Errorf("2 s beside 5 s: %q", got)
	}
}
