package session

import (
	"errors"
	"strings"
	"testing"
)

// Only what became worse counts; what was bad before is said.
func TestCompareChecks(t *testing.T) {
	wrong := func(what, text string, silent bool) Check {
		return Check{What: what, Wrong: text, Silent: silent, err: errors.New(text)}
	}
	good := func(what string, seconds float64) Check { return Check{What: what, Seconds: seconds} }
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
