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
		{"lines of Windows", "--\r\nSELECT 1;\r\n-- x;\r\nSELECT 2;\r\n--", []string{"SELECT 1", "SELECT 2"}},
		{"delimiter is a word like another", "SELECT delimiter FROM t; SELECT 1 AS\ndelimiter", []string{"SELECT delimiter FROM t", "SELECT 1 AS\ndelimiter"}},
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

func TestSplitRefuses(t *testing.T) {
	cases := []struct {
		name, text string
		line       int
		why        error
	}{
		{"quote", "SELECT 1;\nSELECT 'a", 2, errUnclosed},
		{"comment", "/* x\n\n", 1, errUnclosed},
		{"identifier", "\n\nSELECT\n`a", 4, errUnclosed},
		{"backslash", `SELECT 'a\'`, 1, errUnclosed},
		{"delimiter", "SELECT 1;\r\n-- x\r\nDelimiter //\r\n", 3, errDelimiter},
		{"delimiter after a comment", "/* x */ DELIMITER\t$$", 1, errDelimiter},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var syntax *SyntaxError
			if _, err := Split(tc.text); !errors.As(err, &syntax) || syntax.Line != tc.line || !errors.Is(err, tc.why) {
				t.Errorf("%q: %v, want line %d: %v", tc.text, err, tc.line, tc.why)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("SELECT ';'; -- x\n/* ; */")
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Split(text)
		if err != nil {
			return
		}
		// A statement that Split returned is one statement: Split does not cut it again.
		for _, s := range statements {
			again, err := Split(s)
			if err != nil || len(again) > 1 {
				t.Fatalf("%q of %q splits into %q, %v", s, text, again, err)
			}
		}
	})
}
