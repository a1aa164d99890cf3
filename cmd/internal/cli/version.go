package cli

import (
	"fmt"
	"runtime/debug"
)

// version is the program's version.
const version = "0.1.0"

// fullVersion returns the version with the revision and the Go version of the build, as
// far as they are known.
func fullVersion() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return version
	}
	return withBuild(*info)
}

// withBuild returns the version, the revision, whether it was modified, and Go's version.
func withBuild(info debug.BuildInfo) string {
	revision, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	return fmt.Sprintf("%s (revision %s%s, %s)", version, revision, modified, info.GoVersion)
}
