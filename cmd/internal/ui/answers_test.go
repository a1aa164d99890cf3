package ui

import (
	"encoding/json"
	"strings"
	"testing"

	"wikictl/tenants/mariadb"
)

func values(texts ...string) (row []*string) {
	for _, text := range texts {
		if text == "NULL" {
			row = append(row, nil)
			continue
		}
		row = append(row, &text)
	}
	return row
}

// Tenants may return other columns, two of one name, NULL, and what is no text.
func TestAnswers(t *testing.T) {
	a := NewAnswers()
	a.Add("w0", mariadb.Rows{Columns: []string{"n", "x", "n"}, Numbers: []bool{true, false, true}, Rows: [][]*string{values("1", "a,\n\"b", "2"), values("NULL", "\xff", "18446744073709551615")}})
	a.Add("w1", mariadb.Rows{Columns: []string{"x", "y"}, Numbers: []bool{false, false}, Rows: [][]*string{values("c", "\x1b[31m")}})
	a.Add("w2", mariadb.Rows{Changed: 3})
	a.Add("w3", mariadb.Rows{Columns: []string{"n"}, Numbers: []bool{true}})
	var out strings.Builder
	if err := a.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	const want = "tenant,n,x,n,y,changed\nw0,1,\"a,\n\"\"b\",2,,\nw0,,0xff,18446744073709551615,,\nw1,,c,,\x1b[31m,\nw2,,,,,3\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	text, err := json.Marshal(a)
	if want := `{"columns":["tenant","n","x","n","y","changed"],"rows":[["w0",1,"a,\n\"b",2,null,null],["w0",null,"0xff",18446744073709551615,null,null],["w1",null,"c",null,"\u001b[31m",null],["w2",null,null,null,null,3]]}`; err != nil || string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	out.Reset()
	a.WriteTable(&out)
	if got := out.String(); strings.Contains(got, "\x1b") || !strings.Contains(got, `a,\n"b`) || !strings.Contains(got, "NULL") || strings.Count(got, "\n") != 5 {
		t.Error(got)
	}
}
