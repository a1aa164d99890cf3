package needs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What is missing skips a test, and fails it under CI.
func TestMissing(t *testing.T) {
	if os.Getenv("NEEDS_CHILD") != "" {
		Program(t, "no-such-program")
		return
	}
	for _, c := range []struct{ ci, want string }{{"", "--- SKIP: TestMissing"}, {"1", "--- FAIL: TestMissing"}} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMissing$", "-test.v")
		cmd.Env = []string{"NEEDS_CHILD=1", "CI=" + c.ci}
		out, err := cmd.CombinedOutput()
		if text := string(out); !strings.Contains(text, c.want) || !strings.Contains(text, "no-such-program is missing; run the tests by") || (err != nil) != (c.ci != "") {
			t.Errorf("CI=%q: %v: %s", c.ci, err, out)
		}
	}
}

func TestProgram(t *testing.T) {
	if path := Program(t, "no-such-program", "sh"); !strings.HasSuffix(path, "/sh") {
		t.Error(path)
	}
	t.Setenv("CI", "1")
	if code, lacks := Lacks("no-such-program"); code != 1 || !lacks {
		t.Error(code, lacks)
	}
	if code, lacks := Lacks("sh"); code != 0 || lacks {
		t.Error(code, lacks)
	}
}

// A folder of a test is open to the users of servers, and its path leaves room for
// sockets' names.
func TestFolder(t *testing.T) {
	var dir string
	t.Run("made", func(t *testing.T) {
		dir = Folder(t)
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o755 || len(dir) > 30 {
			t.Error(dir, info, err)
		}
	})
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", dir, err)
	}
}
