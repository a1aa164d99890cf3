package session

import (
	"errors"
	"strings"
	"testing"
)

// Only faults that a change added count; earlier ones are remarks.
func TestCompareChecks(t *testing.T) {
	wrong := func(what, text string, silent bool) Check {
		return Check{What: what, Wrong: text, Silent: silent, err: errors.New(text)}
	}
	good := func(what string, seconds float64) Check { return Check{What: what, Seconds: seconds} }
	page := func(title string, length int) Check { return Check{What: "/wiki/Report", Title: title, Length: length} }
	tests := map[string]struct {
		before, after []Check
		worse         string
		remarks       string
	}{
		"all is well":              {[]Check{good(itself, 0)}, []Check{good(itself, 0)}, "", ""},
		"broken now":               {[]Check{good(mainPage, 0)}, []Check{wrong(mainPage, "500", true)}, "500", ""},
		"never asked before":       {nil, []Check{wrong(mainPage, "500", true)}, "500", ""},
		"broken as before":         {[]Check{wrong(mainPage, "500", true)}, []Check{wrong(mainPage, "500", true)}, "", "500, as before"},
		"missing as before":        {[]Check{wrong(mainPage, "404", false)}, []Check{wrong(mainPage, "404", false)}, "", "404, as before"},
		"missing, and fails now":   {[]Check{wrong(mainPage, "404", false)}, []Check{wrong(mainPage, "500", true)}, "500", ""},
		"failed, and missing now":  {[]Check{wrong(mainPage, "500", true)}, []Check{wrong(mainPage, "404", false)}, "", "404, as before"},
		"hung, and hangs":          {[]Check{wrong(mainPage, "time is up", true)}, []Check{wrong(mainPage, "time is up", true)}, "", "time is up, as before"},
		"slow as before":           {[]Check{good(mainPage, 20)}, []Check{good(mainPage, 21)}, "", "its main page takes 21 s, as before"},
		"slow now":                 {[]Check{good(mainPage, 0.2)}, []Check{good(mainPage, 21)}, "", "its main page takes 21 s, and took 0.2 s before"},
		"another host, as before":  {[]Check{good(itself, 0), wrong("b.test", "other", false)}, []Check{good(itself, 0), wrong("b.test", "other", false)}, "", "other, as before"},
		"a page as before":         {[]Check{page("Report", 900)}, []Check{page("Report", 880)}, "", ""},
		"a page that grew":         {[]Check{page("Report", 900)}, []Check{page("Report", 9000)}, "", ""},
		"a short page":             {[]Check{page("Report", 90)}, []Check{page("Report", 9)}, "", ""},
		"a page lost its text":     {[]Check{page("Report", 900)}, []Check{page("Report", 300)}, "the text of /wiki/Report had 900 characters and has 300; if that is right, take the page out of pages in [upgrade]", ""},
		"a page is another":        {[]Check{page("Report", 900)}, []Check{page("Error", 900)}, `the title of /wiki/Report was "Report" and is "Error"; if that is right, take the page out of pages in [upgrade]`, ""},
		"a page breaks":            {[]Check{page("Report", 900)}, []Check{wrong("/wiki/Report", "500", true)}, "500", ""},
		"a page was broken":        {[]Check{wrong("/wiki/Report", "500", true)}, []Check{wrong("/wiki/Report", "500", true)}, "", "500, as before"},
		"a page is well now":       {[]Check{wrong("/wiki/Report", "500", true)}, []Check{page("Report", 900)}, "", ""},
		"a page never asked":       {[]Check{good(itself, 0)}, []Check{wrong("/wiki/Report", "500", true)}, "", "500; whether it was so before is unknown"},
		"a slow page":              {[]Check{good("/wiki/Report", 1)}, []Check{good("/wiki/Report", 9)}, "", "/wiki/Report takes 9 s, and took 1.0 s before"},
		"a new host that is wrong": {[]Check{good(itself, 0)}, []Check{good(itself, 0), wrong("b.test", "other", false)}, "other", ""},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			remarks, worse := compareChecks(c.before, c.after)
			text := ""
			if worse != nil {
				text = worse.Error()
			}
			if text != c.worse || strings.Join(remarks, "; ") != c.remarks {
				t.Errorf("worse %q, remarks %q", text, remarks)
			}
		})
	}
}

// Stored answers stand for those of now only if all that would be requested was good, of
// the same code, by the same names.
func TestSightCovers(t *testing.T) {
	good := func() Sight {
		return Sight{Set: "a", Hosts: []string{"a.test"}, Checks: []Check{{What: itself}, {What: mainPage}, {What: logIn}, {What: "/wiki/Report"}}}
	}
	tests := map[string]struct {
		change func(*Sight)
		pages  []string
		want   bool
	}{
		"all":                   {func(*Sight) {}, []string{"/wiki/Report"}, true},
		"no page is named":      {func(*Sight) {}, nil, true},
		"another page is named": {func(*Sight) {}, []string{"/wiki/Report", "/wiki/Other"}, false},
		"only who it is":        {func(s *Sight) { s.Checks = s.Checks[:1] }, nil, false},
		"the main page was bad": {func(s *Sight) { s.Checks[1].Wrong = "500" }, nil, false},
		"nothing":               {func(s *Sight) { *s = Sight{} }, nil, false},
		"other code":            {func(s *Sight) { s.Set = "b" }, nil, false},
		"it has one more name":  {func(s *Sight) { s.Hosts = s.Hosts[:0] }, nil, false},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.change(&s)
			if got := s.covers([]string{"a.test"}, "a", c.pages); got != c.want {
				t.Error(got)
			}
		})
	}
}
