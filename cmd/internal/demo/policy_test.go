package demo

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
)

// TestMain is also the wikictl that is killed in TestPolicy.
func TestMain(m *testing.M) {
	if path := os.Getenv("STACK_TEST_POLICY"); path != "" {
		if _, err := forbidServices(path); err != nil {
			panic(err)
		}
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// forbidder is another wikictl that installs packages.
func forbidder(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STACK_TEST_POLICY="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		_, err := os.Stat(path)
		if half, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".wikictl-*")); err == nil && len(half) == 0 {
			return cmd
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it makes no policy")
	return nil
}

func TestPolicy(t *testing.T) {
	needs.Root(t, "setting a policy")
	const debian = "#!/bin/sh\nexit 101\n" // of many container images
	cases := []struct {
		name          string
		before        string // what an administrator has there; empty: nothing
		killed        bool   // a wikictl that was killed has left its own
		during, after string
	}{
		{"nothing there", "", false, ownPolicy, ""},
		{"the administrator's", debian, false, debian, debian},
		{"left by a kill", "", true, ownPolicy, ""},
	}
	for _, tc := range cases {
		path := filepath.Join(t.TempDir(), "policy-rc.d")
		if tc.before != "" {
			if err := os.WriteFile(path, []byte(tc.before), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if tc.killed {
			other := forbidder(t, path)
			_ = other.Process.Kill()
			_ = other.Wait()
		}
		undo, err := forbidServices(path)
		if err != nil {
			t.Fatal(err)
		}
		during := wrote(path)
		if err := exec.Command(path).Run(); err == nil || err.Error() != "exit status 101" {
			t.Errorf("%s: the policy says %v", tc.name, err)
		}
		undo()
		if after := wrote(path); during != tc.during || after != tc.after {
			t.Errorf("%s: %q while it installs, %q afterwards", tc.name, during, after)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".wikictl-*")); len(left) > 0 {
			t.Errorf("%s: %v is left", tc.name, left)
		}
	}
}

// A run that has nothing to install removes what a killed one left, but not what one
// that still installs needs.
func TestPolicyIsCleanedUp(t *testing.T) {
	needs.Root(t, "setting a policy")
	path := filepath.Join(t.TempDir(), "policy-rc.d")
	other := forbidder(t, path)
	undo, err := forbidServices(path)
	if err != nil {
		t.Fatal(err)
	}
	undo()
	if err := allowServices(path); err != nil || wrote(path) != ownPolicy {
		t.Errorf("%v: that of a wikictl that still installs is %q", err, wrote(path))
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	if err := allowServices(path); err != nil || wrote(path) != "" {
		t.Errorf("%v: that of a killed wikictl is %q", err, wrote(path))
	}
}

func wrote(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
