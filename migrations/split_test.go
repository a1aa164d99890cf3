package migrations

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string
	}{
		{"two", "SELECT 1;\nSELECT 2", []string{"SELECT 1", "SELECT 2"}},
		{"quotes", `INSERT INTO t VALUES ('a;''b\';', "c;", 1); SELECT ` + "`x;y`", []string{`INSERT INTO t VALUES ('a;''b\';', "c;", 1)`, "SELECT `x;y`"}},
		{"comments", "-- one;\nSELECT 1 # two;\n; /* three; */", []string{"SELECT 1"}},
		{"executed comment", "/*!40101 SET a = 1; */;", []string{"/*!40101 SET a = 1; */"}},
		{"minus is no comment", "SELECT 3--1;", []string{"SELECT 3--1"}},
		{"nothing", " ;; ", nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Split(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i] = strings.TrimSpace(got[i])
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSplitUnclosed(t *testing.T) {
	for _, text := range []string{"SELECT 'a", "/* x", "SELECT `a", `SELECT 'a\'`} {
		if _, err := Split(text); !errors.Is(err, ErrUnclosed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("SELECT ';'; -- x\n/* ; */")
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Split(text)
		if err != nil {
			return
		}
		// What was cut is cut for good: splitting again makes no more of it.
		for _, s := range statements {
			again, err := Split(s)
			if err != nil || len(again) > 1 {
				t.Fatalf("%q of %q splits into %q, %v", s, text, again, err)
			}
		}
	})
}
