package main

import (
	"slices"
	"testing"
)

// Tables that differ or are missing are named; numbers that are given next are not
// compared.
func TestDifferences(t *testing.T) {
	want := map[string]string{"a": "1", "b": "2", "c": withoutNumber("t ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT")}
	got := map[string]string{"b": "3", "c": withoutNumber("t ENGINE=InnoDB AUTO_INCREMENT=8 DEFAULT"), "d": ""}
	if names := differences(want, got); !slices.Equal(names, []string{"a", "b", "d"}) {
		t.Errorf("got %v", names)
	}
}
