package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Units hold paths and expressions as they are, and systemd takes them where it is installed.
func TestUnits(t *testing.T) {
	u := unit{"/bin/true", `/srv/a b/50% "x"`}
	backup := timed{"Backups", "*-*-* 02:30", []string{"backup", "--where", `name=a* and not class="$x"`}}
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"wikictl-x.service": {u.service(backup), "\nExecStart=/bin/true --farm \"/srv/a b/50%% \\\"x\\\"\" backup --where \"name=a* and not class=\\\"$$x\\\"\"\n"},
		"wikictl-x.timer":   {u.timer(backup), "\nOnCalendar=*-*-* 02:30\n"},
		"wikictl-y.service": {u.lasting("Metrics", "", "metrics", "--listen", "127.0.0.1:9739"), " metrics --listen 127.0.0.1:9739\n"},
		"wikictl-z.service": {u.jobs(600), " jobs run --all --forever\n"},
	} {
		if !strings.Contains(c.text, c.want) || !strings.Contains(c.text, "50%% ") {
			t.Errorf("%s lacks %s\n%s", name, c.want, c.text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		verify, err := exec.LookPath("systemd-analyze")
		if err != nil {
			continue
		}
		if out, err := exec.Command(verify, "verify", "--man=no", filepath.Join(dir, name)).CombinedOutput(); strings.Contains(string(out), name+":") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
