package maintenance

import (
	"strings"
	"testing"
)

func TestOneStatement(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1;":                    "SELECT 1",
		" -- all\nselect * from page ": "select * from page",
		"/* c */ WITH a AS (SELECT 1) SELECT * FROM a": "WITH a AS (SELECT 1) SELECT * FROM a",
		"(SELECT 1) UNION (SELECT 2)":                  "(SELECT 1) UNION (SELECT 2)",
		"SELECT ';' AS a":                              "SELECT ';' AS a",
		"show tables":                                  "show tables",
	} {
		if got, err := OneStatement(text, false); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                    "no statement",
		"-- nothing":                          "no statement",
		"SELECT 1; SELECT 2":                  "2 statements",
		"DELETE FROM page":                    "DELETE is not a statement that only reads (--write allows changes)",
		"/*! DELETE FROM page */":             "is not a statement that only reads",
		"SET STATEMENT a=1 FOR DELETE FROM b": "SET is no",
		"BEGIN NOT ATOMIC COMMIT":             "BEGIN is no",
		"SELECTED":                            "SELECTED is no",
		"SELECT 'a":                           "not closed",
	} {
		if got, err := OneStatement(text, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	if got, err := OneStatement("DELETE FROM page;", true); err != nil || got != "DELETE FROM page" {
		t.Errorf("%q, %v", got, err)
	}
}
