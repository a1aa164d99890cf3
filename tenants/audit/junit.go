package audit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of JUnit's XML that test runners and CI servers have in common.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes a report as JUnit XML: a test case per finding, which fails if it is
// at least as severe as failOn, and a passed one per rule without findings.
func (r Report) WriteJUnit(out io.Writer, failOn Severity, rules []Rule) error {
	suite := junitSuite{Name: "wikictl audit"}
	found := map[string]bool{}
	for _, f := range r.Findings {
		base, _, _ := strings.Cut(f.Rule, "/")
		found[base] = true
		c := junitCase{Class: f.Rule, Name: f.Position.String() + ": " + f.Key}
		text := fmt.Sprintf("%s: %s: %s\n%s", f.Position, f.Severity, f.Sentence(), strings.Join(f.Tenants, "\n"))
		if f.Severity >= failOn {
			c.Failure = &junitFailure{f.Severity.String(), f.Message, text}
			suite.Failures++
		} else {
			c.Output = text
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, rule := range rules {
		if !found[rule.ID] {
			suite.Cases = append(suite.Cases, junitCase{Class: rule.ID, Name: rule.What})
		}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}
