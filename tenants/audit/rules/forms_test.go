package rules

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// awkward are findings that a careless writer would get wrong.
func awkward() audit.Report {
	return audit.Report{Tenants: []string{"a", "b"}, Findings: []audit.Finding{
		{Rule: "policy/small", Severity: audit.Error, Tenants: []string{"a", "b"}, Position: tenants.Position{File: "tenants/a b%ä.toml", Line: 3, Column: 1}, Key: "wgX", Message: `<"é">`, Hint: "&"},
		{Rule: "class-unused", Severity: audit.Note, Position: tenants.Position{File: "classes/c.toml"}, Message: "no tenant"},
		{Rule: "raw-html", Severity: audit.Warning, Position: tenants.Position{File: "wikictl.toml", Line: 4}, Message: "x"},
	}}
}

func TestSARIF(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]audit.Report{"awkward": awkward(), "empty": {}, "planted": static(t, load(t, plantedFarm()))} {
		var out bytes.Buffer
		if err := r.WriteSARIF(&out, "0.0.0", All()); err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
		checkRuleIndexes(t, out.Bytes(), len(r.Findings))
	}
}

// checkRuleIndexes wants every result to point at its rule, as section 3.27.6
// of the standard has it.
func checkRuleIndexes(t *testing.T, data []byte, want int) {
	t.Helper()
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
			}
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != want {
		t.Errorf("%d results, want %d", len(run.Results), want)
	}
	for _, result := range run.Results {
		id := run.Tool.Driver.Rules[result.RuleIndex].ID
		if result.RuleID != id && result.RuleID[:len(id)+1] != id+"/" {
			t.Errorf("%s points at the rule %s", result.RuleID, id)
		}
	}
}

func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := awkward().WriteJUnit(&out, audit.Warning, All()); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Cases []struct {
				Class   string `xml:"classname,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if read.Failures != 2 || read.Tests != len(All()) || len(read.Suites[0].Cases) != read.Tests {
		t.Errorf("%d failures of %d tests\n%s", read.Failures, read.Tests, &out)
	}
	first := read.Suites[0].Cases[0]
	if first.Failure == nil || first.Failure.Message != `<"é">` || !slices.Contains([]string{"policy/small"}, first.Class) {
		t.Errorf("the first case is %+v", first)
	}
}
