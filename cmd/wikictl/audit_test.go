package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/audit/rules"
)

// plantedFault is a fault that a rule about the observed state must find. It is planted at a wiki
// with the rule's name, on a farm of real wikis.
type plantedFault struct {
	rule  string
	plant func(f *farm, wiki string)
	farm  bool     // the fault is the farm's, not a wiki's
	late  bool     // plant defines the wiki
	says  string   // part of the message
	also  []string // other rules that also find the fault
	root  bool     // only root can plant it
}

// plantedFaults are all planted faults.
var plantedFaults = slices.Concat(plantedOnServers, plantedInFiles)

// plantedByOwnTests are rules that a test of their own plants, as their fault hides others.
var plantedByOwnTests = []string{"server-unreachable", "worked-on", "php-unasked", "private-unsaid", "private-open", "closed-differs", "upgrade-losses", "farm-file", "component-changed", "further-missing", "further-pending", "further-unused", "replica-down", "replica-lag", "replica-writable", "backup-gone", "backup-repository", "backup-future", "certificate-unloaded"}

// finding is one of the findings of audit --format json.
type finding struct {
	Rule, Severity, File, Key, Message string
	Line                               int
	Tenants                            []string
}

// audit runs an audit and returns its findings.
func (f *farm) audit(args ...string) []finding {
	f.t.Helper()
	cmd := f.command(append([]string{"--format", "json", "audit", "--fail-on", "note"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		f.t.Fatalf("wikictl audit: %v: %s", err, stderr.String())
	}
	var document struct{ Findings []finding }
	must(f.t, json.Unmarshal(out, &document))
	return document.Findings
}

// Each rule about the observed state finds its fault once, at the right wiki, and nothing else.
// Before the faults are planted, no rule finds anything.
func TestAuditFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.defineForAudit()
	f.run("create", "--all")
	for _, found := range f.audit() {
		t.Errorf("nothing was planted, but found is %+v", found)
	}
	for _, p := range plantedFaults {
		if !p.root || os.Geteuid() == 0 {
			p.plant(f, p.rule)
		}
	}
	found := f.audit()
	for _, p := range plantedFaults {
		t.Run(p.rule, func(t *testing.T) {
			needs.That(t, !p.root || os.Geteuid() == 0, "planting it needs root")
			found = p.expect(t, found)
		})
	}
	for _, left := range found {
		t.Errorf("not planted, but found is %+v", left)
	}
	t.Run("fix", f.fixes)
	t.Run("pending", f.waits)
}

// expect looks for a fault among findings and returns the others.
func (p plantedFault) expect(t *testing.T, found []finding) (others []finding) {
	times := 0
	for _, g := range found {
		here := p.farm && len(g.Tenants) == 0 || !p.farm && slices.Equal(g.Tenants, []string{p.rule})
		switch {
		case g.Rule == p.rule && !excused(g):
			if times++; !here {
				t.Errorf("found at %v, farm: %v", g.Tenants, p.farm)
			}
			if !strings.Contains(g.Message, p.says) {
				t.Errorf("says %q, want %q in it", g.Message, p.says)
			}
			if g.File == "" {
				t.Errorf("says no place: %+v", g)
			}
		case here && slices.Contains(p.also, g.Rule):
		default:
			others = append(others, g)
		}
	}
	if times != 1 {
		t.Errorf("found %d times", times)
	}
	return others
}

// excused reports whether a finding comes with another rule's fault.
func excused(g finding) bool {
	return slices.ContainsFunc(plantedFaults, func(p plantedFault) bool {
		return p.rule != g.Rule && slices.Equal(g.Tenants, []string{p.rule}) && slices.Contains(p.also, g.Rule)
	})
}

// defineForAudit writes a farm in which nothing is to be found, with a wiki for
// each fault.
func (f *farm) defineForAudit() {
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "tenants")))
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "classes")))
	for _, folder := range []string{"tenants", "classes"} {
		must(f.t, os.MkdirAll(filepath.Join(f.demo.Dir, folder), 0o755))
	}
	must(f.t, os.WriteFile(filepath.Join(f.demo.Dir, "classes/audited.toml"), []byte("skins = [\"Vector\"]\n"), 0o644))
	file := filepath.Join(f.demo.Dir, "wikictl.toml")
	text, err := os.ReadFile(file)
	must(f.t, err)
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return strings.Contains(line, "1.39\"]") || strings.HasSuffix(line, "/1.39\"") })
	must(f.t, os.WriteFile(file, []byte(strings.ReplaceAll(strings.Join(lines, "\n"), `codebase = "1.39"`, `codebase = "1.43"`)), 0o644))
	f.defineFilesForAudit()
	f.add(file, "[jobs]\nrunner = \"service\"\n"+unattended)
	for i, p := range plantedFaults {
		if p.farm || p.late {
			continue
		}
		f.defineAudited(p.rule, i)
	}
}

// unattended accepts that nothing runs the farm's jobs.
const unattended = "[[ignore]]\nrule = \"jobs-unattended\"\nreason = \"until it is planted\"\nuntil = \"2099-12-31\"\n"

func (f *farm) defineAudited(name string, number int) {
	text := fmt.Sprintf("name = %q\nhosts = [%q]\nsitename = \"Wiki %d\"\nclasses = [\"audited\"]\n", name, name+".localhost", number)
	if name == "static-closed" {
		text += "static = \"static\"\n"
	}
	must(f.t, os.WriteFile(filepath.Join(f.demo.Dir, "tenants", name+".toml"), []byte(text), 0o644))
}

// Each rule about the observed state has a planted fault.
func TestEveryLiveRuleIsPlanted(t *testing.T) {
	for _, rule := range rules.All() {
		planted := slices.ContainsFunc(plantedFaults, func(p plantedFault) bool { return p.rule == rule.ID }) || slices.Contains(plantedByOwnTests, rule.ID)
		if rule.Live && !planted {
			t.Errorf("%s has no planted fault", rule.ID)
		}
	}
}
