package audit

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"wikictl/tenants"
)

// awkward are findings that a careless writer would get wrong.
func awkward() Report {
	return Report{Tenants: []string{"a", "b"}, Findings: []Finding{
		{Rule: "policy/small", Severity: Error, Tenants: []string{"a", "b"}, Position: tenants.Position{File: "tenants/a b%ä.toml", Line: 3, Column: 1}, Key: "wgX", Message: `<"é">`, Hint: "&"},
		{Rule: "class-unused", Severity: Note, Position: tenants.Position{File: "classes/c.toml"}, Message: "no tenant"},
		{Rule: "raw-html", Severity: Warning, Position: tenants.Position{File: "wikictl.toml", Line: 4}, Message: "x"},
	}}
}

func TestSARIF(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Report{"awkward": awkward(), "empty": {}, "planted": static(t, load(t, plantedFarm()))} {
		var out bytes.Buffer
		if err := r.WriteSARIF(&out, "0.0.0", Rules()); err != nil {
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
	var log sarifLog
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
	if err := awkward().WriteJUnit(&out, Warning, Rules()); err != nil {
		t.Fatal(err)
	}
	var read junitSuites
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if read.Failures != 2 || read.Tests != len(Rules()) || len(read.Suites[0].Cases) != read.Tests {
		t.Errorf("%d failures of %d tests\n%s", read.Failures, read.Tests, &out)
	}
	first := read.Suites[0].Cases[0]
	if first.Failure == nil || first.Failure.Message != `<"é">` || !slices.Contains([]string{"policy/small"}, first.Class) {
		t.Errorf("the first case is %+v", first)
	}
}
