package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// The parts of a SARIF 2.1.0 log (OASIS: Static Analysis Results Interchange Format) that
// an audit fills in.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID      string    `json:"id"`
		Short   sarifText `json:"shortDescription"`
		Full    sarifText `json:"fullDescription"`
		Help    sarifText `json:"help"`
		Default struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifProperties   `json:"properties"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region *sarifRegion `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifProperties struct {
		Tenants []string `json:"tenants,omitempty"`
		Key     string   `json:"key,omitempty"`
	}
)

// WriteSARIF writes a report as a SARIF 2.1.0 log with file paths relative to the farm's
// folder; version is wikictl's.
func (r Report) WriteSARIF(out io.Writer, version string, rules []Rule) error {
	run := sarifRun{Results: make([]sarifResult, len(r.Findings))}
	run.Tool.Driver = sarifDriver{Name: "wikictl", Version: version, Rules: make([]sarifRule, len(rules))}
	for i, rule := range rules {
		s := sarifRule{ID: rule.ID, Short: sarifText{rule.What}, Full: sarifText{rule.What + " " + rule.Why}}
		s.Help.Text = rule.Repair + " (" + rule.Reference + ")"
		s.Default.Level = rule.Severity.String()
		run.Tool.Driver.Rules[i] = s
	}
	for i, f := range r.Findings {
		run.Results[i] = sarifOf(f, rules)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifOf(f Finding, rules []Rule) sarifResult {
	base, _, _ := strings.Cut(f.Rule, "/")
	s := sarifResult{
		RuleID: f.Rule, Level: f.Severity.String(), Message: sarifText{f.Sentence()},
		RuleIndex:  slices.IndexFunc(rules, func(r Rule) bool { return r.ID == base }),
		Properties: sarifProperties{f.Tenants, f.Key},
	}
	var at sarifLocation
	at.Physical.Artifact.URI = (&url.URL{Path: f.Position.File}).EscapedPath()
	if f.Position.Line > 0 {
		at.Physical.Region = &sarifRegion{f.Position.Line, f.Position.Column}
	}
	s.Locations = []sarifLocation{at}
	// The fingerprint omits the line number, so that a moved line is the same finding.
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Position.File, f.Key, f.Message}, "\x00")))
	s.Fingerprints = map[string]string{"wikictl/v1": hex.EncodeToString(sum[:16])}
	return s
}

// Sentence returns the key, the message and the hint on one line.
func (f Finding) Sentence() string {
	text := f.Message
	if f.Key != "" {
		text = f.Key + ": " + text
	}
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
}
