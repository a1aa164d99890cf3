package cli

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}
	for want, settings := range map[string][]debug.BuildSetting{
		version + " (revision 0123456789ab, go1.25)":           {revision, {Key: "vcs.modified", Value: "false"}},
		version + " (revision 0123456789ab, modified, go1.25)": {revision, {Key: "vcs.modified", Value: "true"}},
		version + " (revision unknown, go1.25)":                nil,
	} {
		if got := withBuild(debug.BuildInfo{GoVersion: "go1.25", Settings: settings}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := called(t, "--version"); !strings.Contains(got, version) || !strings.Contains(got, runtime.Version()) {
		t.Errorf("--version prints %q", got)
	}
}
