package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"wikictl/migrations/upgrade"
	"wikictl/tenants"
)

func TestWaves(t *testing.T) {
	percent := func(n int) upgrade.Share { return upgrade.Share{N: n, Percent: true} }
	cases := []struct {
		text string
		want []upgrade.Share // nil: refused
	}{
		{"10%, 50%,100%", []upgrade.Share{percent(10), percent(50), percent(100)}},
		{"1,20", []upgrade.Share{{N: 1}, {N: 20}}},
		{"50%,20%", nil},
		{"20%,20%", nil},
		{"1,50%", nil},
		{"0%,10%", nil},
		{"10%,,20%", nil},
		{"101%", nil},
		{"-1", nil},
		{"half", nil},
	}
	for _, tc := range cases {
		got, err := waves(tc.text)
		if d := cmp.Diff(tc.want, got); d != "" || (err == nil) != (tc.want != nil) || err != nil && exitCode(err) != exitUsage {
			t.Errorf("%q: %v\n%s", tc.text, err, d)
		}
	}
}

// The flags of an upgrade are checked before wikictl connects to the farm's servers.
func TestUpgradeOptions(t *testing.T) {
	a := &app{stdin: nil, stdout: io.Discard, stderr: io.Discard, interrupts: &interrupts{}}
	read := func(f *tenants.Farm, args ...string) (o upgrade.Options, err error) {
		command := a.upgradeCommand()
		command.Action = func(c *cli.Context) error {
			o, err = a.upgradeOptions(c, f)
			return nil
		}
		app := cli.App{Commands: []*cli.Command{command}, Writer: io.Discard, ErrWriter: io.Discard}
		if err := app.Run(append([]string{"wikictl", "upgrade"}, args...)); err != nil {
			t.Fatal(err)
		}
		return o, err
	}
	none := &tenants.Farm{Backup: tenants.Backup{Dump: []string{}, Restore: []string{}}}
	for _, args := range [][]string{
		{"--jobs", "0"}, {"--jobs", "-3"}, {"--per-server", "-1"}, {"--pause-between", "-1s"}, {"--patience", "-1s"}, {"--timeout", "0s"},
		{"--max-failures", "-1"}, {"--max-failures", "120%"}, {"--max-failures", "some"}, {"--canary", "x%"}, {"--waves", "50%,20%"},
		{"--backup", "command"}, {"--backup", "tape"}, {"--on-failure", "cry"},
	} {
		if _, err := read(none, args...); err == nil || exitCode(err) != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
	own := &tenants.Farm{Backup: tenants.Backup{Dump: []string{"dump"}, Restore: []string{"load"}}}
	o, err := read(own, "--canary", "5%", "--max-failures", "3", "--on-failure", "keep", "--backup", "command")
	if err != nil || o.CanaryShare != (upgrade.Share{N: 5, Percent: true}) || o.MaxFailures != (upgrade.Share{N: 3}) || !o.Keep || o.Backup != upgrade.ByCommand {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = read(own, "--canary", "a,b"); err != nil || len(o.Canary) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
}

// The file of --out is a plan without a null list, from which --plan reads the digest.
func TestPlanFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	p := &upgrade.Plan{Unchanged: 3, Digest: "abc"}
	if err := writePlan(file, p.Outline()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"tenants": []`) {
		t.Errorf("%v\n%s", err, text)
	}
	if err := samePlan(p, file); err != nil {
		t.Error(err)
	}
	p.Digest = "def"
	if err := samePlan(p, file); err == nil || exitCode(err) != exitUsage {
		t.Errorf("another plan: %v", err)
	}
}
